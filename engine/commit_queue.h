// engine/commit_queue.h: group commit by leaders and followers (DESIGN sections 3 and 12).
//
// Every writer puts its request in line. Whoever is at the front when a flush slot is free leads: it
// takes what waits (1 MiB at most), makes room, gives out consecutive sequence numbers, writes one
// log record for all and syncs if any member asked; then, in order of groups, the entries are applied
// and the last number is published. No timer, no log thread. What the steps do is the CommitTarget's;
// who does them when is commit_line.h's; waiting is done here: a follower that asked for no sync
// looks for some microseconds without giving the processor away; then it yields for 150-400 us (a
// round takes the longer the more of them wait), where the next runnable thread is mostly a writer with
// work, which yield_gate.h finds out; and only then sleeps. Those that sleep are woken without the lock,
// which they do not take either.
//
//     leader, one at a time:   Prepare -> [MakeRoom, alone] -> Validate -> Reserve (numbers, place in the log)
//     several groups at once:  WriteLog
//     in order of groups:      Settle -> Apply each member -> Publish
//
// Validate may take members out of the group (transactions that lost against an earlier write): they
// get no number, and return what it said when the group is over; not earlier, since a retry would
// mostly read what was before this very group. If none is left the group ends there.
//
// Members of a group are all logged or all kVolatile: a record's entries are then numbered without
// gaps from its first number. kVolatile groups skip Reserve's place, WriteLog and Settle, and still
// take their turn.
// Errors:
//   * Prepare or MakeRoom returns ResourceExhausted, Aborted, InvalidArgument or
//     FailedPrecondition: that group fails with it, no number was given, nothing sticks.
//   * Any other error of theirs, and any error of Reserve, WriteLog and Settle: that group fails
//     with it; groups before it take effect, none after it does, and every later Commit() returns
//     the error with reason kPoisoned.
// Lock: mutex_ is the outermost of DESIGN section 4; it is never held while the target is called. The
// target must not call Commit() or Exclusive(), nor wait for a thread that does.
#ifndef FIRN_ENGINE_COMMIT_QUEUE_H_
#define FIRN_ENGINE_COMMIT_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/types.h"
#include "engine/commit_line.h"
#include "engine/yield_gate.h"
#include "firn/options.h"
#include "wal/log_writer.h"

namespace firn {

// One write; lives on its caller's stack until Commit() returns. The target may derive from it to
// carry more.
struct CommitRequest {
  absl::string_view encoded;  // its entries, as they will stand in the log
  uint64_t count = 0;         // entries, at least 1: sequence numbers that it takes
  Durability durability = Durability::kSynced;

  // Given out before WriteLog: its entries are numbered from here on.
  SequenceNumber first_sequence;

  // The queue's.
  CommitWaiter waiter;
  absl::Status status;
};

struct CommitBatch {
  absl::Span<CommitRequest* const> requests;  // in order
  size_t size = 0;                            // bytes of all `encoded`
  uint64_t count = 0;                         // entries of all
  bool logged = true;                         // false: kVolatile
  bool synced = true;                         // some member asked for kSynced
  SequenceNumber first_sequence;              // set before Validate; given out before Reserve
  SequenceNumber last_sequence;
  absl::Span<const ByteSpan> pieces;  // all `encoded`: the record's payload
  Place place;                        // set by Reserve, for WriteLog and Settle
  bool written = false;               // set by Reserve: nothing is left for WriteLog to do
};

// What a commit does to the database. Calls come as the picture above says.
class CommitTarget {
 public:
  enum class Room : uint8_t {
    kReady = 1,  // go on
    kAlone = 2,  // wait until no group is unfinished, then call MakeRoom
  };

  virtual ~CommitTarget() = default;
  // Back-pressure, and whether memtable and log have room for `batch`. Not numbered yet. Other groups
  // may be in WriteLog or Apply meanwhile. May block (throttle).
  virtual absl::StatusOr<Room> Prepare(const CommitBatch& batch) = 0;
  // With no other group unfinished, and none beginning: switch memtable or log. May block on disk.
  virtual absl::Status MakeRoom(const CommitBatch& batch) = 0;
  // In order of numbers, quick, no disk: sets the status of members that must not take effect. The
  // first of the others will be numbered from batch.first_sequence on, without gaps.
  virtual void Validate(const CommitBatch& batch) = 0;
  // In order of numbers, quick: a place in the log (LogWriter::Reserve), or the whole record if no
  // sync is asked (LogWriter::AppendCached). Only logged batches.
  virtual absl::Status Reserve(CommitBatch& batch) = 0;
  // Several at once: one record, synced if batch.synced. Only logged batches.
  virtual absl::Status WriteLog(const CommitBatch& batch) = 0;
  // In order, all earlier groups being written: if batch.synced, makes sure that the log is durable
  // through this batch (LogWriter::EnsureSynced). Only logged batches.
  virtual absl::Status Settle(const CommitBatch& batch) = 0;
  // In order, one at a time: into the memtables, numbered from request.first_sequence.
  virtual void Apply(const CommitRequest& request) = 0;
  // In order, after all Apply() of a group: `last_sequence` becomes visible.
  virtual void Publish(SequenceNumber last_sequence) = 0;
};

struct CommitQueueOptions {
  size_t flushes_in_flight = 1;             // [1, 8] groups in WriteLog at once
  size_t group_size_max = size_t{1} << 20;  // bytes; a larger request is a group of its own
  uint32_t yield_us_min = 150;              // followers yield at least and at most so long, then
  uint32_t yield_us_max = 400;              // sleep
};

// Thread-safe.
class CommitQueue {
 public:
  // `last_sequence`: the last number in use. `target` and `clock` must outlive the queue.
  CommitQueue(CommitTarget& target, Clock& clock, SequenceNumber last_sequence,
              const CommitQueueOptions& options);
  ~CommitQueue();  // nobody may be inside

