// firn/ingest.h: bulk load: segment files made outside of a store, and taken in whole.
//
// A load of many gigabytes through Write() is logged, sorted in memory and merged several times. One
// that is sorted already (or needs no order: KeyspaceLayout::kHashed) can be written as segments at
// the speed of the disk, by any process, also while no store is open, and then be ingested: an edit
// of the manifest, whatever their size.
//
// Example:
//     auto builder = firn::SegmentBuilder::Create("/data/load/0001.seg", options).value();
//     for (const auto& [key, value] : sorted) absl::Status put = builder->Put(key, value);
//     firn::SegmentFileInfo file = builder->Finish().value();
//     database->IngestSegments(notes, {file.path}, {.mode = firn::IngestMode::kMove});
#ifndef FIRN_INGEST_H_
#define FIRN_INGEST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/options.h"

namespace firn {

// A file that SegmentBuilder finished.
struct SegmentFileInfo {
  std::string path;
  uint64_t bytes = 0;
  uint64_t entries = 0;  // removes among them
  uint64_t removes = 0;
  std::string smallest;  // keys
  std::string largest;
};

// Writes one segment file. One thread at a time. Needs no database.
// Memory: a block and the filter (or index) of the file: about filter_bits_per_key bits a key; kHashed
// 12 bytes a key.
class SegmentBuilder {
 public:
  // Creates the file `path` (AlreadyExists if it is there) for a keyspace with these options: layout,
  // key_width, block_size and filter_bits_per_key must be the keyspace's when the file is ingested.
  // Compression may differ. InvalidArgument/kInvalidOption for options that no keyspace has.
  static absl::StatusOr<std::unique_ptr<SegmentBuilder>> Create(absl::string_view path,
                                                                const KeyspaceOptions& options);
  // Without Finish() before: the unfinished file is removed.
  ~SegmentBuilder();
  SegmentBuilder(const SegmentBuilder&) = delete;
  SegmentBuilder& operator=(const SegmentBuilder&) = delete;

  // kOrdered, kSequence: keys ascend (as unsigned bytes), none stands twice: InvalidArgument otherwise,
  // and the builder goes on as if it had not been called. kHashed: any order; a key that stands twice
  // is found by IngestSegments(). Views need not outlive the call.
  // Errors: InvalidArgument (order, size of the key, a remove in kSequence, kTooLarge), I/O (sticks).
  absl::Status Put(absl::string_view key, absl::string_view value);
  // The key will be absent, whatever the keyspace held before.
  absl::Status Remove(absl::string_view key);

  // Bytes of the file if it were finished now, without filter and index: to cut a load into files.
  // 64 MiB to some GiB each do well.
  uint64_t EstimatedSize() const;

  // Completes the file and makes it durable. The last call. FailedPrecondition if nothing was added.
  absl::StatusOr<SegmentFileInfo> Finish();

  // For the engine.
  class Impl;
  explicit SegmentBuilder(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

// How a file comes into the store's folder. It keeps its content: the store never writes to it.
enum class IngestMode : uint8_t {
  kCopy = 1,  // read and written once more; the original stays
  kLink = 2,  // a second name (hard link) for the same bytes: at once, on the store's file system alone.
              // Whoever changes the original then damages the store
  kMove = 3,  // as kLink, and the original name is removed once the load is durable
};

struct IngestOptions {
  IngestMode mode = IngestMode::kCopy;
};

// What Database::IngestSegments() did.
struct IngestReport {
  uint64_t segments = 0;
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t first_sequence = 0;  // of the first file; each file has one number more
  uint64_t last_sequence = 0;
};

}  // namespace firn

#endif  // FIRN_INGEST_H_
