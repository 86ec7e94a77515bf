// Every I/O operation of a busy store is once the last one; then the same inside recovery; then each
// operation fails once and the store goes on.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "engine/database.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/crash/engine_workload.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

constexpr int kSteps = 260;

// Sanitizers make each point several times slower: they look at a part of the points, spread over all
// of the workload; every point is looked at without them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FIRN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FIRN_SANITIZED 1
#endif
#endif
#ifdef FIRN_SANITIZED
constexpr uint64_t kStride = 7;
#else
constexpr uint64_t kStride = 1;
#endif

TEST(EngineCrash, NothingAcknowledgedIsLostWhereverTheMachineStops) {
  uint64_t points = 0;
  for (const uint64_t seed : {uint64_t{1}, uint64_t{2}}) {
    for (uint64_t crash_at = 0;; crash_at += kStride) {
      MemoryFileSystem file_system(
          {.seed = seed * 1000 + crash_at, .crash_at_operation = crash_at, .count_reads = false});
      EngineWorkload workload(file_system, seed);
      workload.Run(kSteps);
      workload.Stop();
      const bool was_hit = file_system.crashed();
      ASSERT_EQ(workload.trouble(), "");
      file_system.LoseUnsyncedData();
      ASSERT_EQ(workload.Check(file_system, EngineWorkload::Crash::kMachine), "")
          << "seed " << seed << ", crash at operation " << crash_at << ", step "
          << workload.steps_done();
      ++points;
      if (!was_hit) {
        ASSERT_EQ(workload.steps_done(), kSteps);
        break;
      }
    }
  }
  std::cout << points << " crash points\n";
  EXPECT_GT(points, 2000u / kStride);
}

TEST(EngineCrash, RecoveryMayBeCutShortAnywhere) {
  constexpr uint64_t kSeed = 3;
  uint64_t points = 0;
  for (uint64_t crash_at = 5;; crash_at += 41 * kStride) {
    MemoryFileSystem file_system(
        {.seed = crash_at, .crash_at_operation = crash_at, .count_reads = false});
    EngineWorkload workload(file_system, kSeed);
    workload.Run(kSteps);
    workload.Stop();
    const bool was_hit = file_system.crashed();
    file_system.LoseUnsyncedData();
    for (uint64_t recovery_at = 0;; ++recovery_at) {
      const std::unique_ptr<MemoryFileSystem> again = file_system.Fork();
      again->Reseed(crash_at * 1000 + recovery_at);
      again->CrashAtOperation(recovery_at);
      {
        SteppedStore store(*again, 9);
        static_cast<void>(store.Open());
      }
      const bool recovery_was_hit = again->crashed();
      again->LoseUnsyncedData();
      ASSERT_EQ(workload.Check(*again, EngineWorkload::Crash::kMachine), "")
          << "crash at operation " << crash_at << ", then at " << recovery_at << " of recovery";
      ++points;
      if (!recovery_was_hit) break;
    }
    if (!was_hit) break;
  }
  std::cout << points << " crash points inside recovery\n";
  EXPECT_GT(points, 1000u / (2 * kStride));
}

// The process dies, the page cache lives: recovery reads what was never synced. What it then shows must
// survive the machine's stop right after.
TEST(EngineCrash, WhatRecoveryShowedIsDurable) {
  constexpr uint64_t kSeed = 5;
  uint64_t unsynced = 0;
  for (int steps = 1; steps < kSteps; steps += 2) {
    MemoryFileSystem file_system({.seed = static_cast<uint64_t>(steps)});
    EngineWorkload workload(file_system, kSeed);
    workload.Run(steps);
    ASSERT_EQ(workload.steps_done(), steps);
    const std::unique_ptr<MemoryFileSystem> copy = file_system.Fork();
    workload.Stop();
    const std::unique_ptr<MemoryFileSystem> cut = copy->Fork();
    cut->LoseUnsyncedData();
    std::string shown;
    {
      SteppedStore store(*copy, 9);
      ASSERT_THAT(store.Open(), IsOk());
      shown = store.Get("a", "last");
      copy->Crash();
    }
    copy->LoseUnsyncedData();
    ASSERT_EQ(workload.Check(*copy, EngineWorkload::Crash::kProcess), "") << "step " << steps;
    SteppedStore again(*copy, 10);
    ASSERT_THAT(again.Open(), IsOk());
    EXPECT_EQ(again.Get("a", "last"), shown) << "step " << steps;
    SteppedStore poorer(*cut, 11);
    ASSERT_THAT(poorer.Open(), IsOk());
    if (poorer.Get("a", "last") != shown) ++unsynced;
  }
  EXPECT_GT(unsynced, 10u) << "the test must meet unsynced writes to mean anything";
}

// One operation fails and later ones work again, as on a disk with a bad moment; every other time a
// failed sync has also dropped what was not synced, as Linux does. The process lives on.
TEST(EngineFault, AFailedOperationIsReportedAndNothingAcknowledgedIsLost) {
  constexpr uint64_t kSeed = 4;
  uint64_t points = 0;
  for (uint64_t fail_at = 0;; fail_at += 3 * kStride) {
    const bool loses = fail_at % 2 == 1;
    MemoryFileSystem disk({.seed = fail_at});
    FaultInjectingFileSystem file_system(disk);
    if (loses) file_system.KeepOldBytes();
    const size_t rule = file_system.AddRule(
        {.skip = fail_at, .effect = loses ? FaultEffect::kLoseUnsynced : FaultEffect::kFail});
    const auto crash =
        loses ? EngineWorkload::Crash::kMachine : EngineWorkload::Crash::kProcess;
    EngineWorkload workload(file_system, kSeed);
    workload.RunThroughFaults(kSteps, crash);
    const bool was_hit = file_system.hits(rule) > 0;
    file_system.ClearRules();
    ASSERT_EQ(workload.trouble(), "") << "operation " << fail_at;
    workload.Stop();
    ASSERT_EQ(workload.Check(disk, crash), "") << "operation " << fail_at << " failed";
    ++points;
    if (!was_hit) break;
  }
  std::cout << points << " faults\n";
  EXPECT_GT(points, 800u / kStride);
}

}  // namespace
}  // namespace firn
