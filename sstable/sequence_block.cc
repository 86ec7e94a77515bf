#include "sstable/sequence_block.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("sequence block: ", what));
}

// The least size of a field that holds `value`.
uint8_t FieldSize(uint64_t value) {
  if (value <= UINT16_MAX) return 2;
  return value <= UINT32_MAX ? 4 : 8;
}

template <typename Field, typename ValueAt>
void AppendFields(std::string& target, size_t count, ValueAt value_at) {
  const size_t begin = target.size();
  target.resize(begin + count * sizeof(Field));
  char* next = target.data() + begin;
  for (size_t i = 0; i < count; ++i, next += sizeof(Field)) {
    const auto field = static_cast<Field>(value_at(i));
    std::memcpy(next, &field, sizeof(Field));
  }
}

template <typename ValueAt>
void AppendArray(std::string& target, uint8_t size, size_t count, ValueAt value_at) {
  switch (size) {
    case 2:
      return AppendFields<uint16_t>(target, count, value_at);
    case 4:
      return AppendFields<uint32_t>(target, count, value_at);
    case 8:
      return AppendFields<uint64_t>(target, count, value_at);
    default:
      FIRN_CHECK(size == 0);
  }
}

template <typename Field>
Field FieldAt(const uint8_t* array, size_t position) {
  Field field;
  std::memcpy(&field, array + position * sizeof(Field), sizeof(Field));
  return field;
}

template <typename Field>
bool Ascends(const uint8_t* array, size_t count) {
  bool falls = false;  // without a branch, so that many are compared at once
  for (size_t i = 1; i < count; ++i) {
    falls |= FieldAt<Field>(array, i) < FieldAt<Field>(array, i - 1);
  }
  return !falls;
}

bool Ascends(const uint8_t* array, uint32_t size, size_t count) {
  return size == 2   ? Ascends<uint16_t>(array, count)
         : size == 4 ? Ascends<uint32_t>(array, count)
                     : Ascends<uint64_t>(array, count);
}

template <typename Field>
uint64_t Highest(const uint8_t* array, size_t count) {
  Field highest = 0;
  for (size_t i = 0; i < count; ++i) highest = std::max(highest, FieldAt<Field>(array, i));
  return highest;
}

uint64_t Highest(const uint8_t* array, uint32_t size, size_t count) {
  return size == 2   ? Highest<uint16_t>(array, count)
         : size == 4 ? Highest<uint32_t>(array, count)
                     : Highest<uint64_t>(array, count);
}

bool IsGapSize(uint64_t size) { return size == 0 || size == 2 || size == 4 || size == 8; }

}  // namespace

void SequenceBlockBuilder::Add(uint64_t key, SequenceNumber sequence, absl::string_view value) {
  FIRN_DCHECK(keys_.empty() || key > keys_.back());
  FIRN_CHECK(bytes_.size() + value.size() <= UINT32_MAX);
  bytes_.append(value.data(), value.size());
  keys_.push_back(key);
  sequences_.push_back(sequence.value);
  limits_.push_back(static_cast<uint32_t>(bytes_.size()));
}

ByteSpan SequenceBlockBuilder::Finish() {
  FIRN_CHECK(!empty());
  const size_t count = keys_.size();
  const uint64_t first = keys_.front();
  const uint64_t last_gap = keys_.back() - first - (count - 1);
  uint64_t base = sequences_.front();
  bool dense = true;
  for (size_t i = 0; i < count; ++i) dense &= sequences_[i] == base + i;
  uint8_t delta_size = 0;
  if (!dense) {
    const auto [lowest, highest] = std::minmax_element(sequences_.begin(), sequences_.end());
    base = *lowest;
    delta_size = FieldSize(*highest - base);
  }
  const uint8_t limit_size = limits_.back() <= UINT16_MAX ? 2 : 4;
  const uint8_t gap_size = last_gap == 0 ? uint8_t{0} : FieldSize(last_gap);
  AppendArray(bytes_, limit_size, count, [&](size_t i) { return limits_[i]; });
  AppendArray(bytes_, gap_size, count, [&](size_t i) { return keys_[i] - first - i; });
  AppendArray(bytes_, delta_size, count, [&](size_t i) { return sequences_[i] - base; });
  PutFixed64(bytes_, first);
  PutFixed64(bytes_, base);
  PutFixed32(bytes_, static_cast<uint32_t>(count));
  for (const uint8_t size : {limit_size, gap_size, delta_size, uint8_t{0}}) {
    bytes_.push_back(static_cast<char>(size));
  }
  return AsBytes(bytes_);
}

