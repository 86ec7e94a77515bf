// sstable/segment_output.h: the file of a segment in the making, whatever its layout: blocks with
// their trailers through one buffer, so that writes are large; then properties and footer, and one
// sync.
#ifndef FIRN_SSTABLE_SEGMENT_OUTPUT_H_
#define FIRN_SSTABLE_SEGMENT_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/compression.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/segment_format.h"
#include "sstable/segment_properties.h"

namespace firn {

// One thread at a time. An error is not remembered here: the writer that owns this does.
class SegmentOutput {
 public:
  struct Options {
    CompressionKind compression = CompressionKind::kLz4;  // of data blocks
    CompressionEffort effort;
    size_t compression_threshold = 1024;  // bytes; smaller blocks are stored as they are
    size_t write_buffer_size = size_t{512} << 10;
  };

  static absl::StatusOr<std::unique_ptr<SegmentOutput>> Create(FileSystem& file_system,
                                                               absl::string_view path,
                                                               const Options& options, uint64_t id);

  // Appends `raw` as a block. A data block is compressed if that is wanted and saves an eighth.
  absl::StatusOr<BlockHandle> AppendBlock(ByteSpan raw, BlockKind kind);
  // Appends a block whose stored bytes and facts are known: one of another segment, copied.
  absl::StatusOr<BlockHandle> AppendStored(ByteSpan stored, const BlockTrailer& trailer);
  // Appends the properties and the footer, which gets their handle and the file's size; syncs and
  // closes the file. The footer as it was written.
  absl::StatusOr<SegmentFooter> Finish(SegmentFooter footer, const SegmentProperties& properties);
  // Closes and removes the file. Not after Finish().
  absl::Status Abandon();

  bool open() const { return file_ != nullptr; }
  uint64_t offset() const { return offset_; }  // bytes appended so far, buffer included
  uint64_t id() const { return id_; }
  const std::string& path() const { return path_; }

 private:
  SegmentOutput(FileSystem& file_system, std::unique_ptr<WritableFile> file, const Options& options,
                uint64_t id);

  absl::Status AppendToFile(ByteSpan bytes);  // through the buffer

  FileSystem& file_system_;
  std::unique_ptr<WritableFile> file_;  // null once closed
  const std::string path_;
  const Options options_;
  const uint64_t id_;
  std::string buffer_;      // not yet written
  std::string compressed_;  // reused
  uint64_t offset_ = 0;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_OUTPUT_H_
