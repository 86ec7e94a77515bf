#include "sstable/segment_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/hashed_segment_writer.h"
#include "sstable/internal_key.h"
#include "sstable/ordered_segment_writer.h"
#include "sstable/sequence_segment_writer.h"

namespace firn {
namespace {

absl::Status CheckOptions(const SegmentOptions& options) {
  if (options.block_size < 64 || options.block_size > size_t{16} << 20) {
    return InvalidOption("block_size", absl::StrCat(options.block_size, " is not in [64, 16 MiB]"));
  }
  if (options.restart_interval < 1 || options.restart_interval > 1024) {
    return InvalidOption("restart_interval",
                         absl::StrCat(options.restart_interval, " is not in [1, 1024]"));
  }
  if (options.filter_bits_per_key > 32) {
    return InvalidOption("filter_bits_per_key",
                         absl::StrCat(options.filter_bits_per_key, " is not in [0, 32]"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(FileSystem& file_system,
                                                                     absl::string_view path,
                                                                     const SegmentOptions& options,
                                                                     FileNumber number,
                                                                     uint64_t id) {
  FIRN_RETURN_IF_ERROR(CheckOptions(options));
  if (options.layout == SegmentLayout::kHashed) {
    FIRN_RETURN_IF_ERROR(HashedSegmentWriter::CheckOptions(options));
  }
  FIRN_ASSIGN_OR_RETURN(
      std::unique_ptr<SegmentOutput> output,
      SegmentOutput::Create(file_system, path,
                            {.compression = options.compression,
                             .effort = options.compression_effort,
                             .compression_threshold = options.compression_threshold,
                             .write_buffer_size = options.write_buffer_size},
                            id));
  switch (options.layout) {
    case SegmentLayout::kOrdered:
      return std::make_unique<OrderedSegmentWriter>(std::move(output), options, number);
    case SegmentLayout::kHashed:
      return std::make_unique<HashedSegmentWriter>(std::move(output), options, number);
    case SegmentLayout::kSequence:
      return std::make_unique<SequenceSegmentWriter>(std::move(output), options, number);
  }
  FIRN_CHECK(false);  // no other layout has a name
}

SegmentWriter::SegmentWriter(std::unique_ptr<SegmentOutput> output, const SegmentOptions& options,
                             FileNumber number)
    : options_(options), output_(std::move(output)) {
  properties_.number = number;
  properties_.keyspace = options.keyspace;
  properties_.block_size = options.block_size;
  properties_.created_ms = options.created_ms;
  properties_.origin = options.origin;
  properties_.sequence_min = kMaxSequenceNumber;
}

absl::Status SegmentWriter::Add(absl::string_view internal_key, absl::string_view value) {
  return AddBy([&] { return AddEntry(internal_key, value); });
}

absl::Status SegmentWriter::RefuseEntry(absl::string_view why) const {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat(path(), ": entry ", entry_count(), " ", why));
}

void SegmentWriter::CountEntry(absl::string_view internal_key, absl::string_view value) {
  const SequenceNumber sequence = SequenceOf(internal_key);
  ++properties_.entry_count;
  if (KindOf(internal_key) == EntryKind::kTombstone) ++properties_.tombstone_count;
  properties_.raw_key_size += internal_key.size();
  properties_.raw_value_size += value.size();
  properties_.sequence_min = std::min(properties_.sequence_min, sequence);
  properties_.sequence_max = std::max(properties_.sequence_max, sequence);
}

absl::StatusOr<SegmentMeta> SegmentWriter::Finish() {
  FIRN_RETURN_IF_ERROR(error_);
  FIRN_CHECK(output_->open());
  const auto finish = [this]() -> absl::StatusOr<SegmentFooter> {
    if (entry_count() == 0) {
      return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kInvalidArgument,
                       absl::StrCat(path(), ": a segment without entries"));
    }
    FIRN_ASSIGN_OR_RETURN(const SegmentFooter footer, FinishData());
    return output_->Finish(footer, properties_);
  };
  const absl::StatusOr<SegmentFooter> footer = finish();
  error_ = footer.status();
  FIRN_RETURN_IF_ERROR(error_);
  return SegmentMeta{.number = properties_.number,
                     .id = footer->id,
                     .size = footer->file_size,
                     .entry_count = properties_.entry_count,
                     .smallest = properties_.smallest,
                     .largest = properties_.largest,
                     .sequence_min = properties_.sequence_min,
                     .sequence_max = properties_.sequence_max,
                     .data_block_count = properties_.data_block_count,
                     .tombstone_count = properties_.tombstone_count,
                     .raw_size = properties_.raw_key_size + properties_.raw_value_size};
}

absl::Status SegmentWriter::Abandon() {
  error_ = MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kClosed,
                     absl::StrCat(path(), ": the segment was abandoned"));
  return output_->Abandon();
}

}  // namespace firn
