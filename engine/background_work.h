// engine/background_work.h: decides after each change what the background has to do, runs it, and
// installs the results.
//
// Of each keyspace at most one flush is under way, and compactions that do not meet. A flush takes the
// oldest immutable memtable; a compaction takes what the layout's picker chooses beside those that
// run, or a range that a client asked for, which runs alone.
// Invariants:
//   1. Before an edit that adds entries up to s is committed, the log is durable through s.
//   2. A segment becomes obsolete only when the edit that removes it is synced.
// Errors: a full disk (kDiskFull) stops the background until ResumeIfRoom() sees room; writes return
// it meanwhile. So does a want of file handles or memory, but writes go on until they would have to
// wait. A merge without room on the disk waits for it alone, and one that a client asked for only tells
// the client. Whatever fails so again and again is tried less and less often, once a second at last.
// Any other error sticks, in the commit queue too: no later write is acknowledged.
// Files of a job whose edit was never tried are removed; those of one whose edit failed stay until
// the next open, since it may be durable.
#ifndef FIRN_ENGINE_BACKGROUND_WORK_H_
#define FIRN_ENGINE_BACKGROUND_WORK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/types.h"
#include "compaction/ingest_placement.h"
#include "compaction/job.h"
#include "compaction/picker.h"
#include "compaction/scheduler.h"
#include "engine/active_log.h"
#include "engine/keyspace.h"
#include "engine/obsolete_files.h"
#include "engine/snapshot_registry.h"
#include "engine/space_watch.h"
#include "engine/statistics.h"
#include "engine/version_set.h"
#include "engine/write_throttle.h"
#include "firn/options.h"
#include "io/file_system.h"

namespace firn {

// What the background works on. Everything outlives it.
struct BackgroundParts {
  FileSystem& file_system;
  Executor& executor;
  Clock& clock;
  const Options& options;
  std::string directory;
  VersionSet& versions;
  ActiveLog& log;
  ObsoleteFiles& obsolete;
  ReadContext& reading;
  EngineCounters& counters;
  std::function<uint64_t()> new_random;
  std::function<std::shared_ptr<const KeyspaceTable>()> keyspaces;
  std::function<void(const absl::Status&)> poison;  // makes every later write fail
  LogSink say;                                      // never null
  SpaceWatch& space;
};

// Thread-safe. Nothing here may be called by a background task but what says so.
class BackgroundWork {
 public:
  explicit BackgroundWork(BackgroundParts parts);
  ~BackgroundWork();  // Stop() was called

