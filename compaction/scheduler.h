// compaction/scheduler.h: runs background closures on an executor, with a limit on how many merge
// at once, an I/O budget that they share, and a way to pause and to drain them.
//
// It knows no database: what a closure does is its own affair. Closures of one priority start in
// the order they were scheduled.
#ifndef FIRN_COMPACTION_SCHEDULER_H_
#define FIRN_COMPACTION_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "compaction/io_budget.h"

namespace firn {

// Thread-safe. The executor and the clock outlive it.
class Scheduler {
 public:
  struct Options {
    size_t compactions_max = 1;         // kCompact closures that run at once, at least 1
    uint64_t io_bytes_per_second = 0;   // of merges, read and written; 0: unlimited
  };
  Scheduler(Executor& executor, Clock& clock, Options options);
  // Nothing may be queued or running: call Drain() (or Cancel()) first.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs `task` when its turn comes. Must not be called by a closure under a lock that closures take.
  void Schedule(TaskPriority priority, std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on no merge and no idle closure starts (flushes do: writers wait for them); returns when
  // none is running. Counts: as many Resume() as Pause(). Not from within a closure.
  void Pause() ABSL_LOCKS_EXCLUDED(mutex_);
  void Resume() ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns when nothing is queued or running; closures may schedule more meanwhile. Not while
  // paused, not from within a closure.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);
  // Forgets queued merges and idle closures, and waits for what runs and for queued flushes.
  // Closures scheduled later run again. Returns how many were forgotten.
  size_t Cancel() ABSL_LOCKS_EXCLUDED(mutex_);

  IoBudget& io_budget() { return io_budget_; }
  size_t running() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t queued() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Start(TaskPriority priority, std::function<void()> task)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t& RunningOf(TaskPriority priority) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartWhatMay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finished(TaskPriority priority) ABSL_LOCKS_EXCLUDED(mutex_);

  Executor& executor_;
  const Options options_;
  IoBudget io_budget_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> compactions_ ABSL_GUARDED_BY(mutex_);  // wait for their turn
  std::deque<std::function<void()>> idle_ ABSL_GUARDED_BY(mutex_);
  size_t running_flushes_ ABSL_GUARDED_BY(mutex_) = 0;      // handed to the executor
  size_t running_compactions_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t running_idle_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t pauses_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace firn

#endif  // FIRN_COMPACTION_SCHEDULER_H_
