#include "engine/segment_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "compaction/layout_work.h"
#include "engine/file_names.h"
#include "firn/option_names.h"
#include "firn/write_batch.h"
#include "wal/log_files.h"

namespace firn {
namespace {

CompressionKind ToKind(Compression codec) {
  switch (codec) {
    case Compression::kLz4:
    case Compression::kLz4Hc:
      return CompressionKind::kLz4;
    case Compression::kZstd:
      return CompressionKind::kZstd;
    case Compression::kNone:
      break;
  }
  return CompressionKind::kNone;
}

CompressionEffort ToEffort(const CompressionChoice& choice) {
  return {.search = choice.codec == Compression::kLz4Hc ? CompressionEffort::Search::kHigh
                                                        : CompressionEffort::Search::kFast,
          .level = choice.level};
}

}  // namespace

SegmentLayout SegmentLayoutOf(KeyspaceLayout layout) {
  switch (layout) {
    case KeyspaceLayout::kOrdered:
      return SegmentLayout::kOrdered;
    case KeyspaceLayout::kHashed:
      return SegmentLayout::kHashed;
    case KeyspaceLayout::kSequence:
      return SegmentLayout::kSequence;
  }
  FIRN_CHECK(false);  // CheckKeyspaceOptions() refuses others
}

SegmentOptions SegmentOptionsFor(const KeyspaceOptions& options) {
  SegmentOptions segment;
  segment.layout = SegmentLayoutOf(options.layout);
  segment.key_width = options.key_width;
  segment.block_size =
      std::max<size_t>(options.block_size, WorkFor(segment.layout).block_size_min);
  segment.filter_bits_per_key = options.filter_bits_per_key;
  segment.compression = ToKind(options.compression);
  segment.compression_effort = ToEffort({options.compression, options.compression_level});
  segment.compression_threshold = options.compression_threshold;
  return segment;
}

absl::StatusOr<std::unique_ptr<SegmentBuilder>> SegmentBuilder::Impl::Create(
    FileSystem& file_system, std::unique_ptr<FileSystem> owned, absl::string_view path,
    const KeyspaceOptions& options, uint64_t id, uint64_t now_ms) {
  FIRN_RETURN_IF_ERROR(CheckKeyspaceOptions(options));
  SegmentOptions segment = SegmentOptionsFor(options);
  segment.created_ms = now_ms;
  segment.origin = "builder";
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<SegmentWriter> writer,
                        SegmentWriter::Create(file_system, path, segment, FileNumber{0}, id));
  return std::make_unique<SegmentBuilder>(std::unique_ptr<Impl>(
      new Impl(file_system, std::move(owned), path, options, std::move(writer))));
}

SegmentBuilder::Impl::Impl(FileSystem& file_system, std::unique_ptr<FileSystem> owned,
                           absl::string_view path, const KeyspaceOptions& options,
                           std::unique_ptr<SegmentWriter> writer)
    : owned_(std::move(owned)),
      file_system_(file_system),
      path_(path),
      rules_(RulesFor(options)),
      ascending_(options.layout != KeyspaceLayout::kHashed),
      writer_(std::move(writer)) {}

SegmentBuilder::Impl::~Impl() {
  // What cannot be removed is an unfinished file, which no store takes in.
  if (writer_ != nullptr) static_cast<void>(writer_->Abandon());
}

absl::Status SegmentBuilder::Impl::Add(EntryKind kind, absl::string_view key,
                                       absl::string_view value) {
  if (writer_ == nullptr) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kClosed,
                     absl::StrCat(path_, ": the segment is finished"));
  }
  FIRN_RETURN_IF_ERROR(rules_.Check(kind, key, path_));
  if (key.size() > kKeySizeMax || value.size() > kValueSizeMax) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                     absl::StrCat(path_, ": a key of ", key.size(), " or a value of ", value.size(),
                                  " bytes; at most ", kKeySizeMax, " and ", kValueSizeMax));
  }
  if (ascending_ && !key_.empty() && key <= UserKeyOf(key_)) {
    return InvalidArgument(absl::StrCat(path_, ": entry ", writer_->entry_count(), ": key ",
                                        absl::BytesToHexString(key),
                                        " (in hex) is not above the one before it, ",
                                        absl::BytesToHexString(UserKeyOf(key_))));
  }
  key_.clear();
  AppendInternalKey(key_, {key, SequenceNumber{0}, kind});
  return writer_->Add(key_, value);
}

uint64_t SegmentBuilder::Impl::EstimatedSize() const {
  return writer_ == nullptr ? 0 : writer_->EstimatedSize();
}

absl::StatusOr<SegmentFileInfo> SegmentBuilder::Impl::Finish() {
  if (writer_ == nullptr) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kClosed,
                     absl::StrCat(path_, ": the segment is finished"));
  }
  FIRN_ASSIGN_OR_RETURN(const SegmentMeta meta, writer_->Finish());
  writer_ = nullptr;
  FIRN_RETURN_IF_ERROR(file_system_.SyncDirectory(DirectoryOf(path_)));
  return SegmentFileInfo{.path = path_,
                         .bytes = meta.size,
                         .entries = meta.entry_count,
                         .removes = meta.tombstone_count,
                         .smallest = std::string(UserKeyOf(meta.smallest)),
                         .largest = std::string(UserKeyOf(meta.largest))};
}

// --- firn/ingest.h

absl::StatusOr<std::unique_ptr<SegmentBuilder>> SegmentBuilder::Create(
    absl::string_view path, const KeyspaceOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> file_system, NewDiskFileSystem(nullptr));
  FileSystem& disk = *file_system;
  return Impl::Create(disk, std::move(file_system), path, options, RandomSalt(),
                      SystemClock().NowMilliseconds());
}

SegmentBuilder::SegmentBuilder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SegmentBuilder::~SegmentBuilder() = default;
absl::Status SegmentBuilder::Put(absl::string_view key, absl::string_view value) {
  return impl_->Add(EntryKind::kPut, key, value);
}
absl::Status SegmentBuilder::Remove(absl::string_view key) {
  return impl_->Add(EntryKind::kTombstone, key, "");
}
uint64_t SegmentBuilder::EstimatedSize() const { return impl_->EstimatedSize(); }
absl::StatusOr<SegmentFileInfo> SegmentBuilder::Finish() { return impl_->Finish(); }

}  // namespace firn
