// engine/ingest.h: takes segment files from outside into a keyspace, all or none.
//
//   Inspect      every file is opened, held against the keyspace, and read to its end
//   BringIn      copied or linked into the keyspace's folder under fresh numbers, and synced there
//   -- alone in the commit queue, with a number for each file --
//   Flush        memtables that they overlap: what is in memory would stand above them
//   Commit       one edit of the manifest: segments with their numbers, each as deep as possible
//   Install      the new version, with a fresh memtable; transactions are told; the numbers visible
//
// Until the edit nothing names the new files: after a crash the next open removes them. With the
// edit durable the load is, and everything written before: the log is synced first, so that no crash
// keeps the load and loses an earlier write.
#ifndef FIRN_ENGINE_INGEST_H_
#define FIRN_ENGINE_INGEST_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/active_log.h"
#include "engine/background_work.h"
#include "engine/commit_queue.h"
#include "engine/conflict_check.h"
#include "engine/keyspace.h"
#include "engine/space_watch.h"
#include "engine/version_set.h"
#include "engine/write_path.h"
#include "firn/ingest.h"
#include "firn/options.h"
#include "io/file_system.h"

namespace firn {

// What an ingest works on. Everything outlives it.
struct IngestParts {
  FileSystem& file_system;
  VersionSet& versions;
  ActiveLog& log;
  BackgroundWork& background;
  CommitQueue& queue;
  WritePath& write_path;
  ConflictCheck& conflicts;
  ReadContext& reading;
  SpaceWatch& space;
  LogSink say;  // never null
  // Flushes a keyspace's memtables, and waits.
  std::function<absl::Status(const std::shared_ptr<KeyspaceImpl>&)> flush;
};

class Ingest {
 public:
  Ingest(IngestParts parts, std::shared_ptr<KeyspaceImpl> keyspace, IngestMode mode);

  // Once. As Database::IngestSegments(). Files of an edit that was not tried are removed; those of one
  // that failed stay until the next open, since it may be durable.
  absl::StatusOr<IngestReport> Run(absl::Span<const std::string> paths);

 private:
  struct File {
    std::string path;    // the caller's
    SegmentMeta stored;  // as the file says, but with its number in this store
    SegmentMeta ingested;
  };

  absl::Status Inspect(const std::string& path);
  // Refuses what is no file of a SegmentBuilder for this keyspace.
  absl::Status CheckFacts(const std::string& path, const SegmentReader& reader) const;
  absl::Status CheckContent(const std::string& path, const SegmentReader& reader) const;
  absl::Status CheckTogether() const;
  absl::Status CheckRoom();
  absl::Status BringIn();
  absl::Status Copy(const std::string& from, const std::string& to);
  void RemoveCreated();
  // --- alone in the commit queue
  absl::Status TakeIn(SequenceNumber first);
  absl::Status CheckAscending() const;
  bool NeedsFlush() const;
  absl::StatusOr<VersionEdit> MakeEdit(const StoreState& state,
                                       const BackgroundWork::Placing& placing);
  void Publish(const StoreState& state, SequenceNumber first);
  // --- after it
  void RemoveOriginals();
  absl::Status Refuse(absl::string_view path, absl::string_view why) const;

  const IngestParts parts_;
  const std::shared_ptr<KeyspaceImpl> keyspace_;
  const IngestMode mode_;
  std::vector<File> files_;
  std::vector<std::string> created_;
  bool was_tried_ = false;  // the edit
};

}  // namespace firn

#endif  // FIRN_ENGINE_INGEST_H_
