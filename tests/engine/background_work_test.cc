#include "engine/background_work.h"

#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/background_fixture.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(BackgroundWorkTest, FlushesAndMergesUntilNothingIsDue) {
  ASSERT_THAT(Fill(200), IsOk());
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  const Statistics statistics = store_->statistics();
  EXPECT_GT(statistics.flushes, 5u);
  EXPECT_GT(statistics.compactions, 1u);
  EXPECT_GT(statistics.compaction_read_bytes, 0u);
  EXPECT_LT(Level0(), 2u);
  EXPECT_THAT(store_.lines(), Contains(HasSubstr("flushed keyspace notes")));
  EXPECT_THAT(store_.lines(), Contains(HasSubstr("compacted keyspace notes")));
}

TEST_F(BackgroundWorkTest, MergedSegmentsAndOldLogsAreDeleted) {
  ASSERT_THAT(Fill(200), IsOk());
  ASSERT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
  uint64_t live = 0;
  const Statistics statistics = store_->statistics();
  for (const LevelStatistics& level : statistics.keyspaces[0].levels) {
    live += level.segments;
  }
  ASSERT_OK_AND_ASSIGN(const auto files, memory_.List("store/notes"));
  EXPECT_EQ(files.size(), live);
  ASSERT_OK_AND_ASSIGN(const auto logs, memory_.List("store/wal"));
  int in_use = 0;
  for (const std::string& name : logs) in_use += ParseLogName(name).has_value() ? 1 : 0;
  EXPECT_EQ(in_use, 1);
}

TEST_F(BackgroundWorkTest, WhatAnIteratorHeldBackIsDeletedWithTheNextFlush) {
  const auto files = [&] { return memory_.List("store/notes").value().size(); };
  for (const bool flushes : {true, false}) {
    ASSERT_THAT(Fill(30), IsOk());
    ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
    auto iterator = store_.Open("notes").NewIterator({});
    iterator->SeekToFirst();
    ASSERT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
    const size_t held = files();
    iterator = nullptr;
    EXPECT_EQ(files(), held);
    if (flushes) {
      ASSERT_THAT(store_.Put("notes", "k", "v"), IsOk());
    }
    ASSERT_THAT(flushes ? store_->Flush(store_.Open("notes")) : store_->WaitForBackgroundWork(),
                IsOk());
    store_.executor().Drain();
    EXPECT_LT(files(), held);
  }
}

TEST_F(BackgroundWorkTest, ManualCompactionOfARangeLeavesTheRest) {
  ASSERT_THAT(Fill(60), IsOk());
  ASSERT_THAT(store_->Compact(store_.Open("notes"), "k1", "k2"), IsOk());
  EXPECT_EQ(store_.Get("notes", "k15"), std::string(500, 'v'));
  EXPECT_EQ(store_.Get("notes", "k55"), std::string(500, 'v'));
  const auto report = store_->Verify(VerifyLevel::kBlocks);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->clean());
}

// Writes that do not wait for a compaction by hand: each of its steps finds a new segment on level 0.
TEST_F(BackgroundWorkTest, ManualCompactionEndsUnderSteadyWrites) {
  int steps = 0;
  Restart([&](absl::string_view line) {
    if (!absl::StrContains(line, "by hand") || ++steps > 20) return;
    EXPECT_THAT(Fill(2), IsOk());
    EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  });
  ASSERT_THAT(Fill(100), IsOk());
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  ASSERT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
  EXPECT_GT(steps, 1);
  EXPECT_LE(steps, static_cast<int>(kLevelCount));
  ASSERT_THAT(store_.Close(), IsOk());  // while the sink is here
}

// Merges that are due whenever one ends.
TEST_F(BackgroundWorkTest, ManualCompactionHasItsTurnAfterTheMergesUnderWay) {
  bool by_hand = false;
  bool asked = false;
  int merges = 0;
  Restart([&](absl::string_view line) {
    by_hand |= absl::StrContains(line, "by hand");
    if (!asked || by_hand || !absl::StrContains(line, "compacted") || ++merges > 20) return;
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT(Fill(2), IsOk());
      EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
    }
  });
  ASSERT_THAT(Fill(100), IsOk());
  asked = true;
  ASSERT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
  EXPECT_TRUE(by_hand);
  EXPECT_LE(merges, 4);
  ASSERT_THAT(store_.Close(), IsOk());  // while the sink is here
}

TEST_F(BackgroundWorkTest, CompactionDropsTombstonesAndShadowedVersions) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) {
      ASSERT_THAT(store_.Put("notes", absl::StrCat("k", i), absl::StrCat(round)), IsOk());
    }
    ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  }
  WriteBatch batch;
  for (int i = 0; i < 15; ++i) batch.Remove(store_.Open("notes"), absl::StrCat("k", i));
  ASSERT_THAT(store_->Write(batch, Durability::kBuffered), IsOk());
  ASSERT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
  EXPECT_EQ(store_->statistics().keyspaces[0].entries_estimate, 5u);
}

TEST_F(BackgroundWorkTest, VolatileWritesSurviveAFullManifestAndACleanClose) {
  uint64_t hits = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(store_.Put("bulk", absl::StrCat("k", i), "v", Durability::kVolatile), IsOk());
    const size_t rule = faulty_.AddRule({.operation = FileOperation::kOpenForWrite,
                                         .path_part = "MANIFEST",
                                         .error_number = ENOSPC});
    const absl::Status flushed = store_->Flush(store_.Open("bulk"));
    const bool was_hit = faulty_.hits(rule) > 0;
    faulty_.ClearRules();
    ASSERT_TRUE(flushed.ok() || was_hit);
    if (!flushed.ok()) {  // else it hit a merge, which waits until there is room
      ++hits;
      EXPECT_THAT(flushed, HasReason(ErrorReason::kDiskFull));
      ASSERT_THAT(store_.Close(), IsOk());
      ASSERT_THAT(store_.Open(), IsOk());
    }
    ASSERT_EQ(store_.Get("bulk", absl::StrCat("k", i)), "v");
  }
  EXPECT_GT(hits, 0u);
}

// Close() gives the lock of the folder away: it may be another's from then on.
TEST_F(BackgroundWorkTest, NothingTouchesTheFolderAfterClose) {
  ASSERT_THAT(Fill(10), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  const uint64_t before = faulty_.operations();
  store_.executor().Drain();
  EXPECT_EQ(faulty_.operations(), before);
}

TEST_F(BackgroundWorkTest, ADroppedKeyspaceStopsItsWork) {
  ASSERT_THAT(Fill(40), IsOk());
  const Keyspace notes = store_.Open("notes");
  ASSERT_THAT(store_->DropKeyspace("notes"), IsOk());
  EXPECT_THAT(store_->WaitForBackgroundWork(), IsOk());
  ASSERT_THAT(store_.Put("other", "k", "v"), IsOk());
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_THAT(memory_.Stat("store/notes"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace firn