  // Schedules whatever is due in `keyspace`. Cheap when nothing is.
  void Schedule(const std::shared_ptr<KeyspaceImpl>& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  void ScheduleAll() ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until no memtable of `keyspace` with a floor at or below `floor` waits for its flush.
  absl::Status AwaitFlush(const std::shared_ptr<KeyspaceImpl>& keyspace, SequenceNumber floor)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Merges what meets [begin, limit) down to the last level, on this thread.
  absl::Status CompactRange(const std::shared_ptr<KeyspaceImpl>& keyspace,
                            const UserKeyRange& range) ABSL_LOCKS_EXCLUDED(mutex_);
  // Sequence layout: drops the segments whose keys are all below `bound`, and keeps the bound.
  absl::Status DropBelow(const std::shared_ptr<KeyspaceImpl>& keyspace, uint64_t bound)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Between the two calls no merge of the keyspace begins: so segments from outside can be placed beside
  // what those that run will write, which is returned. Do not wait for a merge in between.
  struct Placing {
    bool everything = false;  // of a client's compaction nothing more is known
    std::vector<BusyRange> busy;
  };
  Placing BeginPlacing(const KeyspaceImpl& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndPlacing(const std::shared_ptr<KeyspaceImpl>& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  PickerOptions ForPicker(const KeyspaceImpl& keyspace) const;
  // Once in each Options::compaction_interval_s: what is on level 0 is merged, however little it is.
  void Tick() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until nothing is due.
  absl::Status AwaitIdle() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for some change, once. False: nothing is under way that could change anything.
  bool AwaitChange() ABSL_LOCKS_EXCLUDED(mutex_);

  // The sticky error, or the full disk, or what else is short, or OK.
  absl::Status error() const ABSL_LOCKS_EXCLUDED(mutex_);
  // After a shortage: goes on if it is time and there is room now. A full disk, if there is not; OK if
  // nothing is wrong or something else than room was short. Merges that wait for room go on too, if
  // there is some, and hold up nobody.
  absl::Status ResumeIfRoom() ABSL_LOCKS_EXCLUDED(mutex_);
  // Why merges wait, if they wait for room.
  absl::Status merge_space_error() const ABSL_LOCKS_EXCLUDED(mutex_);

  // What the worst keyspace owes, and all together.
  WriteDebt Debt() const;
  // Says so when writers begin to be slowed, begin to wait, or are free again. The leader of the
  // commit queue's.
  void NoteThrottle(ThrottleDecision::Kind kind, const WriteDebt& debt);
  // Bytes in memtables of all keyspaces.
  uint64_t UnflushedBytes() const;
  // Retires the logs that no memtable needs any more.
  absl::Status RetireLogs();
  // The same in the background: for a writer, whom two syncs of the folder would keep waiting.
  void ScheduleRetireLogs() ABSL_LOCKS_EXCLUDED(mutex_);

  // Begins nothing more, cuts merges short and waits for what runs. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Running {
    bool flush = false;
    bool range = false;  // a client's compaction: nothing beside it
    size_t turns_awaited = 0;  // clients that wait for their turn: nothing new begins before it
    size_t placings = 0;       // BeginPlacing() without EndPlacing(): nothing begins
    bool queued = false;  // a task that will pick
    bool timed = false;   // the timer asks for a merge of what is on level 0
    bool too_large = false;  // a merge was: none begins by itself until the next open
    std::vector<const Compaction*> compactions;
  };

  void RunFlushes(const std::shared_ptr<KeyspaceImpl>& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status FlushOldest(KeyspaceImpl& keyspace);
  void RunCompactions(const std::shared_ptr<KeyspaceImpl>& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  enum class Cause : uint8_t { kSize = 1, kTimer = 2, kManual = 3 };
  absl::Status Compact(KeyspaceImpl& keyspace, const Levels& levels, const Compaction& compaction,
                       Cause cause);
  void CountCompaction(Cause cause);
  // What is due by size; if nothing is and the timer asks, what is on level 0.
  Compaction PickDue(const KeyspaceImpl& keyspace, const Levels& levels, Running& running,
                     Cause& cause) const;
  // Waits until no compaction of the keyspace runs, and lets none begin until EndTurn().
  absl::Status BeginTurn(KeyspaceImpl& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndTurn(const std::shared_ptr<KeyspaceImpl>& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status DropBelowInTurn(KeyspaceImpl& keyspace, uint64_t bound);
  absl::Status CompactRangeInTurn(KeyspaceImpl& keyspace, const UserKeyRange& range);
  absl::Status InstallJob(KeyspaceImpl& keyspace, const JobResult& result,
                          const ImmutableMemtable* flushed);
  JobContext ContextFor(KeyspaceImpl& keyspace, absl::string_view origin);
  // The same, but a single segment of level 0 is enough.
  PickerOptions ForTimer(const KeyspaceImpl& keyspace) const;
  bool CompactionIsDue(const KeyspaceImpl& keyspace, const Running& running) const;
  void RemoveCreated(KeyspaceImpl& keyspace, const JobResult& result);
  void CollectObsolete();
  // Takes in what a job said. True: go on.
  bool Judge(const absl::Status& status, const KeyspaceImpl& keyspace, absl::string_view what)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteRetireFailed(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  bool MayRun() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !stopping_ && error_.ok() && shortage_.ok();
  }
  // Keeps it, and says when to try again.
  void NoteShortage(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Says when to try merges again, should they wait for room.
  void NoteMergeFailed() ABSL_LOCKS_EXCLUDED(mutex_);
  void TaskEnded() ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the disk has room for a merge's output.
  absl::Status CheckMergeRoom(const Compaction& compaction);
  // No merge begins by itself until there is so much room.
  void NoteMergeRoom(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void ResumeMergesIfRoom() ABSL_LOCKS_EXCLUDED(mutex_);

  const BackgroundParts parts_;
  Scheduler scheduler_;
  std::atomic<bool> cancelled_{false};
  uint64_t timed_at_us_;  // monotonic: the last timed merge; the ticker's
  ThrottleLog throttle_log_;  // the leader's

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  size_t tasks_ ABSL_GUARDED_BY(mutex_) = 0;  // scheduled or running
  absl::flat_hash_map<KeyspaceId, Running> running_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  absl::Status shortage_ ABSL_GUARDED_BY(mutex_);
  uint64_t shortages_in_row_ ABSL_GUARDED_BY(mutex_) = 0;  // since a job last succeeded
  uint64_t retry_at_us_ ABSL_GUARDED_BY(mutex_) = 0;       // monotonic
  absl::Status merge_space_error_ ABSL_GUARDED_BY(mutex_);
  uint64_t merge_room_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes that the merge that waits asks for
  uint64_t merges_failed_in_row_ ABSL_GUARDED_BY(mutex_) = 0;  // for want of room, though it was seen
  uint64_t merge_retry_at_us_ ABSL_GUARDED_BY(mutex_) = 0;     // monotonic
};

}  // namespace firn

#endif  // FIRN_ENGINE_BACKGROUND_WORK_H_
