// engine/version_set.h: the one state of the store's metadata, and how it changes: an edit is applied
// to the state, appended to the manifest, synced, and only then published.
//
// Invariants:
//   1. An edit is synced before the state that it makes is published (Commit()).
//   2. Edits are committed one at a time, in the order of the manifest.
//   3. File numbers come from one counter and are never used again: every edit records it, and
//      recovery raises it above every file in the folder.
//   4. After a failed append nothing more is committed: the error sticks. A shortage before an append
//      began is no failure.
#ifndef FIRN_ENGINE_VERSION_SET_H_
#define FIRN_ENGINE_VERSION_SET_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/types.h"
#include "engine/manifest.h"
#include "engine/store_state.h"
#include "engine/turn.h"
#include "engine/version_edit.h"
#include "io/file_system.h"
#include "wal/record_format.h"

namespace firn {

// Whether an error says that something is short that may be there again later: room on the disk, file
// handles, memory. What failed so was not tried.
bool IsShortage(const absl::Status& status);

// Thread-safe. No lock is held across I/O.
class VersionSet {
 public:
  // `state` as recovered (or empty, for a new store). Nothing can be committed before StartManifest().
  VersionSet(FileSystem& file_system, absl::string_view directory, StoreState state,
             std::function<uint64_t()> new_salt);

  // Makes a new manifest of the present state, switches CURRENT to it and removes the one before.
  absl::Status StartManifest() ABSL_LOCKS_EXCLUDED(mutex_);

  FileNumber NewFileNumber() { return FileNumber{next_file_.fetch_add(1)}; }
  // The counter passes `number`, which was seen in the folder.
  void RaiseFileNumber(FileNumber number);

  // Commits the edit that `make` makes of the present state: completes it with the counters and
  // `last_sequence`, persists it, publishes the new state, and calls `publish` with it; no other edit
  // comes in between, and no lock is held in either call.
  // Errors: that of `make` or ResourceExhausted/kDiskFull (nothing happened), or the sticky error.
  absl::Status Commit(absl::FunctionRef<absl::StatusOr<VersionEdit>(const StoreState&)> make,
                          SequenceNumber last_sequence,
                          absl::FunctionRef<void(const StoreState&)> publish)
      ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<const StoreState> state() const ABSL_LOCKS_EXCLUDED(mutex_);
  ManifestPosition manifest_position() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Both, between two edits: an edit is in the manifest before it is in the state, so either read
  // alone may be ahead of the other. Waits for an edit in progress.
  struct Point {
    ManifestPosition manifest;
    std::shared_ptr<const StoreState> state;
  };
  Point point() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status error() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes the manifest's closing record. The last call.
  absl::Status Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // In this caller's turn:
  absl::Status Roll(const StoreState& state);
  bool WantsRoll() const;
  // Keeps an error that is not a shortage before anything was written.
  absl::Status Stick(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status CommitInTurn(
      absl::FunctionRef<absl::StatusOr<VersionEdit>(const StoreState&)> make,
      SequenceNumber last_sequence, absl::FunctionRef<void(const StoreState&)> publish)
      ABSL_LOCKS_EXCLUDED(mutex_);

  FileSystem& file_system_;
  const std::string directory_;
  const std::function<uint64_t()> new_salt_;
  std::atomic<uint64_t> next_file_;

  // Belongs to whoever has the turn; the accessors of Manifest are thread-safe, its pointer is
  // copied under mutex_.
  std::shared_ptr<Manifest> writing_;
  bool must_roll_ = false;

  Turn turn_;
  mutable Mutex mutex_;
  std::shared_ptr<const StoreState> state_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Manifest> manifest_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_ENGINE_VERSION_SET_H_
