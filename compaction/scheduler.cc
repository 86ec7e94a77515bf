#include "compaction/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace firn {

Scheduler::Scheduler(Executor& executor, Clock& clock, Options options)
    : executor_(executor), options_(options), io_budget_(clock, options.io_bytes_per_second) {
  FIRN_CHECK(options_.compactions_max >= 1);
}

Scheduler::~Scheduler() {
  MutexLock lock(mutex_);
  FIRN_CHECK(running_flushes_ + running_compactions_ + running_idle_ == 0);
  FIRN_CHECK(compactions_.empty() && idle_.empty());
}

size_t& Scheduler::RunningOf(TaskPriority priority) {
  switch (priority) {
    case TaskPriority::kFlush:
      return running_flushes_;
    case TaskPriority::kCompact:
      return running_compactions_;
    case TaskPriority::kIdle:
      return running_idle_;
  }
  FIRN_CHECK(false);
}

void Scheduler::Schedule(TaskPriority priority, std::function<void()> task) {
  MutexLock lock(mutex_);
  switch (priority) {
    case TaskPriority::kFlush:
      Start(priority, std::move(task));
      break;
    case TaskPriority::kCompact:
      compactions_.push_back(std::move(task));
      break;
    case TaskPriority::kIdle:
      idle_.push_back(std::move(task));
      break;
  }
  StartWhatMay();
}

void Scheduler::Start(TaskPriority priority, std::function<void()> task) {
  ++RunningOf(priority);
  executor_.Schedule(priority, [this, priority, work = std::move(task)]() mutable {
    work();
    work = nullptr;  // what it holds is to be gone when Drain() returns
    Finished(priority);
  });
}

void Scheduler::StartWhatMay() {
  if (pauses_ > 0) return;
  while (!compactions_.empty() && running_compactions_ < options_.compactions_max) {
    std::function<void()> task = std::move(compactions_.front());
    compactions_.pop_front();
    Start(TaskPriority::kCompact, std::move(task));
  }
  while (!idle_.empty()) {
    std::function<void()> task = std::move(idle_.front());
    idle_.pop_front();
    Start(TaskPriority::kIdle, std::move(task));
  }
}

void Scheduler::Finished(TaskPriority priority) {
  MutexLock lock(mutex_);
  size_t& running = RunningOf(priority);
  FIRN_CHECK(running > 0);
  --running;
  StartWhatMay();
  changed_.NotifyAll();  // under the lock: whoever waits may destroy this at once
}

void Scheduler::Pause() {
  MutexLock lock(mutex_);
  ++pauses_;
  while (running_compactions_ + running_idle_ > 0) executor_.AwaitProgress(mutex_, changed_);
}

void Scheduler::Resume() {
  MutexLock lock(mutex_);
  FIRN_CHECK(pauses_ > 0);
  --pauses_;
  StartWhatMay();
}

void Scheduler::Drain() {
  MutexLock lock(mutex_);
  while (running_flushes_ + running_compactions_ + running_idle_ > 0 || !compactions_.empty() ||
         !idle_.empty()) {
    FIRN_CHECK(pauses_ == 0);
    executor_.AwaitProgress(mutex_, changed_);
  }
}

size_t Scheduler::Cancel() {
  MutexLock lock(mutex_);
  size_t forgotten = 0;
  // What runs may schedule more while it is waited for.
  while (true) {
    forgotten += compactions_.size() + idle_.size();
    compactions_.clear();
    idle_.clear();
    if (running_flushes_ + running_compactions_ + running_idle_ == 0) return forgotten;
    executor_.AwaitProgress(mutex_, changed_);
  }
}

size_t Scheduler::running() const {
  MutexLock lock(mutex_);
  return running_flushes_ + running_compactions_ + running_idle_;
}

size_t Scheduler::queued() const {
  MutexLock lock(mutex_);
  return compactions_.size() + idle_.size();
}

}  // namespace firn
