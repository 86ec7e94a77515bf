#include "sstable/filter.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/status.h"
#include "sstable/segment_format.h"

namespace firn {
namespace {

constexpr size_t kLineSize = 64;
constexpr size_t kTailSize = 1 + 1 + 2 + 4;
constexpr uint8_t kScheme = 1;
constexpr uint32_t kProbesMax = 24;
constexpr uint64_t kLinesMax = kBlockSizeMax / kLineSize - 1;
constexpr uint32_t kMultiplier = 0x9e3779b9;

// 0.6, not ln 2: the load of a line varies, and a full line costs more than an empty one saves.
uint32_t ProbesFor(uint32_t bits_per_key) {
  return std::clamp(bits_per_key * 6 / 10, uint32_t{1}, kProbesMax);
}

size_t LineOf(uint64_t hash, uint32_t line_count) {
  return static_cast<size_t>(((hash >> 32) * line_count) >> 32);
}

}  // namespace

FilterBuilder::FilterBuilder(uint32_t bits_per_key) : bits_per_key_(bits_per_key) {
  FIRN_CHECK(bits_per_key >= 1 && bits_per_key <= 32);
}

void FilterBuilder::Add(absl::string_view user_key) {
  const uint64_t hash = Hash64(user_key);
  if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
}

std::string FilterBuilder::Finish() const {
  const uint64_t bits = uint64_t{hashes_.size()} * bits_per_key_;
  const auto line_count =
      static_cast<uint32_t>(std::clamp(bits / (8 * kLineSize) + 1, uint64_t{1}, kLinesMax));
  const uint32_t probes = ProbesFor(bits_per_key_);
  std::string filter(kLineSize * line_count, '\0');
  for (const uint64_t hash : hashes_) {
    char* const line = filter.data() + kLineSize * LineOf(hash, line_count);
    auto bits_of_key = static_cast<uint32_t>(hash);
    for (uint32_t i = 0; i < probes; ++i) {
      bits_of_key *= kMultiplier;
      const uint32_t bit = bits_of_key >> 23;
      line[bit / 8] = static_cast<char>(line[bit / 8] | 1 << (bit % 8));
    }
  }
  filter.push_back(static_cast<char>(kScheme));
  filter.push_back(static_cast<char>(probes));
  PutFixed16(filter, 0);
  PutFixed32(filter, line_count);
  return filter;
}

absl::StatusOr<Filter> Filter::Create(ByteSpan bytes, uint64_t offset, absl::string_view path) {
  if (bytes.size() < kTailSize) {
    return CorruptionAt(path, offset, "filter too small",
                        {.expected = kTailSize, .actual = bytes.size()});
  }
  const uint64_t tail_offset = bytes.size() - kTailSize;
  const ByteSpan tail = bytes.subspan(tail_offset);
  if (tail[0] != kScheme) {
    return CorruptionAt(path, offset + tail_offset, "filter scheme",
                        {.expected = kScheme, .actual = tail[0]});
  }
  if (tail[1] == 0 || tail[1] > kProbesMax) {
    return CorruptionAt(path, offset + tail_offset + 1, "filter probes",
                        {.expected = kProbesMax, .actual = tail[1]});
  }
  if (LoadFixed16(tail.subspan(2)) != 0) {
    return CorruptionAt(path, offset + tail_offset + 2, "reserved bytes of the filter",
                        {.expected = 0, .actual = LoadFixed16(tail.subspan(2))});
  }
  const uint32_t line_count = LoadFixed32(tail.subspan(4));
  if (line_count == 0 || uint64_t{line_count} * kLineSize != tail_offset) {
    return CorruptionAt(path, offset + tail_offset + 4, "filter lines",
                        {.expected = tail_offset / kLineSize, .actual = line_count});
  }
  Filter filter;
  const size_t size = kLineSize * line_count;
  filter.memory_ = std::make_unique_for_overwrite<uint8_t[]>(size + kLineSize - 1);
  const auto address = reinterpret_cast<uintptr_t>(filter.memory_.get());
  uint8_t* const lines = filter.memory_.get() + (kLineSize - address % kLineSize) % kLineSize;
  std::memcpy(lines, bytes.data(), size);
  filter.lines_ = lines;
  filter.line_count_ = line_count;
  filter.probes_ = tail[1];
  return filter;
}

bool Filter::MayContain(absl::string_view user_key) const {
  if (line_count_ == 0) return true;
  const uint64_t hash = Hash64(user_key);
  const uint8_t* const line = lines_ + kLineSize * LineOf(hash, line_count_);
  auto bits_of_key = static_cast<uint32_t>(hash);
  for (uint32_t i = 0; i < probes_; ++i) {
    bits_of_key *= kMultiplier;
    const uint32_t bit = bits_of_key >> 23;
    if ((line[bit / 8] >> (bit % 8) & 1) == 0) return false;
  }
  return true;
}

}  // namespace firn