void SequenceBlockBuilder::Reset() {
  bytes_.clear();
  keys_.clear();
  sequences_.clear();
  limits_.clear();
}

SequenceRecords SequenceRecords::Of(ByteSpan block) {
  const uint8_t* const tail = block.data() + block.size() - kSequenceTailSize;
  SequenceRecords records;
  records.first_key_ = LoadFixed64(tail);
  records.base_ = LoadFixed64(tail + 8);
  records.count_ = LoadFixed32(tail + 16);
  records.limit_size_ = tail[20];
  records.gap_size_ = tail[21];
  records.delta_size_ = tail[22];
  const size_t count = records.count_;
  records.values_ = block.data();
  records.deltas_ = tail - count * records.delta_size_;
  records.gaps_ = records.deltas_ - count * records.gap_size_;
  records.limits_ = records.gaps_ - count * records.limit_size_;
  return records;
}

absl::StatusOr<SequenceRecords> SequenceRecords::Parse(ByteSpan block) {
  if (block.size() < kSequenceTailSize) return Damaged("no room for its tail");
  const ByteSpan tail = block.subspan(block.size() - kSequenceTailSize);
  const uint64_t count = LoadFixed32(tail.subspan(16));
  const uint64_t limit_size = tail[20];
  const uint64_t gap_size = tail[21];
  const uint64_t delta_size = tail[22];
  if (tail[23] != 0) return Damaged("its reserved byte is not zero");
  if (count == 0) return Damaged("no records");
  if (limit_size != 2 && limit_size != 4) return Damaged("size of value limits");
  if (!IsGapSize(gap_size)) return Damaged("size of key gaps");
  if (!IsGapSize(delta_size)) return Damaged("size of sequence deltas");
  const uint64_t fields = count * (limit_size + gap_size + delta_size);
  const uint64_t room = block.size() - kSequenceTailSize;
  if (fields > room) return Damaged("more records than there is room for");

  const SequenceRecords records = Of(block);  // whose arrays are inside now
  FIRN_RETURN_IF_ERROR(records.CheckArrays(room - fields));
  return records;
}

absl::Status SequenceRecords::CheckArrays(uint64_t values_size) const {
  const uint32_t last = count_ - 1;
  if (!Ascends(limits_, limit_size_, count_) || Load(limits_, limit_size_, last) != values_size) {
    return Damaged("value limits");
  }
  const uint64_t last_gap = gap_size_ == 0 ? 0 : Load(gaps_, gap_size_, last);
  if (gap_size_ != 0 &&
      (!Ascends(gaps_, gap_size_, count_) || Load(gaps_, gap_size_, 0) != 0)) {
    return Damaged("key gaps");
  }
  if (last > UINT64_MAX - first_key_ || last_gap > UINT64_MAX - first_key_ - last) {
    return Damaged("a key over 64 bits");
  }
  const uint64_t highest = delta_size_ == 0 ? last : Highest(deltas_, delta_size_, count_);
  if (base_ > kMaxSequenceNumber.value || highest > kMaxSequenceNumber.value - base_) {
    return Damaged("a sequence number over 56 bits");
  }
  return absl::OkStatus();
}

uint32_t SequenceRecords::LowerBound(uint64_t key) const {
  if (key <= first_key_) return 0;
  const uint64_t distance = key - first_key_;  // no position is above it
  if (gap_size_ == 0) return distance < count_ ? static_cast<uint32_t>(distance) : count_;
  uint32_t begin = 0;
  uint32_t limit = distance < count_ ? static_cast<uint32_t>(distance) + 1 : count_;
  if (limit == count_ && KeyAt(count_ - 1) < key) return count_;
  while (begin < limit) {
    const uint32_t middle = begin + (limit - begin) / 2;
    if (KeyAt(middle) < key) {
      begin = middle + 1;
    } else {
      limit = middle;
    }
  }
  return begin;
}

absl::StatusOr<std::shared_ptr<const SequenceBlock>> SequenceBlock::Create(BlockMemory bytes,
                                                                            size_t size) {
  FIRN_RETURN_IF_ERROR(SequenceRecords::Parse(ByteSpan(bytes.get(), size)).status());
  return MakeBlockContent<SequenceBlock>(std::move(bytes), size);
}

}  // namespace firn
