#include "bench/generator.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace firn::bench {
namespace {

constexpr uint64_t kFirstAbsentOrdinal = uint64_t{1} << 63;

void StoreBigEndian(uint64_t value, char* target) {
  for (int i = 0; i < 8; ++i) target[i] = static_cast<char>(value >> (56 - 8 * i));
}

void StoreRandomKey(uint64_t seed, uint64_t ordinal, char* target) {
  for (uint64_t i = 0; i < 4; ++i) {
    // Word 0 is a bijection of the ordinal: no two present keys are equal.
    const uint64_t word = HashInteger(seed + i * 0xa0761d6478bd642f + ordinal);
    std::memcpy(target + 8 * i, &word, 8);
  }
}

}  // namespace

Generator::Generator(const RecordShape& shape)
    : shape_(shape),
      key_seed_(HashInteger(shape.seed)),
      absent_seed_(HashInteger(shape.seed ^ 0x5555)),
      value_seed_(HashInteger(shape.seed ^ 0xaaaa)) {
  FIRN_CHECK(shape.value_min >= 8 && shape.value_min <= shape.value_max);
  value_.resize(shape.value_max + 8);
}

absl::string_view Generator::Key(uint64_t ordinal) {
  if (shape_.key == KeyKind::kSequence) {
    StoreBigEndian(ordinal, key_);
  } else {
    StoreRandomKey(key_seed_, ordinal, key_);
  }
  return absl::string_view(key_, shape_.key_size());
}

absl::string_view Generator::AbsentKey(uint64_t ordinal) {
  if (shape_.key == KeyKind::kSequence) {
    StoreBigEndian(kFirstAbsentOrdinal + ordinal, key_);
  } else {
    StoreRandomKey(absent_seed_, ordinal, key_);
  }
  return absl::string_view(key_, shape_.key_size());
}

uint64_t Generator::ValueWord(uint64_t ordinal) const { return HashInteger(value_seed_ + ordinal); }

size_t Generator::ValueSize(uint64_t ordinal) const {
  const uint64_t range = shape_.value_max - shape_.value_min + 1;
  return shape_.value_min + static_cast<size_t>((ValueWord(ordinal) >> 32) * range >> 32);
}

absl::string_view Generator::Value(uint64_t ordinal, uint64_t version) {
  const size_t size = ValueSize(ordinal);
  const size_t half = (size + 1) / 2;
  uint64_t word = ValueWord(ordinal);
  std::memcpy(value_.data(), &word, 8);
  Random random(word + version);
  for (size_t at = 8; at < half; at += 8) {
    word = random.Next();
    std::memcpy(value_.data() + at, &word, 8);
  }
  // Of a tiny value the first word alone may be more than half.
  const size_t made = std::max<size_t>(half, 8);
  if (size > made) std::memcpy(value_.data() + made, value_.data(), size - made);
  return absl::string_view(value_.data(), size);
}

bool Generator::IsValueOf(uint64_t ordinal, absl::string_view value) const {
  const uint64_t word = ValueWord(ordinal);
  return value.size() == ValueSize(ordinal) && std::memcmp(value.data(), &word, 8) == 0;
}

Distribution::Distribution(uint64_t count, double theta) : count_(count), theta_(theta) {
  FIRN_CHECK(count > 0 && theta >= 0 && theta < 1);
  if (theta == 0) return;
  for (uint64_t rank = 1; rank <= count; ++rank) {
    zeta_ += 1 / std::pow(static_cast<double>(rank), theta);
  }
  const double zeta_of_two = 1 + 1 / std::pow(2.0, theta);
  alpha_ = 1 / (1 - theta);
  half_power_ = 1 + std::pow(0.5, theta);
  eta_ = (1 - std::pow(2.0 / static_cast<double>(count), 1 - theta)) / (1 - zeta_of_two / zeta_);
}

uint64_t Distribution::DrawRank(Random& random) const {
  const double uniform = static_cast<double>(random.Next() >> 11) * 0x1p-53;
  const double scaled = uniform * zeta_;
  if (scaled < 1) return 0;
  if (scaled < half_power_) return std::min<uint64_t>(1, count_ - 1);
  const double rank = static_cast<double>(count_) * std::pow(eta_ * uniform - eta_ + 1, alpha_);
  return std::min(static_cast<uint64_t>(rank), count_ - 1);
}

uint64_t Distribution::Draw(Random& random) const {
  if (theta_ == 0) return random.Uniform(count_);
  return HashInteger(DrawRank(random)) % count_;
}

}  // namespace firn::bench
