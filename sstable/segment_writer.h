// sstable/segment_writer.h: sorted entries in, a finished and synced segment out.
//
// Blocks are cut at `block_size` bytes and go to the file through one buffer, so writes are large.
// Memory: the buffer, one block, and 8 bytes a user key for the filter, and the index.
#ifndef FIRN_SSTABLE_SEGMENT_WRITER_H_
#define FIRN_SSTABLE_SEGMENT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/block_builder.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/segment_format.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_properties.h"

namespace firn {

struct SegmentOptions {
  SegmentLayout layout = SegmentLayout::kOrdered;  // the others: Unimplemented
  size_t block_size = 4096;                        // bytes before compression, [64, 16 MiB]
  uint32_t restart_interval = 16;                  // entries, [1, 1024]
  uint32_t filter_bits_per_key = 10;               // [0, 32]; 0: no filter
  CompressionKind compression = CompressionKind::kLz4;
  size_t compression_threshold = 1024;           // bytes; smaller blocks are stored as they are
  size_t write_buffer_size = size_t{512} << 10;  // bytes gathered before a write
  // Facts for the properties, for people and for `dump`.
  KeyspaceId keyspace;
  uint64_t created_ms = 0;
  std::string origin;  // "flush", "compaction"
};

// One thread at a time. After an error every call but Abandon() returns it.
class SegmentWriter {
 public:
  // Creates the file. `id` is fresh and random: it seeds the checksums and is the cache's key.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(FileSystem& file_system,
                                                               absl::string_view path,
                                                               const SegmentOptions& options,
                                                               FileNumber number, uint64_t id);
  // Without Finish() or Abandon() before: the file stays, unfinished.
  ~SegmentWriter();

  // Keys ascend strictly (sstable/internal_key.h), else DataLoss: the entries may come from a disk.
  // The views need not outlive the call.
  absl::Status Add(absl::string_view internal_key, absl::string_view value);

  // Writes filter, index, properties and footer; syncs and closes the file. Its name is durable
  // once the caller has synced the folder. FailedPrecondition if nothing was added.
  absl::StatusOr<SegmentMeta> Finish();

  // Closes and removes the file. May follow an error. Not after Finish().
  absl::Status Abandon();

  uint64_t entry_count() const { return properties_.entry_count; }
  // Bytes of the file if it were finished now, without filter and index: what a sink cuts by.
  uint64_t EstimatedSize() const { return offset_ + block_.EstimatedSize(); }

 private:
  SegmentWriter(FileSystem& file_system, std::unique_ptr<WritableFile> file,
                const SegmentOptions& options, FileNumber number, uint64_t id);

  absl::Status AddChecked(absl::string_view internal_key, absl::string_view value);
  absl::Status CheckOrder(absl::string_view internal_key) const;
  void CountEntry(absl::string_view internal_key, absl::string_view value);
  absl::Status AddToIndex(absl::string_view separator);
  absl::Status FinishDataBlock();
  absl::Status FinishFile();
  // Appends `raw` as a block, compressed if that is wanted and pays.
  absl::StatusOr<BlockHandle> AppendBlock(ByteSpan raw, BlockKind kind);
  absl::Status AppendToFile(ByteSpan bytes);  // through the buffer

  FileSystem& file_system_;
  std::unique_ptr<WritableFile> file_;  // null once closed
  const std::string path_;
  const SegmentOptions options_;
  const uint64_t id_;
  BlockBuilder block_;
  IndexBuilder index_;
  FilterBuilder filter_;
  SegmentProperties properties_;
  std::string last_key_;
  BlockHandle pending_handle_;        // of the last finished block, whose index entry is owed: its
  bool index_entry_is_owed_ = false;  // separator wants the key that comes next
  std::string buffer_;                // not yet written
  std::string compressed_;            // reused
  uint64_t offset_ = 0;               // bytes appended so far, buffer included
  absl::Status error_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_WRITER_H_
