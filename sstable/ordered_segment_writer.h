// sstable/ordered_segment_writer.h: sorted entries in, a segment of the ordered layout out.
//
// Blocks are cut at `block_size` bytes. Memory: the output's buffer, one block, 8 bytes a user key
// for the filter, and the index.
#ifndef FIRN_SSTABLE_ORDERED_SEGMENT_WRITER_H_
#define FIRN_SSTABLE_ORDERED_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "sstable/block_builder.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/segment_format.h"
#include "sstable/segment_output.h"
#include "sstable/segment_writer.h"

namespace firn {

// See SegmentWriter::Create(), which makes it.
class OrderedSegmentWriter final : public SegmentWriter {
 public:
  OrderedSegmentWriter(std::unique_ptr<SegmentOutput> output, const SegmentOptions& options,
                       FileNumber number);

  uint64_t EstimatedSize() const override { return output_->offset() + block_.EstimatedSize(); }

 private:
  absl::Status AddEntry(absl::string_view internal_key, absl::string_view value) override;
  absl::StatusOr<SegmentFooter> FinishData() override;

  absl::Status CheckOrder(absl::string_view internal_key) const;
  void CountKey(absl::string_view internal_key);
  absl::Status AddToIndex(absl::string_view separator);
  absl::Status FinishDataBlock();

  BlockBuilder block_;
  IndexBuilder index_;
  FilterBuilder filter_;
  std::string last_key_;
  BlockHandle pending_handle_;        // of the last finished block, whose index entry is owed: its
  bool index_entry_is_owed_ = false;  // separator wants the key that comes next
};

}  // namespace firn

#endif  // FIRN_SSTABLE_ORDERED_SEGMENT_WRITER_H_
