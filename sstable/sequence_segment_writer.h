// sstable/sequence_segment_writer.h: ascending 8-byte keys in, a segment of the sequence layout out.
//
// Blocks are cut at `block_size` bytes, or hold one record that is larger. Memory: the output's
// buffer, one block, a few bytes of index for each.
#ifndef FIRN_SSTABLE_SEQUENCE_SEGMENT_WRITER_H_
#define FIRN_SSTABLE_SEQUENCE_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sstable/segment_output.h"
#include "sstable/segment_writer.h"
#include "sstable/sequence_block.h"
#include "sstable/sequence_index.h"

namespace firn {

// See SegmentWriter::Create(), which makes it.
class SequenceSegmentWriter final : public SegmentWriter {
 public:
  SequenceSegmentWriter(std::unique_ptr<SegmentOutput> output, const SegmentOptions& options,
                        FileNumber number)
      : SegmentWriter(std::move(output), options, number) {}

  uint64_t EstimatedSize() const override {
    return output_->offset() + (block_.empty() ? 0 : block_.EstimatedSize());
  }

 private:
  absl::Status AddEntry(absl::string_view internal_key, absl::string_view value) override;
  absl::StatusOr<SegmentFooter> FinishData() override;
  absl::Status FinishBlock();

  SequenceBlockBuilder block_;
  SequenceIndexBuilder index_;
  uint64_t block_first_key_ = 0;
  uint64_t last_key_ = 0;        // of the entries so far
  uint64_t last_suffix_ = 0;     // its sequence number and kind
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_SEGMENT_WRITER_H_
