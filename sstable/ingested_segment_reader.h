// sstable/ingested_segment_reader.h: a segment whose file came from outside of the store: every record
// in it says number 0, and has the number that the manifest gave to all of them when it was ingested.
//
// It stands before the reader of the file's layout and changes numbers on their way: of lookups
// (below the number nothing is here), of what they find, and of an iterator's keys and targets.
// Segments that the store wrote itself have no such reader and pay nothing.
// Invariant: no user key stands twice in the file (checked when it was ingested), so the order of
// internal keys is the same with either number.
#ifndef FIRN_SSTABLE_INGESTED_SEGMENT_READER_H_
#define FIRN_SSTABLE_INGESTED_SEGMENT_READER_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/segment_reader.h"

namespace firn {

class IngestedSegmentReader final : public SegmentReader {
 public:
  // `stored` was opened with AsStored(meta).
  IngestedSegmentReader(std::shared_ptr<const SegmentReader> stored, SegmentMeta meta);

  absl::StatusOr<std::optional<FoundEntry>> Get(absl::string_view user_key,
                                                SequenceNumber at_most) const override;
  bool GetCached(absl::string_view user_key, SequenceNumber at_most,
                 std::optional<FoundEntry>& found) const override;
  void GetManyCached(absl::Span<SegmentLookup* const> lookups,
                     SequenceNumber at_most) const override;
  // The blocks are those of the stored reader.
  bool AddMissing(absl::string_view user_key, SequenceNumber at_most,
                  BlockBatch& batch) const override;
  absl::Status GetMany(absl::Span<SegmentLookup* const> lookups,
                       SequenceNumber at_most) const override;
  std::unique_ptr<InternalIterator> NewIterator(
      const SegmentReadOptions& options = {}) const override;
  SegmentReport Verify() const override { return stored_->Verify(); }
  size_t memory_usage() const override { return stored_->memory_usage(); }
  uint64_t ApproximateSize(absl::string_view begin, absl::string_view limit) const override {
    return stored_->ApproximateSize(begin, limit);
  }
  std::vector<SegmentBlock> Blocks() const override { return stored_->Blocks(); }
  // With the numbers of the file.
  absl::StatusOr<size_t> VisitBlock(
      const BlockHandle& handle,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override {
    return stored_->VisitBlock(handle, visit);
  }
  std::shared_ptr<const SegmentReader> AsStored() const override { return stored_; }

 private:
  void SetSequence(std::optional<FoundEntry>& found) const {
    if (found.has_value()) found->sequence = meta_.ingested_at;
  }

  const std::shared_ptr<const SegmentReader> stored_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_INGESTED_SEGMENT_READER_H_
