#include "compaction/segment_sink.h"

#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {

SegmentSink::SegmentSink(FileSystem& file_system, SegmentSinkOptions options)
    : file_system_(file_system), options_(std::move(options)) {
  FIRN_CHECK(options_.allocate_number != nullptr && options_.draw_id != nullptr);
}

SegmentSink::~SegmentSink() = default;

absl::Status SegmentSink::Remember(absl::Status status) {
  if (!status.ok() && error_.ok()) error_ = status;
  return status;
}

absl::Status SegmentSink::StartSegment() {
  const FileNumber number = options_.allocate_number();
  created_.push_back(number);  // first: a failed creation may leave a file too
  FIRN_ASSIGN_OR_RETURN(
      writer_, SegmentWriter::Create(file_system_,
                                     JoinPath(options_.directory, SegmentFileName(number)),
                                     options_.segment, number, options_.draw_id()));
  return absl::OkStatus();
}

absl::Status SegmentSink::FinishSegment() {
  FIRN_ASSIGN_OR_RETURN(SegmentMeta meta, writer_->Finish());
  writer_.reset();
  finished_bytes_ += meta.size;
  segments_.push_back(std::make_shared<const SegmentMeta>(std::move(meta)));
  return absl::OkStatus();
}

absl::Status SegmentSink::Add(absl::string_view internal_key, absl::string_view value) {
  FIRN_RETURN_IF_ERROR(error_);
  const absl::string_view user_key = UserKeyOf(internal_key);
  const bool is_full = writer_ != nullptr &&
                       (writer_->EstimatedSize() >= options_.segment_size ||
                        writer_->entry_count() >= options_.segment_entries_max);
  if (is_full && user_key != last_user_key_) {
    FIRN_RETURN_IF_ERROR(Remember(FinishSegment()));
  }
  if (writer_ == nullptr) FIRN_RETURN_IF_ERROR(Remember(StartSegment()));
  last_user_key_.assign(user_key.data(), user_key.size());
  return Remember(writer_->Add(internal_key, value));
}

absl::StatusOr<std::vector<SegmentPtr>> SegmentSink::Finish() {
  FIRN_RETURN_IF_ERROR(error_);
  if (writer_ != nullptr) FIRN_RETURN_IF_ERROR(Remember(FinishSegment()));
  if (!created_.empty()) {
    FIRN_RETURN_IF_ERROR(Remember(file_system_.SyncDirectory(options_.directory)));
  }
  return segments_;
}

uint64_t SegmentSink::bytes_written() const {
  return finished_bytes_ + (writer_ == nullptr ? 0 : writer_->EstimatedSize());
}

}  // namespace firn
