#include "compaction/scheduler.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

using ::testing::ElementsAre;

TEST(SchedulerTest, NoMoreMergesThanAllowedAreHandedToTheExecutor) {
  SteppedExecutor executor(1);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {.compactions_max = 2});
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    scheduler.Schedule(TaskPriority::kCompact, [&order, i] { order.push_back(i); });
  }
  EXPECT_EQ(scheduler.running(), 2);
  EXPECT_EQ(scheduler.queued(), 3);
  ASSERT_TRUE(executor.Step());
  EXPECT_EQ(scheduler.running(), 2);
  EXPECT_EQ(scheduler.queued(), 2);
  scheduler.Drain();
  EXPECT_EQ(order.size(), 5);
  EXPECT_EQ(scheduler.running() + scheduler.queued(), 0);
}

TEST(SchedulerTest, OneAtATimeMergesRunInTheOrderTheyCame) {
  SteppedExecutor executor(2);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {});
  std::vector<int> order;
  for (int i = 0; i < 4; ++i) {
    scheduler.Schedule(TaskPriority::kCompact, [&order, i] { order.push_back(i); });
  }
  scheduler.Drain();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(SchedulerTest, DrainWaitsForWhatClosuresSchedule) {
  SteppedExecutor executor(3);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {});
  int left = 10;
  std::function<void()> again = [&] {
    if (--left > 0) scheduler.Schedule(TaskPriority::kCompact, again);
  };
  scheduler.Schedule(TaskPriority::kFlush, again);
  scheduler.Drain();
  EXPECT_EQ(left, 0);
}

TEST(SchedulerTest, WhatAClosureHoldsIsGoneBeforeItCountsAsDone) {
  SteppedExecutor executor(4);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {});
  size_t running_when_released = 0;
  std::shared_ptr<int> held(new int(0), [&](int* number) {
    running_when_released = scheduler.running();
    delete number;
  });
  scheduler.Schedule(TaskPriority::kFlush, [held = std::move(held)] { ++*held; });
  scheduler.Drain();
  EXPECT_EQ(running_when_released, 1);
}

TEST(SchedulerTest, APauseLetsFlushesThroughAndHoldsTheRest) {
  SteppedExecutor executor(4);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {});
  int merges = 0;
  int flushes = 0;
  int idles = 0;
  scheduler.Schedule(TaskPriority::kCompact, [&] { ++merges; });
  scheduler.Pause();
  EXPECT_EQ(merges, 1) << "what was running is waited for";
  scheduler.Pause();
  scheduler.Schedule(TaskPriority::kCompact, [&] { ++merges; });
  scheduler.Schedule(TaskPriority::kIdle, [&] { ++idles; });
  scheduler.Schedule(TaskPriority::kFlush, [&] { ++flushes; });
  while (executor.Step()) {
  }
  EXPECT_EQ(merges, 1);
  EXPECT_EQ(idles, 0);
  EXPECT_EQ(flushes, 1);
  scheduler.Resume();
  EXPECT_EQ(scheduler.running(), 0) << "paused twice, resumed once";
  scheduler.Resume();
  scheduler.Drain();
  EXPECT_EQ(merges, 2);
  EXPECT_EQ(idles, 1);
}

TEST(SchedulerTest, CancelForgetsWhatHasNotBegun) {
  SteppedExecutor executor(5);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {});
  int merges = 0;
  int flushes = 0;
  for (int i = 0; i < 5; ++i) scheduler.Schedule(TaskPriority::kCompact, [&] { ++merges; });
  scheduler.Schedule(TaskPriority::kFlush, [&] { ++flushes; });
  scheduler.Cancel();
  EXPECT_LE(merges, 2);
  EXPECT_EQ(flushes, 1);
  EXPECT_EQ(scheduler.running() + scheduler.queued(), 0);
  scheduler.Schedule(TaskPriority::kFlush, [&] { ++flushes; });
  scheduler.Drain();
  EXPECT_EQ(flushes, 2);
}

TEST(SchedulerTest, TheBudgetIsTheOneOfTheOptions) {
  SteppedExecutor executor(6);
  ManualClock clock;
  Scheduler scheduler(executor, clock, {.io_bytes_per_second = 1000});
  EXPECT_EQ(scheduler.io_budget().Charge(2000), std::chrono::seconds(2));
}

TEST(SchedulerTest, OnThreadsTheLimitHoldsAndEverythingRuns) {
  std::atomic<int> at_once{0};
  std::atomic<int> most_at_once{0};
  std::atomic<int> done{0};
  {
    ThreadExecutor executor({.flush = 1, .compact = 4});
    ManualClock clock;
    Scheduler scheduler(executor, clock, {.compactions_max = 2});
    const auto merge = [&] {
      const int now = at_once.fetch_add(1) + 1;
      int most = most_at_once.load();
      while (now > most && !most_at_once.compare_exchange_weak(most, now)) {
      }
      std::this_thread::yield();
      at_once.fetch_sub(1);
      done.fetch_add(1);
    };
    for (int i = 0; i < 200; ++i) {
      scheduler.Schedule(TaskPriority::kCompact, merge);
      if (i % 10 == 0) scheduler.Schedule(TaskPriority::kIdle, [&] { done.fetch_add(1); });
      if (i % 50 == 0) {
        scheduler.Pause();
        EXPECT_EQ(at_once.load(), 0);
        scheduler.Resume();
      }
    }
    scheduler.Drain();
    EXPECT_EQ(done.load(), 220);
  }
  EXPECT_LE(most_at_once.load(), 2);
  EXPECT_GE(most_at_once.load(), 1);
}

}  // namespace
}  // namespace firn
