// sstable/extent.h: the bytes of an extent: records of a hashed segment, in the order they came.
// Page: docs/formats/segment_hashed.md.
//
//   offset  size  field
//        0     8  base      sequence number of the first record
//        8     4  records   at least 1
//       12     4  reserved  zero, refused otherwise
//       16        records   each begins at a multiple of 8: so 32 bits can locate it
// Record:
//   key bytes            the segment's key size
//   varint64 tag         zigzag(sequence number - base) << 1 | (1 for a tombstone)
//   varint32 value size
//   value bytes          then zeroes up to the next multiple of 8, except after the last record
//
// A location leads to a record without the records before it, so each has a tag of its own. The
// header is checked when an extent is made, a record when it is read, the rest (gaps, count) by
// ExtentCursor. Hostile bytes give an error, never a read outside the extent.
#ifndef FIRN_SSTABLE_EXTENT_H_
#define FIRN_SSTABLE_EXTENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "sstable/block_content.h"
#include "sstable/internal_key.h"

namespace firn {

inline constexpr size_t kExtentHeaderSize = 8 + 4 + 4;
inline constexpr size_t kExtentAlignment = 8;
static_assert(kExtentHeaderSize % kExtentAlignment == 0 && kExtentHeaderSize == 16,
              "docs/formats/segment_hashed.md says 16");

struct ExtentRecord {
  absl::string_view user_key;
  SequenceNumber sequence;
  EntryKind kind = EntryKind::kPut;
  absl::string_view value;
  uint32_t offset = 0;  // where it begins, and one past its value
  uint32_t limit = 0;
};

// Puts records behind one another. Reuses its memory.
class ExtentBuilder {
 public:
  ExtentBuilder() { Reset(); }

  // Bytes that the record would add at most.
  static size_t RecordSizeMax(absl::string_view user_key, absl::string_view value) {
    return kExtentAlignment - 1 + user_key.size() + kMaxVarint64Size + kMaxVarint32Size +
           value.size();
  }
  // The offset of the record. Keys of one extent have one size; the extent stays below 4 GiB
  // (FIRN_CHECK).
  uint32_t Add(const InternalKey& key, absl::string_view value);
  // The extent; valid until Reset(). Not empty.
  ByteSpan Finish();
  void Reset();

  bool empty() const { return record_count_ == 0; }
  size_t size() const { return bytes_.size(); }
  uint32_t record_count() const { return record_count_; }

 private:
  std::string bytes_;
  SequenceNumber base_;
  uint32_t record_count_ = 0;
};

// A verified, decompressed extent in memory. Immutable, so thread-safe.
class Extent final : public BlockContent {
 public:
  // Takes over `bytes`, of which the first `size` are the extent. DataLoss if its header is bad; the
  // message has no file: the caller annotates it.
  static absl::StatusOr<std::shared_ptr<const Extent>> Create(BlockMemory bytes, size_t size);

  Extent(size_t size, SequenceNumber base, uint32_t record_count)
      : BlockContent(size), record_count_(record_count), base_(base) {}

  SequenceNumber base() const { return base_; }
  uint32_t record_count() const { return record_count_; }

  // The record that begins at `offset`, which may be any number: false if none can. Says nothing
  // of whether one does; whoever has the offset from an index compares the key.
  bool ParseRecord(uint64_t offset, size_t key_size, ExtentRecord& record) const;

 private:
  const uint32_t record_count_;
  const SequenceNumber base_;
};

// Over the records of an extent in their order, which must outlive it.
class ExtentCursor {
 public:
  ExtentCursor(const Extent& extent, size_t key_size) : extent_(extent), key_size_(key_size) {}

  // To the first record, later to the next. False at the end, and when something is wrong.
  bool Next();
  const ExtentRecord& record() const { return record_; }
  // OK at the end of a good extent. The message has no file: the caller annotates it.
  const absl::Status& status() const { return status_; }

 private:
  bool AtEnd();  // false; sets status_ if the end is not where it should be

  const Extent& extent_;
  const size_t key_size_;
  ExtentRecord record_;
  uint32_t seen_ = 0;
  absl::Status status_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_EXTENT_H_
