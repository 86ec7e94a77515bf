// sstable/hashed_index_page.h: one page of a hashed segment's index as a block in memory, for segments
// whose index stays on disk. Bytes: docs/formats/segment_hashed.md ("index page").
//
// The bytes stay as they are in the file, 6 for an entry instead of the 9 of HashedIndex; a look at
// one bucket adds up the counts of those before it.
#ifndef FIRN_SSTABLE_HASHED_INDEX_PAGE_H_
#define FIRN_SSTABLE_HASHED_INDEX_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/coding.h"
#include "base/types.h"
#include "sstable/block_content.h"
#include "sstable/hashed_index.h"
#include "sstable/hashed_segment_format.h"

namespace firn {

// OK if `location` can be of a record in one of `extent_count` extents; else DataLoss, without a file.
absl::Status CheckLocation(LocationFormat format, uint64_t extent_count, uint32_t location);

// What an index page says of the size of its parts.
struct IndexPageSizes {
  size_t entries_offset = 0;  // where the entries begin, behind the counts
  uint64_t entry_count = 0;
};
// DataLoss, without a file, if `page` does not hold `bucket_count` counts, and entries for all of them.
absl::StatusOr<IndexPageSizes> ParseIndexPageSizes(ByteSpan page, uint64_t bucket_count);

// Verified: immutable, thread-safe.
class IndexPage final : public BlockContent {
 public:
  // Takes over `bytes`, of which the first `size` are the page of `bucket_count` buckets. DataLoss,
  // without a file, if they are not, or if an entry points outside the extents.
  static absl::StatusOr<std::shared_ptr<const IndexPage>> Create(BlockMemory bytes, size_t size,
                                                                 uint64_t bucket_count,
                                                                 uint64_t extent_count,
                                                                 LocationFormat location);
  IndexPage(size_t size, uint32_t entries_offset)
      : BlockContent(size), entries_offset_(entries_offset) {}

  // Calls `visit(const IndexEntry&)` for each entry of the page's bucket number `bucket`, in the order
  // of records.
  template <typename Visit>
  void ForEach(uint64_t bucket, Visit&& visit) const {
    const uint8_t* counts = data();
    uint64_t before = 0;
    for (uint64_t i = 0; i < bucket; ++i) before += TakeCount(counts);
    const uint64_t count = TakeCount(counts);
    const uint8_t* entry = data() + entries_offset_ + before * kIndexEntrySize;
    for (uint64_t i = 0; i < count; ++i, entry += kIndexEntrySize) {
      visit(IndexEntry{.fingerprint = LoadFixed16(entry), .location = LoadFixed32(entry + 2)});
    }
  }
  // Calls `visit(location)` for each entry of the bucket that has this fingerprint.
  template <typename Visit>
  void Match(uint64_t bucket, uint16_t fingerprint, Visit&& visit) const {
    ForEach(bucket, [&](const IndexEntry& entry) {
      if (entry.fingerprint == fingerprint) visit(entry.location);
    });
  }

 private:
  // A varint that was checked.
  static uint64_t TakeCount(const uint8_t*& next) {
    uint64_t count = 0;
    for (uint32_t shift = 0;; shift += 7) {
      const uint64_t byte = *next++;
      count |= (byte & 0x7f) << shift;
      if (byte < 0x80) return count;
    }
  }

  const uint32_t entries_offset_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_INDEX_PAGE_H_
