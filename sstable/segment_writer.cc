#include "sstable/segment_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/compression.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// A batch is at most 64 MiB, so no entry of a store comes near this.
constexpr uint64_t kEntrySizeMax = kBlockSizeMax / 2;

absl::Status CheckOptions(const SegmentOptions& options) {
  if (options.layout != SegmentLayout::kOrdered) {
    return MakeError(absl::StatusCode::kUnimplemented, ErrorReason::kUnsupported,
                     absl::StrCat("segment layout ", SegmentLayoutName(options.layout),
                                  ": only ordered is built"));
  }
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
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, file_system.Create(path));
  return absl::WrapUnique(new SegmentWriter(file_system, std::move(file), options, number, id));
}

SegmentWriter::SegmentWriter(FileSystem& file_system, std::unique_ptr<WritableFile> file,
                             const SegmentOptions& options, FileNumber number, uint64_t id)
    : file_system_(file_system),
      file_(std::move(file)),
      path_(file_->path()),
      options_(options),
      id_(id),
      block_(options.restart_interval),
      filter_(std::max(options.filter_bits_per_key, uint32_t{1})) {
  properties_.number = number;
  properties_.keyspace = options.keyspace;
  properties_.block_size = options.block_size;
  properties_.restart_interval = options.restart_interval;
  properties_.filter_bits_per_key = options.filter_bits_per_key;
  properties_.created_ms = options.created_ms;
  properties_.origin = options.origin;
  properties_.sequence_min = kMaxSequenceNumber;
}

SegmentWriter::~SegmentWriter() = default;

absl::Status SegmentWriter::Add(absl::string_view internal_key, absl::string_view value) {
  FIRN_RETURN_IF_ERROR(error_);
  FIRN_CHECK(file_ != nullptr);  // neither finished nor abandoned
  error_ = AddChecked(internal_key, value);
  return error_;
}

absl::Status SegmentWriter::AddChecked(absl::string_view internal_key, absl::string_view value) {
  FIRN_RETURN_IF_ERROR(CheckOrder(internal_key));
  const uint64_t entry_size = BlockBuilder::EntrySizeMax(internal_key, value);
  if (internal_key.size() > kEntrySizeMax || value.size() > kEntrySizeMax ||
      entry_size > kEntrySizeMax) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
        absl::StrCat(path_, ": an entry of ", entry_size, " bytes is over ", kEntrySizeMax));
  }
  if (!block_.empty() && block_.EstimatedSize() + entry_size > options_.block_size) {
    FIRN_RETURN_IF_ERROR(FinishDataBlock());
  }
  if (index_entry_is_owed_) {
    FIRN_RETURN_IF_ERROR(AddToIndex(ShortestSeparator(last_key_, internal_key)));
  }
  block_.Add(internal_key, value);
  CountEntry(internal_key, value);
  last_key_.assign(internal_key.data(), internal_key.size());
  return absl::OkStatus();
}

absl::Status SegmentWriter::CheckOrder(absl::string_view internal_key) const {
  if (!DecodeInternalKey(internal_key).has_value()) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     absl::StrCat(path_, ": entry ", entry_count(), " has no internal key"));
  }
  if (entry_count() > 0 && CompareInternalKeys(last_key_, internal_key) >= 0) {
    return MakeError(
        absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
        absl::StrCat(path_, ": entry ", entry_count(), " is not above the entry before it"));
  }
  return absl::OkStatus();
}

void SegmentWriter::CountEntry(absl::string_view internal_key, absl::string_view value) {
  const absl::string_view user_key = UserKeyOf(internal_key);
  const SequenceNumber sequence = SequenceOf(internal_key);
  if (properties_.entry_count == 0) {
    properties_.smallest = std::string(internal_key);
    ++properties_.user_key_count;
  } else if (UserKeyOf(last_key_) != user_key) {
    ++properties_.user_key_count;
  }
  ++properties_.entry_count;
  if (KindOf(internal_key) == EntryKind::kTombstone) ++properties_.tombstone_count;
  properties_.raw_key_size += internal_key.size();
  properties_.raw_value_size += value.size();
  properties_.sequence_min = std::min(properties_.sequence_min, sequence);
  properties_.sequence_max = std::max(properties_.sequence_max, sequence);
  if (options_.filter_bits_per_key > 0) filter_.Add(user_key);
}

absl::Status SegmentWriter::AddToIndex(absl::string_view separator) {
  index_.Add(separator, pending_handle_);
  index_entry_is_owed_ = false;
  if (index_.EstimatedSize() <= kBlockSizeMax) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kTooLarge,
                   absl::StrCat(path_, ": the index is over ", kBlockSizeMax, " bytes"));
}

