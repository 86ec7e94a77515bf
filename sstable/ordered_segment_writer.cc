#include "sstable/ordered_segment_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// A batch is at most 64 MiB, so no entry of a store comes near this.
constexpr uint64_t kEntrySizeMax = kBlockSizeMax / 2;

}  // namespace

OrderedSegmentWriter::OrderedSegmentWriter(std::unique_ptr<SegmentOutput> output,
                                           const SegmentOptions& options, FileNumber number)
    : SegmentWriter(std::move(output), options, number),
      block_(options.restart_interval),
      filter_(std::max(options.filter_bits_per_key, uint32_t{1})) {
  properties_.restart_interval = options.restart_interval;
  properties_.filter_bits_per_key = options.filter_bits_per_key;
}

absl::Status OrderedSegmentWriter::AddEntry(absl::string_view internal_key,
                                            absl::string_view value) {
  FIRN_RETURN_IF_ERROR(CheckOrder(internal_key));
  const uint64_t entry_size = BlockBuilder::EntrySizeMax(internal_key, value);
  if (internal_key.size() > kEntrySizeMax || value.size() > kEntrySizeMax ||
      entry_size > kEntrySizeMax) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
        absl::StrCat(path(), ": an entry of ", entry_size, " bytes is over ", kEntrySizeMax));
  }
  if (!block_.empty() && block_.EstimatedSize() + entry_size > options_.block_size) {
    FIRN_RETURN_IF_ERROR(FinishDataBlock());
  }
  if (index_entry_is_owed_) {
    FIRN_RETURN_IF_ERROR(AddToIndex(ShortestSeparator(last_key_, internal_key)));
  }
  block_.Add(internal_key, value);
  CountKey(internal_key);
  CountEntry(internal_key, value);
  last_key_.assign(internal_key.data(), internal_key.size());
  return absl::OkStatus();
}

absl::Status OrderedSegmentWriter::CheckOrder(absl::string_view internal_key) const {
  if (!DecodeInternalKey(internal_key).has_value()) return RefuseEntry("has no internal key");
  if (entry_count() > 0 && CompareInternalKeys(last_key_, internal_key) >= 0) {
    return RefuseEntry("is not above the entry before it");
  }
  return absl::OkStatus();
}

void OrderedSegmentWriter::CountKey(absl::string_view internal_key) {
  const absl::string_view user_key = UserKeyOf(internal_key);
  if (properties_.entry_count == 0) {
    properties_.smallest = std::string(internal_key);
    ++properties_.user_key_count;
  } else if (UserKeyOf(last_key_) != user_key) {
    ++properties_.user_key_count;
  }
  if (options_.filter_bits_per_key > 0) filter_.Add(user_key);
}

absl::Status OrderedSegmentWriter::AddToIndex(absl::string_view separator) {
  index_.Add(separator, pending_handle_);
  index_entry_is_owed_ = false;
  if (index_.EstimatedSize() <= kBlockSizeMax) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kTooLarge,
                   absl::StrCat(path(), ": the index is over ", kBlockSizeMax, " bytes"));
}

absl::Status OrderedSegmentWriter::FinishDataBlock() {
  FIRN_CHECK(!index_entry_is_owed_);
  FIRN_ASSIGN_OR_RETURN(pending_handle_, output_->AppendBlock(block_.Finish(), BlockKind::kData));
  block_.Reset();
  index_entry_is_owed_ = true;
  ++properties_.data_block_count;
  properties_.data_size = output_->offset();
  return absl::OkStatus();
}

absl::StatusOr<SegmentFooter> OrderedSegmentWriter::FinishData() {
  FIRN_RETURN_IF_ERROR(FinishDataBlock());
  FIRN_RETURN_IF_ERROR(AddToIndex(ShortestSuccessor(last_key_)));
  properties_.largest = last_key_;

  SegmentFooter footer{.layout = SegmentLayout::kOrdered};
  if (options_.filter_bits_per_key > 0) {
    const std::string filter = filter_.Finish();
    FIRN_ASSIGN_OR_RETURN(footer.filter, output_->AppendBlock(AsBytes(filter), BlockKind::kFilter));
  }
  FIRN_ASSIGN_OR_RETURN(footer.index, output_->AppendBlock(index_.Finish(), BlockKind::kIndex));
  return footer;
}

}  // namespace firn
