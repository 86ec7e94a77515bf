// sstable/segment_writer.h: entries in, a finished and synced segment out, whatever its layout.
// Create() is the one place that knows which layouts there are.
#ifndef FIRN_SSTABLE_SEGMENT_WRITER_H_
#define FIRN_SSTABLE_SEGMENT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/compression.h"
#include "base/check.h"
#include "base/status.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/segment_format.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_output.h"
#include "sstable/segment_properties.h"

namespace firn {

struct SegmentOptions {
  SegmentLayout layout = SegmentLayout::kOrdered;
  size_t block_size = 4096;            // bytes before compression, [64, 16 MiB]
  uint32_t restart_interval = 16;      // ordered: entries, [1, 1024]
  uint32_t filter_bits_per_key = 10;   // [0, 32]; 0: no filter. Sequence: not used
  uint32_t key_width = 0;              // hashed: bytes of every user key, [8, 64]
  CompressionKind compression = CompressionKind::kLz4;
  CompressionEffort compression_effort;
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
  virtual ~SegmentWriter() = default;

  // An entry the layout cannot take is DataLoss: the entries may come from a disk. The views need
  // not outlive the call.
  //   ordered   internal keys ascend strictly (sstable/internal_key.h)
  //   hashed    any order, which becomes that of the file; no internal key twice; user keys of
  //             `key_width` bytes
  //   sequence  8-byte user keys, ascending strictly; puts alone
  absl::Status Add(absl::string_view internal_key, absl::string_view value);

  // Writes filter, index, properties and footer; syncs and closes the file. Its name is durable
  // once the caller has synced the folder. FailedPrecondition if nothing was added.
  absl::StatusOr<SegmentMeta> Finish();

  // Closes and removes the file. May follow an error. Not after Finish().
  absl::Status Abandon();

  uint64_t entry_count() const { return properties_.entry_count; }
  // Bytes of the file if it were finished now, without filter and index: what a sink cuts by.
  virtual uint64_t EstimatedSize() const = 0;

 protected:
  // `output` is a file that was just created.
  SegmentWriter(std::unique_ptr<SegmentOutput> output, const SegmentOptions& options,
                FileNumber number);

  const std::string& path() const { return output_->path(); }

  // Runs `add`, whose error sticks. None after an error.
  template <typename Add>
  absl::Status AddBy(Add add) {
    FIRN_RETURN_IF_ERROR(error_);
    FIRN_CHECK(output_->open());  // neither finished nor abandoned
    error_ = add();
    return error_;
  }

  // Checks, counts and takes in one entry.
  virtual absl::Status AddEntry(absl::string_view internal_key, absl::string_view value) = 0;
  // Appends what is left of the data, then filter and index; completes properties_. The footer with
  // what it says of these. At least one entry was added.
  virtual absl::StatusOr<SegmentFooter> FinishData() = 0;
  // DataLoss: "PATH: entry N WHY".
  absl::Status RefuseEntry(absl::string_view why) const;
  // Counts entry, sizes, kinds and sequence numbers into properties_; not keys, blocks and key range.
  void CountEntry(absl::string_view internal_key, absl::string_view value);

  const SegmentOptions options_;
  const std::unique_ptr<SegmentOutput> output_;
  SegmentProperties properties_;

 private:
  absl::Status error_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_WRITER_H_
