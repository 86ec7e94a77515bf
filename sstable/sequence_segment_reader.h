// sstable/sequence_segment_reader.h: the reader of the sequence layout.
//
// Open() reads footer, properties and index, holds them against what the manifest says (SegmentMeta),
// and keeps the index in memory: 20 bytes a block. A lookup computes its block and its place in it; no
// filter is asked, for nothing but the keys themselves could be as sure.
#ifndef FIRN_SSTABLE_SEQUENCE_SEGMENT_READER_H_
#define FIRN_SSTABLE_SEQUENCE_SEGMENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/block_cache.h"
#include "sstable/internal_iterator.h"
#include "sstable/raw_block.h"
#include "sstable/segment_format.h"
#include "sstable/segment_frame.h"
#include "sstable/segment_reader.h"
#include "sstable/sequence_block.h"
#include "sstable/sequence_index.h"

namespace firn {

class SequenceSegmentReader final : public SegmentReader {
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
  std::unique_ptr<InternalIterator> NewIterator(
      const SegmentReadOptions& options = {}) const override;
  SegmentReport Verify() const override;
  size_t memory_usage() const override { return index_.memory_usage() + slots_.memory_usage(); }
  uint64_t ApproximateSize(absl::string_view begin, absl::string_view limit) const override;
  std::vector<SegmentBlock> Blocks() const override;
  absl::StatusOr<size_t> VisitBlock(
      const BlockHandle& handle,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override;

  const SequenceIndex& index() const { return index_; }

 private:
  friend class SequenceSegmentIterator;
  friend class SequenceSegmentVerifier;
  using ReadOutcomes = std::vector<absl::StatusOr<std::shared_ptr<const SequenceBlock>>>;

  SequenceSegmentReader(SegmentSource source, SegmentProperties properties, SequenceIndex index);

  // Where `user_key` would be. None: it is no key of a sequence, or outside the segment.
  struct Target {
    uint64_t key = 0;
    size_t block = 0;
  };
  std::optional<Target> Locate(absl::string_view user_key) const;
  // The entry of `key` in `block`, if it is there and not too new.
  static std::optional<FoundEntry> FindInBlock(const SequenceBlock& block, uint64_t key,
                                               SequenceNumber at_most);
  std::shared_ptr<const SequenceBlock> FindCached(size_t block) const;
  absl::StatusOr<std::shared_ptr<const SequenceBlock>> ReadBlock(size_t block) const;
  // Several, in one submission, each with its own outcome. Past the cache.
  ReadOutcomes ReadBlocks(absl::Span<const size_t> blocks) const;
  void CountReads(size_t blocks, uint64_t bytes) const;
  // A block is what the index says of it, or DataLoss: a search that believes one and meets the other
  // would give wrong answers, or never end.
  absl::Status CheckAgainstIndex(size_t block, const SequenceRecords& records) const;
  absl::Status AnnotateBlockError(const absl::Status& status, size_t block) const;

  const SequenceIndex index_;
  const uint64_t first_key_;
  const uint64_t last_key_;
  const BlockSlots slots_;
};

// The index of a segment whose frame was read, held against its properties.
absl::StatusOr<SequenceIndex> ReadSequenceIndex(const SegmentFrame& frame, absl::string_view path);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_SEGMENT_READER_H_