  // Blocks until the request has taken effect as durably as it asked, or failed; sets its
  // first_sequence. A request may be committed again once it has returned.
  absl::Status Commit(CommitRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs `action` in its turn with no group unfinished and none beginning, and returns what it
  // returns; its error does not stick. Runs although an error sticks. It gets the last number given
  // out: every one up to it has taken effect, or never will.
  absl::Status Exclusive(const std::function<absl::Status(SequenceNumber last_sequence)>& action)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // As Exclusive(), and gives out `count` numbers (at least 1), of which `action` gets the first: they
  // are used if it returns OK, else given out again. Not after an error that sticks: that is returned.
  // The action publishes them.
  absl::Status ExclusiveWithNumbers(
      uint64_t count, const std::function<absl::Status(SequenceNumber first)>& action)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes every later Commit() (and groups that have not begun) fail with `status`, as if a write had
  // failed: for errors found elsewhere, e.g. in the manifest. The first error stays.
  void Poison(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  // The sticky error with reason kPoisoned, or OK.
  absl::Status error() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Writers in line that no group has taken yet.
  size_t waiting() const ABSL_LOCKS_EXCLUDED(mutex_);

  struct Counters {
    uint64_t groups = 0;
    uint64_t requests = 0;
    uint64_t sleeps = 0;  // waits that yielding did not end
  };
  Counters counters() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Group;
  class Step;

  // Waits until `waiter` has been told something, and takes it.
  CommitSignal Await(CommitWaiter& waiter);
  // Yields for a while; kNone: nothing was told.
  CommitSignal AwaitYielding(const CommitWaiter& waiter);
  CommitSignal YieldForAWhile(const CommitWaiter& waiter, uint32_t load);
  void Lead(CommitRequest& leader) ABSL_LOCKS_EXCLUDED(mutex_);
  std::unique_ptr<Group> TakeGroup(CommitRequest& leader) ABSL_LOCKS_EXCLUDED(mutex_);
  void DescribeBatch(Group& group);
  // Prepare, and MakeRoom if it takes that.
  absl::Status PrepareGroup(Group& group) ABSL_LOCKS_EXCLUDED(mutex_);
  void AwaitAlone(CommitWaiter& leader) ABSL_LOCKS_EXCLUDED(mutex_);
  void Refuse(std::unique_ptr<Group> group, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  // Validate, and takes out the members that it refused. False: none is left, and the group is over.
  bool ValidateGroup(std::unique_ptr<Group>& group) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives out the numbers and reserves the place, then passes the leadership on.
  absl::Status Begin(Group& group) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for the group's turn and makes it visible, or fails it.
  void TakeEffect(std::unique_ptr<Group> group, const absl::Status& written)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status SettleAndApply(Group& group, const absl::Status& written)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Stick(uint64_t ticket, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CommitTarget& target_;
  Clock& clock_;
  const CommitQueueOptions options_;

  mutable Mutex mutex_;
  CommitLine line_ ABSL_GUARDED_BY(mutex_);
  SequenceNumber last_sequence_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ticket_ ABSL_GUARDED_BY(mutex_) = 1;            // counts groups that began
  absl::Status error_ ABSL_GUARDED_BY(mutex_);                  // sticky, as later callers get it
  uint64_t error_ticket_ ABSL_GUARDED_BY(mutex_) = UINT64_MAX;  // the first group that fails
  Counters counters_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Group>> free_groups_ ABSL_GUARDED_BY(mutex_);  // keep their memory
  std::atomic<uint32_t> waiting_{0};  // followers in Await(): the load
  std::atomic<uint64_t> sleeps_{0};
  YieldGate yield_gate_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_COMMIT_QUEUE_H_
