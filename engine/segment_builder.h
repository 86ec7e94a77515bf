// engine/segment_builder.h: what stands behind firn::SegmentBuilder.
//
// Every record of the file says sequence number 0: the number is given when the file is ingested
// (sstable/ingested_segment_reader.h). File number and keyspace id are 0 too, and a store's own
// segments have none of the three, so one is never taken for the other.
#ifndef FIRN_ENGINE_SEGMENT_BUILDER_H_
#define FIRN_ENGINE_SEGMENT_BUILDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/entry_rules.h"
#include "firn/ingest.h"
#include "firn/options.h"
#include "io/file_system.h"
#include "sstable/internal_key.h"
#include "sstable/segment_writer.h"

namespace firn {

SegmentLayout SegmentLayoutOf(KeyspaceLayout layout);
// How segments of a keyspace are written; without the facts for people.
SegmentOptions SegmentOptionsFor(const KeyspaceOptions& options);

class SegmentBuilder::Impl {
 public:
  // `owned` may be null: then `file_system` outlives the builder. `id` is fresh and random.
  static absl::StatusOr<std::unique_ptr<SegmentBuilder>> Create(
      FileSystem& file_system, std::unique_ptr<FileSystem> owned, absl::string_view path,
      const KeyspaceOptions& options, uint64_t id, uint64_t now_ms);
  ~Impl();

  absl::Status Add(EntryKind kind, absl::string_view key, absl::string_view value);
  uint64_t EstimatedSize() const;
  absl::StatusOr<SegmentFileInfo> Finish();

 private:
  Impl(FileSystem& file_system, std::unique_ptr<FileSystem> owned, absl::string_view path,
       const KeyspaceOptions& options, std::unique_ptr<SegmentWriter> writer);

  const std::unique_ptr<FileSystem> owned_;
  FileSystem& file_system_;
  const std::string path_;
  const EntryRules rules_;
  const bool ascending_;  // keys must ascend
  std::unique_ptr<SegmentWriter> writer_;  // null once it is finished
  std::string key_;                        // internal, of the entry before
};

}  // namespace firn

#endif  // FIRN_ENGINE_SEGMENT_BUILDER_H_
