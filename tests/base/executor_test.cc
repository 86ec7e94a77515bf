#include "base/executor.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(ThreadExecutorTest, DrainWaitsForTasksThatTasksSchedule) {
  ThreadExecutor executor({.flush = 1, .compact = 2});
  std::atomic<int> done = 0;
  for (int i = 0; i < 50; ++i) {
    executor.Schedule(TaskPriority::kFlush, [&] {
      executor.Schedule(TaskPriority::kCompact, [&] {
        executor.Schedule(TaskPriority::kIdle, [&] { ++done; });
        ++done;
      });
      ++done;
    });
  }
  executor.Drain();
  EXPECT_EQ(done.load(), 150);
}

TEST(ThreadExecutorTest, DestructionRunsWhatIsQueued) {
  std::atomic<int> done = 0;
  {
    ThreadExecutor executor({.flush = 1, .compact = 1});
    for (int i = 0; i < 20; ++i) {
      executor.Schedule(TaskPriority::kIdle, [&executor, &done] {
        executor.Schedule(TaskPriority::kFlush, [&done] { ++done; });
      });
    }
  }
  EXPECT_EQ(done.load(), 20);
}

TEST(ThreadExecutorTest, AFlushRunsWhileMergingIsBusy) {
  ThreadExecutor executor({.flush = 1, .compact = 1});
  std::atomic<bool> flushed = false;
  executor.Schedule(TaskPriority::kCompact, [&] {
    while (!flushed) std::this_thread::yield();  // ends only because the flush has its own thread
  });
  executor.Schedule(TaskPriority::kFlush, [&] { flushed = true; });
  executor.Drain();
  EXPECT_TRUE(flushed);
}

TEST(ThreadExecutorTest, AwaitProgressSeesWhatATaskDid) {
  ThreadExecutor executor({.flush = 1, .compact = 1});
  Mutex mutex;
  CondVar changed;
  int value = 0;
  for (int round = 1; round <= 200; ++round) {
    executor.Schedule(TaskPriority::kFlush, [&] {
      MutexLock lock(mutex);
      ++value;
      changed.NotifyAll();
    });
    MutexLock lock(mutex);
    while (value < round) executor.AwaitProgress(mutex, changed);
  }
  executor.Drain();
  EXPECT_EQ(value, 200);
}

TEST(ThreadExecutorTest, WhatATaskCapturedIsGoneAfterDrain) {
  ThreadExecutor executor({.flush = 1, .compact = 1});
  auto token = std::make_shared<int>(1);
  executor.Schedule(TaskPriority::kFlush, [token] { static_cast<void>(*token); });
  executor.Drain();
  EXPECT_EQ(token.use_count(), 1);
}

std::string OrderOfTenTasks(uint64_t seed) {
  SteppedExecutor executor(seed);
  std::string order;
  for (char name = 'a'; name < 'k'; ++name) {
    executor.Schedule(TaskPriority::kCompact, [&order, name] { order.push_back(name); });
  }
  executor.Drain();
  return order;
}

TEST(SteppedExecutorTest, TheSeedDecidesTheOrder) {
  EXPECT_EQ(OrderOfTenTasks(1), OrderOfTenTasks(1));
  EXPECT_NE(OrderOfTenTasks(1), OrderOfTenTasks(2));
  EXPECT_EQ(OrderOfTenTasks(3).size(), 10u);
}

TEST(SteppedExecutorTest, RunsNothingByItselfAndOneTaskAStep) {
  SteppedExecutor executor(7);
  int done = 0;
  EXPECT_FALSE(executor.Step());
  executor.Schedule(TaskPriority::kFlush, [&] {
    ++done;
    executor.Schedule(TaskPriority::kFlush, [&] { ++done; });
  });
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(executor.Step());
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(executor.Step());
  EXPECT_FALSE(executor.Step());
  EXPECT_EQ(done, 2);
}

TEST(SteppedExecutorTest, AwaitProgressRunsATaskThatTakesTheSameMutex) {
  SteppedExecutor executor(7);
  Mutex mutex;
  CondVar changed;
  bool done = false;
  executor.Schedule(TaskPriority::kFlush, [&] {
    MutexLock lock(mutex);
    done = true;
    changed.NotifyAll();
  });
  MutexLock lock(mutex);
  while (!done) executor.AwaitProgress(mutex, changed);
  EXPECT_TRUE(done);
  executor.AwaitProgress(mutex, changed);  // nothing queued: returns at once
}

}  // namespace
}  // namespace firn
