// engine/recovery.h: from a folder to the parts of a database. Everything is read before anything is
// written or deleted, and running it twice gives the same, wherever it was interrupted.
//
//   OpenFolder()      lock; FIRN; the chain of logs; CURRENT and the manifest, not shorter than the
//                     logs say; a new store is made here
//   CheckSegments()   every segment that the manifest names is there, with its size and id
//   ReplayLogs()      batches into memtables, oldest first, without what is in segments already and
//                     what belongs to dropped keyspaces; where the newest log ends
//   -- from here on it writes --
//   (the database syncs what was replayed, starts a manifest and a log)
//   RemoveOrphans()   files that nothing names
//
// A new store is made in this order: LOCK, FIRN, a manifest, CURRENT, wal/. So a folder with FIRN and
// without CURRENT and wal/ is a creation that was interrupted, and is begun again.
#ifndef FIRN_ENGINE_RECOVERY_H_
#define FIRN_ENGINE_RECOVERY_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/executor.h"
#include "base/types.h"
#include "engine/active_log.h"
#include "engine/keyspace.h"
#include "engine/store_file.h"
#include "engine/store_state.h"
#include "firn/options.h"
#include "io/file_system.h"
#include "wal/log_files.h"

namespace firn {

struct OpenedFolder {
  std::unique_ptr<DirectoryLock> lock;
  StoreFile store;
  StoreState state;              // empty if the store is new
  FileNumber manifest{0};        // in force; 0: a new store has none yet
  FileNumber greatest_file{0};   // of all numbered files seen, whether in use or not
  std::unique_ptr<LogFiles> logs;
  std::vector<FoundLog> chain;   // oldest first
};

struct FolderParts {
  FileSystem& file_system;
  Executor& executor;
  std::string directory;
  std::function<uint64_t()> new_random;
};

absl::StatusOr<OpenedFolder> OpenFolder(const FolderParts& parts, const Options& options);

// kMissingFile or DataLoss naming the file. Opens each segment once.
absl::Status CheckSegments(const KeyspaceTable& keyspaces);

struct ReplayedLogs {
  SequenceNumber last_sequence;   // of all that the logs hold or say
  std::deque<SealedLog> sealed;   // every log found
  PreviousLog previous;           // the newest of them and where it ends
  uint64_t batches = 0;
  uint64_t bytes = 0;
};

// A memtable that reaches `memtable_size` becomes immutable.
absl::StatusOr<ReplayedLogs> ReplayLogs(FileSystem& file_system, const OpenedFolder& folder,
                                        const KeyspaceTable& keyspaces, size_t memtable_size);

// Removes manifests but `manifest`, temporary files, segments that `state` does not name, and the
// folders of keyspaces that it does not name if they hold nothing else. Returns their names.
absl::StatusOr<std::vector<std::string>> RemoveOrphans(FileSystem& file_system,
                                                       absl::string_view directory,
                                                       const StoreState& state,
                                                       FileNumber manifest);

}  // namespace firn

#endif  // FIRN_ENGINE_RECOVERY_H_
