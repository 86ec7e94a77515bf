// base/executor.h: where background closures run. Threads in production; in the simulation one
// caller steps them in an order drawn from a seed, so that a failing history can be replayed.
#ifndef FIRN_BASE_EXECUTOR_H_
#define FIRN_BASE_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"

namespace firn {

enum class TaskPriority : uint8_t {
  kFlush = 1,    // writers wait for these
  kCompact = 2,  // merging
  kIdle = 3,     // slot preparation, collection, scrubbing
};

// Thread-safe. A closure must not throw, and must not wait for another closure of the same executor.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual void Schedule(TaskPriority priority, std::function<void()> task) = 0;

  // The caller holds `mutex` and waits for something that a background task will do and then signal
  // on `changed`. Threads: waits on `changed`. Stepped: releases `mutex`, runs one task, takes it
  // again. Returns without cause at times: call it in a loop. With a stepped executor that has no
  // task left, returns at once (the loop's condition must then have become true or it is a bug).
  virtual void AwaitProgress(Mutex& mutex, CondVar& changed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) = 0;

  // Runs or waits until no task is queued or running. Tasks may schedule more meanwhile.
  virtual void Drain() = 0;
};

// Workers for flushes and workers for the rest, so that merging never keeps a flush waiting.
class ThreadExecutor final : public Executor {
 public:
  struct Threads {
    size_t flush = 1;    // serve kFlush alone
    size_t compact = 1;  // serve kCompact, then kIdle
  };
  explicit ThreadExecutor(Threads threads);
  // Runs what is queued, then joins.
  ~ThreadExecutor() override;

  void Schedule(TaskPriority priority, std::function<void()> task) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  void AwaitProgress(Mutex& mutex, CondVar& changed) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void Drain() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work(bool serves_flushes) ABSL_LOCKS_EXCLUDED(mutex_);
  std::function<void()> TakeTask(bool serves_flushes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  CondVar wake_;
  CondVar idle_;
  std::deque<std::function<void()>> flush_tasks_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::function<void()>> compact_tasks_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::function<void()>> idle_tasks_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> workers_;
};

// Runs nothing by itself: Step() runs one queued task, chosen by the seed.
class SteppedExecutor final : public Executor {
 public:
  explicit SteppedExecutor(uint64_t seed);

  void Schedule(TaskPriority priority, std::function<void()> task) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  void AwaitProgress(Mutex& mutex, CondVar& changed) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void Drain() override ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs one task on the calling thread; false if none is queued.
  bool Step() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  Random random_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_BASE_EXECUTOR_H_
