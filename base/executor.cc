#include "base/executor.h"

#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/time_slice.h"

namespace firn {
namespace {

// A waiter looks again at least this often. Every change is signalled, so this only bounds the harm
// of a signal that a caller forgot: a delay that a profile shows instead of a hang.
constexpr std::chrono::milliseconds kLookAgain{100};

std::function<void()> TakeFront(std::deque<std::function<void()>>& tasks) {
  std::function<void()> task = std::move(tasks.front());
  tasks.pop_front();
  return task;
}

}  // namespace

ThreadExecutor::ThreadExecutor(Threads threads) {
  FIRN_CHECK(threads.flush > 0 && threads.compact > 0);  // otherwise some tasks would never run
  workers_.reserve(threads.flush + threads.compact);
  for (size_t i = 0; i < threads.flush; ++i) {
    workers_.emplace_back([this] { Work(/*serves_flushes=*/true); });
  }
  for (size_t i = 0; i < threads.compact; ++i) {
    workers_.emplace_back([this] { Work(/*serves_flushes=*/false); });
  }
}

ThreadExecutor::~ThreadExecutor() {
  Drain();  // a running task may schedule one for the other kind of worker: none may leave before
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadExecutor::Schedule(TaskPriority priority, std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    FIRN_CHECK(!stopping_);
    switch (priority) {
      case TaskPriority::kFlush:
        flush_tasks_.push_back(std::move(task));
        break;
      case TaskPriority::kCompact:
        compact_tasks_.push_back(std::move(task));
        break;
      case TaskPriority::kIdle:
        idle_tasks_.push_back(std::move(task));
        break;
    }
  }
  wake_.NotifyAll();  // both kinds of worker wait here, and one alone may be of the wrong kind
}

void ThreadExecutor::AwaitProgress(Mutex& mutex, CondVar& changed) {
  static_cast<void>(changed.WaitFor(mutex, kLookAgain));
}

void ThreadExecutor::Drain() {
  MutexLock lock(mutex_);
  while (running_ > 0 || !flush_tasks_.empty() || !compact_tasks_.empty() || !idle_tasks_.empty()) {
    idle_.Wait(mutex_);
  }
}

std::function<void()> ThreadExecutor::TakeTask(bool serves_flushes) {
  if (serves_flushes) return flush_tasks_.empty() ? nullptr : TakeFront(flush_tasks_);
  if (!compact_tasks_.empty()) return TakeFront(compact_tasks_);
  return idle_tasks_.empty() ? nullptr : TakeFront(idle_tasks_);
}

void ThreadExecutor::Work(bool serves_flushes) {
  AskForLongSlices();  // writers that wake up go first
  mutex_.Lock();
  while (true) {
    std::function<void()> task = TakeTask(serves_flushes);
    if (task == nullptr) {
      if (stopping_) break;
      wake_.Wait(mutex_);
      continue;
    }
    ++running_;
    mutex_.Unlock();
    task();
    task = nullptr;  // what it captured may take locks when it goes
    mutex_.Lock();
    --running_;
    if (running_ == 0) idle_.NotifyAll();
  }
  mutex_.Unlock();
}

SteppedExecutor::SteppedExecutor(uint64_t seed) : random_(seed) {}

void SteppedExecutor::Schedule(TaskPriority priority, std::function<void()> task) {
  static_cast<void>(priority);  // any order is a legal one, and the seed chooses
  MutexLock lock(mutex_);
  tasks_.push_back(std::move(task));
}

bool SteppedExecutor::Step() {
  std::function<void()> task;
  {
    MutexLock lock(mutex_);
    if (tasks_.empty()) return false;
    const size_t chosen = static_cast<size_t>(random_.Uniform(tasks_.size()));
    task = std::move(tasks_[chosen]);
    tasks_.erase(tasks_.begin() + static_cast<ptrdiff_t>(chosen));
  }
  task();
  return true;
}

void SteppedExecutor::AwaitProgress(Mutex& mutex, CondVar& changed) {
  static_cast<void>(changed);
  mutex.Unlock();
  static_cast<void>(Step());
  mutex.Lock();
}

void SteppedExecutor::Drain() {
  while (Step()) {
  }
}

}  // namespace firn
