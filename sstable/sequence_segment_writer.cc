#include "sstable/sequence_segment_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

// A batch is at most 64 MiB, so no entry of a store comes near this.
constexpr uint64_t kValueSizeMax = kBlockSizeMax / 2;
// Of a record beside its value, where keys and sequence numbers are dense and values short.
constexpr size_t kRecordOverhead = 2;

}  // namespace

absl::Status SequenceSegmentWriter::AddEntry(absl::string_view internal_key,
                                             absl::string_view value) {
  if (internal_key.size() != kSequenceKeySize + kInternalKeySuffixSize) {
    return RefuseEntry(absl::StrCat("has an internal key of ", internal_key.size(),
                                    " bytes instead of ",
                                    kSequenceKeySize + kInternalKeySuffixSize));
  }
  const uint64_t key = LoadBigEndian64(reinterpret_cast<const uint8_t*>(internal_key.data()));
  if (KindOf(internal_key) != EntryKind::kPut) return RefuseEntry("is no put");
  if (entry_count() > 0 && key <= last_key_) return RefuseEntry("is not above the entry before it");
  if (value.size() > kValueSizeMax) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                     absl::StrCat(path(), ": a value of ", value.size(), " bytes is over ",
                                  kValueSizeMax));
  }
  if (entry_count() == 0) properties_.smallest.assign(internal_key.data(), internal_key.size());
  if (!block_.empty() &&
      block_.EstimatedSize() + value.size() + kRecordOverhead > options_.block_size) {
    FIRN_RETURN_IF_ERROR(FinishBlock());
  }
  if (block_.empty()) block_first_key_ = key;
  block_.Add(key, SequenceOf(internal_key), value);
  last_key_ = key;
  last_suffix_ = SuffixOf(internal_key);
  CountEntry(internal_key, value);
  return absl::OkStatus();
}

absl::Status SequenceSegmentWriter::FinishBlock() {
  FIRN_ASSIGN_OR_RETURN(const BlockHandle handle,
                        output_->AppendBlock(block_.Finish(), BlockKind::kData));
  index_.Add(block_first_key_, block_.record_count(), handle.size);
  block_.Reset();
  ++properties_.data_block_count;
  properties_.data_size = output_->offset();
  return absl::OkStatus();
}

absl::StatusOr<SegmentFooter> SequenceSegmentWriter::FinishData() {
  FIRN_RETURN_IF_ERROR(FinishBlock());
  properties_.user_key_count = entry_count();
  properties_.largest.resize(kSequenceKeySize + kInternalKeySuffixSize);
  StoreSequenceKey(properties_.largest.data(), last_key_);
  StoreFixed64(reinterpret_cast<uint8_t*>(properties_.largest.data()) + kSequenceKeySize,
               last_suffix_);
  SegmentFooter footer{.layout = SegmentLayout::kSequence};
  const std::string index = index_.Finish();
  FIRN_ASSIGN_OR_RETURN(footer.index, output_->AppendBlock(AsBytes(index), BlockKind::kIndex));
  return footer;
}

}  // namespace firn
