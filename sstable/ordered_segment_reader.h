// sstable/ordered_segment_reader.h: the reader of the ordered layout.
//
// Open() reads footer, properties, index and filter, holds them against what the manifest says
// (SegmentMeta), and keeps index and filter in memory. Data blocks come through the block cache.
#ifndef FIRN_SSTABLE_ORDERED_SEGMENT_READER_H_
#define FIRN_SSTABLE_ORDERED_SEGMENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/block.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"
#include "sstable/ordered_segment_tail.h"
#include "sstable/raw_block.h"
#include "sstable/segment_format.h"
#include "sstable/segment_reader.h"

namespace firn {

class OrderedSegmentReader final : public SegmentReader {
 public:
  // Errors: DataLoss (damaged, or not the expected segment), I/O.
  static absl::StatusOr<std::shared_ptr<const SegmentReader>> Open(SegmentSource source);

  // Reads one block at most.
  absl::StatusOr<std::optional<FoundEntry>> Get(absl::string_view user_key,
                                                SequenceNumber at_most) const override;
  bool GetCached(absl::string_view user_key, SequenceNumber at_most,
                 std::optional<FoundEntry>& found) const override;
  absl::Status GetMany(absl::Span<SegmentLookup* const> lookups,
                       SequenceNumber at_most) const override;
  bool AddMissing(absl::string_view user_key, SequenceNumber at_most,
                  BlockBatch& batch) const override;
  BlockHandle HandleOf(size_t ordinal) const override { return index_.handle(ordinal); }
  absl::StatusOr<std::shared_ptr<const BlockContent>> TakeBlock(size_t ordinal, ByteSpan stored,
                                                                BlockMemory memory) const override;
  std::unique_ptr<InternalIterator> NewIterator(
      const SegmentReadOptions& options = {}) const override;
  SegmentReport Verify() const override;
  size_t memory_usage() const override {
    return index_.memory_usage() + filter_.memory_usage() + slots_.memory_usage();
  }
  uint64_t ApproximateSize(absl::string_view begin, absl::string_view limit) const override;
  std::vector<SegmentBlock> Blocks() const override;
  absl::StatusOr<size_t> VisitBlock(
      const BlockHandle& handle,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override;

  // The data block at a position of the index, verified. Uses and fills the cache.
  absl::StatusOr<std::shared_ptr<const Block>> ReadDataBlock(size_t position) const;
  // Several, in one submission, each with its own outcome. Past the cache.
  std::vector<absl::StatusOr<std::shared_ptr<const Block>>> ReadDataBlocks(
      absl::Span<const BlockHandle> handles) const;

 private:
  friend class OrderedSegmentIterator;
  friend class OrderedSegmentVerifier;

  OrderedSegmentReader(SegmentSource source, OrderedSegmentTail tail);

  // By position in the index.
  std::shared_ptr<const Block> FindCached(size_t position) const;
  bool FilterMayContain(absl::string_view user_key) const;
  // The entry of `target` in `block`, the one at `handle`.
  absl::StatusOr<std::optional<FoundEntry>> FindInBlock(const LookupKey& target,
                                                        std::shared_ptr<const Block> block,
                                                        const BlockHandle& handle) const;
  // An error that a BlockIterator found, with the file and the block's offset.
  absl::Status AnnotateBlockError(const absl::Status& status, const BlockHandle& handle) const;
  absl::StatusOr<std::shared_ptr<const Block>> MakeBlock(RawBlock raw,
                                                         const BlockHandle& handle) const;

  const Index index_;
  const Filter filter_;
  const BlockSlots slots_;  // one an index position
};

}  // namespace firn

#endif  // FIRN_SSTABLE_ORDERED_SEGMENT_READER_H_
