#include "sstable/extent.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"

namespace firn {
namespace {

size_t AlignUp(size_t offset) {
  return (offset + kExtentAlignment - 1) & ~(kExtentAlignment - 1);
}

uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// A varint at `next`; null if there is none before `limit`. Longer than necessary, or with bits above
// 64: refused.
const uint8_t* ParseVarint(const uint8_t* next, const uint8_t* limit, uint64_t& value) {
  if (next != limit && *next < 0x80) [[likely]] {
    value = *next;
    return next + 1;
  }
  if (limit - next >= 2 && next[1] - 1u < 0x7f) {  // two bytes: the sizes of most values
    value = (next[0] & 0x7fu) | static_cast<uint64_t>(next[1]) << 7;
    return next + 2;
  }
  ByteReader reader(ByteSpan(next, static_cast<size_t>(limit - next)));
  const std::optional<uint64_t> read = reader.ReadVarint64();
  if (!read.has_value()) return nullptr;
  value = *read;
  return next + reader.position();
}

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("extent: ", what));
}

}  // namespace

void ExtentBuilder::Reset() {
  bytes_.assign(kExtentHeaderSize, '\0');
  record_count_ = 0;
}

uint32_t ExtentBuilder::Add(const InternalKey& key, absl::string_view value) {
  FIRN_CHECK(key.sequence <= kMaxSequenceNumber);
  if (record_count_ == 0) base_ = key.sequence;
  const size_t offset = AlignUp(bytes_.size());
  FIRN_CHECK(offset + RecordSizeMax(key.user_key, value) <= UINT32_MAX);
  bytes_.append(offset - bytes_.size(), '\0');
  bytes_.append(key.user_key.data(), key.user_key.size());
  const int64_t delta =
      static_cast<int64_t>(key.sequence.value) - static_cast<int64_t>(base_.value);
  uint8_t numbers[kMaxVarint64Size + kMaxVarint32Size];
  uint8_t* limit =
      StoreVarint64(numbers, ZigZag(delta) << 1 | (key.kind == EntryKind::kTombstone ? 1 : 0));
  limit = StoreVarint32(limit, static_cast<uint32_t>(value.size()));
  bytes_.append(reinterpret_cast<const char*>(numbers), static_cast<size_t>(limit - numbers));
  bytes_.append(value.data(), value.size());
  ++record_count_;
  return static_cast<uint32_t>(offset);
}

ByteSpan ExtentBuilder::Finish() {
  FIRN_CHECK(record_count_ > 0);
  auto* const begin = reinterpret_cast<uint8_t*>(bytes_.data());
  StoreFixed64(begin, base_.value);
  StoreFixed32(begin + 8, record_count_);
  return AsBytes(bytes_);
}

absl::StatusOr<std::shared_ptr<const Extent>> Extent::Create(BlockMemory bytes, size_t size) {
  if (size < kExtentHeaderSize) return Damaged(absl::StrCat("of ", size, " bytes has no header"));
  const SequenceNumber base{LoadFixed64(bytes.get())};
  const uint32_t record_count = LoadFixed32(bytes.get() + 8);
  if (base > kMaxSequenceNumber) return Damaged("base sequence number over 56 bits");
  if (record_count == 0) return Damaged("no records");
  if (LoadFixed32(bytes.get() + 12) != 0) return Damaged("reserved bytes of the header");
  return MakeBlockContent<Extent>(std::move(bytes), size, base, record_count);
}

bool Extent::ParseRecord(uint64_t offset, size_t key_size, ExtentRecord& record) const {
  const ByteSpan all = bytes();
  if (offset < kExtentHeaderSize || offset % kExtentAlignment != 0 || offset >= all.size() ||
      key_size > all.size() - offset) {
    return false;
  }
  const uint8_t* const begin = all.data() + offset;
  const uint8_t* const limit = all.data() + all.size();
  uint64_t tag = 0;
  uint64_t value_size = 0;
  const uint8_t* next = ParseVarint(begin + key_size, limit, tag);
  if (next == nullptr) return false;
  next = ParseVarint(next, limit, value_size);
  if (next == nullptr || value_size > static_cast<size_t>(limit - next)) return false;
  // Both are below 2^63 in size, so the sum cannot wrap around.
  const int64_t sequence = static_cast<int64_t>(base_.value) + UnZigZag(tag >> 1);
  if (sequence < 0 || static_cast<uint64_t>(sequence) > kMaxSequenceNumber.value) return false;
  record.user_key = absl::string_view(reinterpret_cast<const char*>(begin), key_size);
  record.sequence = SequenceNumber{static_cast<uint64_t>(sequence)};
  record.kind = (tag & 1) != 0 ? EntryKind::kTombstone : EntryKind::kPut;
  record.value = absl::string_view(reinterpret_cast<const char*>(next), value_size);
  record.offset = static_cast<uint32_t>(offset);
  record.limit = static_cast<uint32_t>(next + value_size - all.data());
  return true;
}

bool ExtentCursor::Next() {
  if (!status_.ok()) return false;
  const uint32_t before = seen_ == 0 ? static_cast<uint32_t>(kExtentHeaderSize) : record_.limit;
  if (seen_ == extent_.record_count()) return AtEnd();
  const size_t offset = AlignUp(before);
  const ByteSpan bytes = extent_.bytes();
  if (!extent_.ParseRecord(offset, key_size_, record_)) {
    status_ = Damaged(absl::StrCat("record ", seen_, " at ", offset, " is malformed"));
    return false;
  }
  if (std::any_of(bytes.begin() + before, bytes.begin() + static_cast<ptrdiff_t>(offset),
                  [](uint8_t byte) { return byte != 0; })) {
    status_ = Damaged(absl::StrCat("bytes between the records at ", before));
    return false;
  }
  if (seen_ == 0 && record_.sequence != extent_.base()) {
    status_ = Damaged("the base is not the first record's sequence number");
    return false;
  }
  ++seen_;
  return true;
}

bool ExtentCursor::AtEnd() {
  if (record_.limit != extent_.bytes().size()) {
    status_ = Damaged(absl::StrCat("bytes follow the last record at ", record_.limit));
  }
  return false;
}

}  // namespace firn
