// sstable/hashed_segment_reader.h: the reader of the hashed layout.
//
// Open() reads footer, properties, extent table and index, holds them against what the manifest says
// (SegmentMeta), and keeps the table in memory, and the index, if that may be so large
// (hashed_segment_index.h). Extents come through the block cache by their number: so a lookup needs the
// table only for what is not cached.
// The index is the filter: SegmentCounters count its answers as a filter's.
#ifndef FIRN_SSTABLE_HASHED_SEGMENT_READER_H_
#define FIRN_SSTABLE_HASHED_SEGMENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/extent.h"
#include "sstable/hashed_segment_format.h"
#include "sstable/hashed_segment_index.h"
#include "sstable/internal_iterator.h"
#include "sstable/raw_block.h"
#include "sstable/segment_format.h"
#include "sstable/segment_reader.h"

namespace firn {

class HashedSegmentReader final : public SegmentReader {
 public:
  // Errors: DataLoss (damaged, or not the expected segment), I/O.
  static absl::StatusOr<std::shared_ptr<const SegmentReader>> Open(SegmentSource source);

  // One cache line (or a page of the index), and an extent for each version of the key.
  absl::StatusOr<std::optional<FoundEntry>> Get(absl::string_view user_key,
                                                SequenceNumber at_most) const override;
  bool GetCached(absl::string_view user_key, SequenceNumber at_most,
                 std::optional<FoundEntry>& found) const override;
  void GetManyCached(absl::Span<SegmentLookup* const> lookups,
                     SequenceNumber at_most) const override;
  absl::Status GetMany(absl::Span<SegmentLookup* const> lookups,
                       SequenceNumber at_most) const override;
  bool AddMissing(absl::string_view user_key, SequenceNumber at_most,
                  BlockBatch& batch) const override;
  BlockHandle HandleOf(size_t ordinal) const override {
    return ExtentHandle(static_cast<uint32_t>(ordinal));
  }
  absl::StatusOr<std::shared_ptr<const BlockContent>> TakeBlock(size_t ordinal, ByteSpan stored,
                                                                BlockMemory memory) const override;
  // Bucket by bucket: each is some extents from anywhere in the file.
  std::unique_ptr<InternalIterator> NewIterator(
      const SegmentReadOptions& options = {}) const override;
  SegmentReport Verify() const override;
  size_t memory_usage() const override;
  uint64_t ApproximateSize(absl::string_view begin, absl::string_view limit) const override;
  std::vector<SegmentBlock> Blocks() const override;
  absl::StatusOr<size_t> VisitBlock(
      const BlockHandle& handle,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override;

  uint32_t key_size() const { return key_size_; }
  const HashedSegmentIndex& index() const { return *index_; }
  uint32_t extent_count() const { return static_cast<uint32_t>(extent_offsets_.size() - 1); }
  BlockHandle ExtentHandle(uint32_t extent) const {
    return {.offset = extent_offsets_[extent],
            .size = extent_offsets_[extent + 1] - extent_offsets_[extent] - kBlockTrailerSize};
  }
  // Each of `extents` (ascending, each once), from the cache or else all in one submission.
  absl::StatusOr<std::vector<std::shared_ptr<const Extent>>> FetchExtents(
      absl::Span<const uint32_t> extents, CacheUse cache,
      const BlockBatch* batch = nullptr) const;  // `batch`: asked before the file is; may be null
  // The extent that was read as `stored` (with its trailer), checked and decompressed.
  absl::StatusOr<std::shared_ptr<const Extent>> DecodeExtent(uint32_t extent, ByteSpan stored) const;
  // Reads `count` extents from `first` on as they stand in the file, in one request.
  absl::Status ReadStored(uint32_t first, uint32_t count, std::string& bytes) const;
  // The record at `location`; DataLoss if none can be there.
  absl::Status ParseRecord(const Extent& extent, uint32_t location, ExtentRecord& record) const;
  // An error that an ExtentCursor found, with the file and the extent's offset.
  absl::Status AnnotateExtentError(const absl::Status& status, uint32_t extent) const;

 private:
  friend class HashedSegmentVerifier;

  using Locations = absl::InlinedVector<uint32_t, 4>;
  enum class Match : uint8_t {
    kOther = 1,    // another key's record
    kVersion = 2,  // a version of the key
    kDamaged = 3,  // no record can be there
  };

  HashedSegmentReader(SegmentSource source, SegmentProperties properties,
                      std::unique_ptr<const HashedSegmentIndex> index);

  // A record that may be a version of the key that is looked up.
  struct Candidate {
    SegmentLookup* lookup = nullptr;
    const Extent* extent = nullptr;
    uint32_t location = 0;
  };
  // As many as a MultiGet has keys, a little more: in place.
  using Candidates = absl::InlinedVector<Candidate, 160>;

  // None if the index says that the key is not here. Counts.
  absl::StatusOr<Locations> Locate(uint64_t word) const;
  std::shared_ptr<const Extent> FindCached(uint32_t extent) const {
    // Nothing but extents of this segment was put into its slots.
    return std::static_pointer_cast<const Extent>(slots_.Find(extent));
  }
  absl::StatusOr<std::shared_ptr<const Extent>> FetchExtent(uint32_t extent, CacheUse cache) const;
  // Fills what is null in `extents`, which stand for `numbers`, in one submission.
  absl::Status ReadMissing(absl::Span<const uint32_t> numbers, CacheUse cache,
                           std::vector<std::shared_ptr<const Extent>>& extents) const;
  absl::StatusOr<std::shared_ptr<const Extent>> MakeExtent(uint32_t extent, RawBlock block) const;
  // Resets the answers of all `lookups` and finds their records, those of one lookup in a row; asks for
  // the index lines of all first. Pages of a paged index: `pages`, or those that are cached if it is
  // null; a lookup whose page is not there needs a read. How many lookups could be answered and are
  // for keys of this segment's size.
  uint64_t LocateAll(absl::Span<SegmentLookup* const> lookups,
                     const HashedSegmentIndex::Pages* pages, Candidates& candidates) const;
  // Considers all records of one lookup; kDamaged as soon as one is.
  Match ConsiderRun(absl::Span<const Candidate> run, SequenceNumber at_most) const;
  // Takes the record at `location` into `found` if it is one of `user_key`, at most `at_most`, and
  // newer than what is there.
  Match Consider(const Extent& extent, uint32_t location, absl::string_view user_key,
                 SequenceNumber at_most, std::optional<FoundEntry>& found) const;
  absl::Status NoRecordAt(uint32_t location) const;

  const uint32_t key_size_;
  const std::unique_ptr<const HashedSegmentIndex> index_;
  const absl::Span<const uint64_t> extent_offsets_;  // of index_
  const BlockSlots slots_;  // one an extent
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_SEGMENT_READER_H_
