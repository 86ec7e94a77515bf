#include "sstable/segment_output.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace firn {

absl::StatusOr<std::unique_ptr<SegmentOutput>> SegmentOutput::Create(FileSystem& file_system,
                                                                     absl::string_view path,
                                                                     const Options& options,
                                                                     uint64_t id) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, file_system.Create(path));
  return absl::WrapUnique(new SegmentOutput(file_system, std::move(file), options, id));
}

SegmentOutput::SegmentOutput(FileSystem& file_system, std::unique_ptr<WritableFile> file,
                             const Options& options, uint64_t id)
    : file_system_(file_system),
      file_(std::move(file)),
      path_(file_->path()),
      options_(options),
      id_(id) {}

absl::StatusOr<BlockHandle> SegmentOutput::AppendBlock(ByteSpan raw, BlockKind kind) {
  if (raw.size() > kBlockSizeMax) {
    return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kTooLarge,
                     absl::StrCat(path_, ": a ", BlockKindName(kind), " block of ", raw.size(),
                                  " bytes is over ", kBlockSizeMax));
  }
  ByteSpan stored = raw;
  BlockTrailer trailer{.kind = kind, .raw_size = static_cast<uint32_t>(raw.size())};
  if (kind == BlockKind::kData && options_.compression != CompressionKind::kNone &&
      raw.size() >= options_.compression_threshold && raw.size() <= kMaxUncompressedSize) {
    Compress(options_.compression, raw, compressed_, options_.effort);
    if (compressed_.size() <= raw.size() - raw.size() / 8) {  // else not worth its time
      stored = AsBytes(compressed_);
      trailer.compression = options_.compression;
    }
  }
  return AppendStored(stored, trailer);
}

absl::StatusOr<BlockHandle> SegmentOutput::AppendStored(ByteSpan stored,
                                                        const BlockTrailer& trailer) {
  const BlockHandle handle{.offset = offset_, .size = stored.size()};
  std::string trailer_bytes;  // 12 bytes: no allocation
  AppendBlockTrailer(trailer_bytes, trailer, stored, {id_, offset_});
  FIRN_RETURN_IF_ERROR(AppendToFile(stored));
  FIRN_RETURN_IF_ERROR(AppendToFile(AsBytes(trailer_bytes)));
  return handle;
}

absl::Status SegmentOutput::AppendToFile(ByteSpan bytes) {
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

absl::StatusOr<SegmentFooter> SegmentOutput::Finish(SegmentFooter footer,
                                                    const SegmentProperties& properties) {
  FIRN_CHECK(file_ != nullptr);
  footer.id = id_;
  const std::string properties_bytes = EncodeSegmentProperties(properties);
  FIRN_ASSIGN_OR_RETURN(footer.properties,
                        AppendBlock(AsBytes(properties_bytes), BlockKind::kProperties));
  footer.file_size = offset_ + kSegmentFooterSize;
  const std::string footer_bytes = EncodeSegmentFooter(footer);
  FIRN_RETURN_IF_ERROR(AppendToFile(AsBytes(footer_bytes)));
  FIRN_RETURN_IF_ERROR(file_->WriteAndSync(offset_ - buffer_.size(), {AsBytes(buffer_)}));
  buffer_.clear();
  const std::unique_ptr<WritableFile> file = std::move(file_);
  FIRN_RETURN_IF_ERROR(file->Close());
  return footer;
}

absl::Status SegmentOutput::Abandon() {
  absl::Status closed;
  if (file_ != nullptr) {
    const std::unique_ptr<WritableFile> file = std::move(file_);
    closed = file->Close();
  }
  FIRN_RETURN_IF_ERROR(file_system_.RemoveFile(path_));
  return closed;
}

}  // namespace firn