absl::Status SegmentWriter::FinishDataBlock() {
  FIRN_CHECK(!index_entry_is_owed_);
  FIRN_ASSIGN_OR_RETURN(pending_handle_, AppendBlock(block_.Finish(), BlockKind::kData));
  block_.Reset();
  index_entry_is_owed_ = true;
  ++properties_.data_block_count;
  properties_.data_size = offset_;
  return absl::OkStatus();
}

absl::StatusOr<BlockHandle> SegmentWriter::AppendBlock(ByteSpan raw, BlockKind kind) {
  if (raw.size() > kBlockSizeMax) {
    return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kTooLarge,
                     absl::StrCat(path_, ": a ", BlockKindName(kind), " block of ", raw.size(),
                                  " bytes is over ", kBlockSizeMax));
  }
  ByteSpan stored = raw;
  BlockTrailer trailer{.kind = kind, .raw_size = static_cast<uint32_t>(raw.size())};
  if (kind == BlockKind::kData && options_.compression != CompressionKind::kNone &&
      raw.size() >= options_.compression_threshold && raw.size() <= kMaxUncompressedSize) {
    Compress(options_.compression, raw, compressed_);
    if (compressed_.size() <= raw.size() - raw.size() / 8) {  // else not worth its time
      stored = AsBytes(compressed_);
      trailer.compression = options_.compression;
    }
  }
  const BlockHandle handle{.offset = offset_, .size = stored.size()};
  std::string trailer_bytes;  // 12 bytes: no allocation
  AppendBlockTrailer(trailer_bytes, trailer, stored, {id_, offset_});
  FIRN_RETURN_IF_ERROR(AppendToFile(stored));
  FIRN_RETURN_IF_ERROR(AppendToFile(AsBytes(trailer_bytes)));
  return handle;
}

absl::Status SegmentWriter::AppendToFile(ByteSpan bytes) {
  offset_ += bytes.size();
  if (buffer_.size() + bytes.size() < options_.write_buffer_size) {
    buffer_.append(AsText(bytes).data(), bytes.size());
    return absl::OkStatus();
  }
  // Large values go past the buffer.
  FIRN_RETURN_IF_ERROR(
      file_->Write(offset_ - bytes.size() - buffer_.size(), {AsBytes(buffer_), bytes}));
  buffer_.clear();
  return absl::OkStatus();
}

absl::StatusOr<SegmentMeta> SegmentWriter::Finish() {
  FIRN_RETURN_IF_ERROR(error_);
  FIRN_CHECK(file_ != nullptr);
  error_ = FinishFile();
  FIRN_RETURN_IF_ERROR(error_);
  return SegmentMeta{.number = properties_.number,
                     .id = id_,
                     .size = offset_,
                     .entry_count = properties_.entry_count,
                     .smallest = properties_.smallest,
                     .largest = properties_.largest,
                     .sequence_min = properties_.sequence_min,
                     .sequence_max = properties_.sequence_max};
}

absl::Status SegmentWriter::FinishFile() {
  if (entry_count() == 0) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kInvalidArgument,
                     absl::StrCat(path_, ": a segment without entries"));
  }
  FIRN_RETURN_IF_ERROR(FinishDataBlock());
  FIRN_RETURN_IF_ERROR(AddToIndex(ShortestSuccessor(last_key_)));
  properties_.largest = last_key_;

  SegmentFooter footer{.id = id_, .layout = options_.layout};
  if (options_.filter_bits_per_key > 0) {
    const std::string filter = filter_.Finish();
    FIRN_ASSIGN_OR_RETURN(footer.filter, AppendBlock(AsBytes(filter), BlockKind::kFilter));
  }
  FIRN_ASSIGN_OR_RETURN(footer.index, AppendBlock(index_.Finish(), BlockKind::kIndex));
  const std::string properties = EncodeSegmentProperties(properties_);
  FIRN_ASSIGN_OR_RETURN(footer.properties,
                        AppendBlock(AsBytes(properties), BlockKind::kProperties));
  footer.file_size = offset_ + kSegmentFooterSize;
  const std::string footer_bytes = EncodeSegmentFooter(footer);
  FIRN_RETURN_IF_ERROR(AppendToFile(AsBytes(footer_bytes)));
  FIRN_RETURN_IF_ERROR(file_->WriteAndSync(offset_ - buffer_.size(), {AsBytes(buffer_)}));
  buffer_.clear();
  const std::unique_ptr<WritableFile> file = std::move(file_);
  return file->Close();
}

absl::Status SegmentWriter::Abandon() {
  absl::Status closed;
  if (file_ != nullptr) {
    const std::unique_ptr<WritableFile> file = std::move(file_);
    closed = file->Close();
  }
  error_ = MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kClosed,
                     absl::StrCat(path_, ": the segment was abandoned"));
  FIRN_RETURN_IF_ERROR(file_system_.RemoveFile(path_));
  return closed;
}

}  // namespace firn
