#include "compaction/tiered_picker.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/compaction/level_simulator.h"

namespace firn {
namespace {

// One entry is one byte here.
constexpr PickerOptions kSmall = {
    .segment_size = UINT64_MAX, .fan_in = 4, .flush_size = 16, .merge_bytes_max = UINT64_MAX};

std::vector<uint64_t> Keys(Random& random, uint64_t count, uint64_t key_limit) {
  std::vector<uint64_t> keys;
  for (uint64_t i = 0; i < count; ++i) keys.push_back(random.Uniform(key_limit));
  return keys;
}

TEST(TieredPickerTest, ATierIsAsWideAsItsFanIn) {
  EXPECT_EQ(TierOf(16, kSmall), 0);
  EXPECT_EQ(TierOf(5, kSmall), 0);
  EXPECT_EQ(TierOf(4, kSmall), -1);
  EXPECT_EQ(TierOf(17, kSmall), 1);
  EXPECT_EQ(TierOf(64, kSmall), 1);
  EXPECT_EQ(TierOf(65, kSmall), 2);
  EXPECT_EQ(TierOf(0, kSmall), kSmallestTier);
  EXPECT_GT(TierOf(UINT64_MAX, kSmall), 25);
}

TEST(TieredPickerTest, MergesARunOfOneTierWhenItIsFull) {
  LevelSimulator simulator(kSmall, PickTiered);
  for (uint64_t i = 0; i < 3; ++i) {
    simulator.Flush({i, i + 100, i + 200, i + 300, i + 400});
    EXPECT_FALSE(simulator.Start());
    EXPECT_LT(TieredScore(simulator.levels(), kSmall), 1);
  }
  simulator.Flush({1000, 1001, 1002, 1003, 1004});
  EXPECT_GE(TieredScore(simulator.levels(), kSmall), 1);
  EXPECT_EQ(TieredDebt(simulator.levels(), kSmall), 20u);
  EXPECT_EQ(TieredBacklog(simulator.levels(), kSmall), 4u);
  const Compaction pick = PickTiered(simulator.levels(), kSmall, {});
  EXPECT_EQ(pick.inputs, simulator.levels().level0());
  EXPECT_EQ(pick.output_level, LevelIndex{0});
  simulator.RunAll();
  EXPECT_EQ(simulator.levels().level0().size(), 1u);
  EXPECT_EQ(TieredDebt(simulator.levels(), kSmall), 0u);
}

TEST(TieredPickerTest, MergesOfTwoTiersRunBesideEachOther) {
  LevelSimulator simulator(kSmall, PickTiered);
  Random random(5);
  // Three segments of tier 1, then a fourth one and four of tier 0.
  for (int i = 0; i < 16; ++i) {
    simulator.Flush(Keys(random, 16, UINT64_MAX));
    if (i < 15) simulator.RunAll();
  }
  while (simulator.levels().level0().size() > 4) {
    ASSERT_TRUE(simulator.Start());
    if (simulator.levels().level0().size() > 4) simulator.Finish(0);
  }
  ASSERT_EQ(simulator.levels().level0().size(), 4u);
  ASSERT_TRUE(simulator.Start());  // the merge of tier 1: it stays under way
  for (int i = 0; i < 4; ++i) simulator.Flush(Keys(random, 16, UINT64_MAX));
  ASSERT_TRUE(simulator.Start()) << "tier 0 does not wait";
  EXPECT_EQ(simulator.running().size(), 2u);
  simulator.Finish(1);
  simulator.Finish(0);
  EXPECT_EQ(simulator.levels().level0().size(), 2u);
  simulator.ExpectVersionsInOrder();
}

TEST(TieredPickerTest, VersionsStayInOrderWhateverIsFlushedAndWhateverRunsBeside) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    LevelSimulator simulator(kSmall, PickTiered);
    LevelSimulator::Versions newest;
    for (int i = 0; i < 300; ++i) {
      const std::vector<uint64_t> keys = Keys(random, random.OneIn(2) ? 1 : 1 + random.Uniform(64), 300);
      simulator.Flush(keys);
      if (random.OneIn(2)) simulator.Start();
      while (!simulator.running().empty() && random.OneIn(2)) {
        simulator.Finish(random.Uniform(simulator.running().size()));
        if (HasFatalFailure()) return;
      }
    }
    const LevelSimulator::Versions before = simulator.Newest();
    while (!simulator.running().empty()) simulator.Finish(0);
    simulator.RunAll();
    simulator.ExpectVersionsInOrder();
    EXPECT_EQ(simulator.Newest(), before);
    EXPECT_LT(simulator.levels().level0().size(), 6u * 4 * kSmall.fan_in);
  }
}

TEST(TieredPickerTest, SmallFlushesDoNotMakeLargeSegmentsBeRewritten) {
  LevelSimulator simulator(kSmall, PickTiered);
  Random random(9);
  for (int i = 0; i < 600; ++i) {
    simulator.Flush(Keys(random, i % 3 == 0 ? 16 : 1, UINT64_MAX));
    simulator.RunAll();
  }
  EXPECT_LT(simulator.WriteAmplification(), 9);
  EXPECT_LT(simulator.levels().level0().size(), 40u);
  simulator.ExpectVersionsInOrder();
}

TEST(TieredPickerTest, NothingGrowsBeyondTheLargestMerge) {
  PickerOptions options = kSmall;
  options.merge_bytes_max = 200;
  LevelSimulator simulator(options, PickTiered);
  Random random(10);
  for (int i = 0; i < 400; ++i) {
    simulator.Flush(Keys(random, 16, UINT64_MAX));
    simulator.RunAll();
  }
  for (const SegmentPtr& segment : simulator.levels().level0()) EXPECT_LE(segment->size, 200u);
  EXPECT_LT(simulator.levels().level0().size(), 120u);
}

TEST(TieredPickerTest, NothingHasMoreBlocksThanASegmentCanLocate) {
  PickerOptions options = kSmall;
  options.merge_blocks_max = 200;
  LevelSimulator simulator(options, PickTiered);
  Random random(10);
  for (int i = 0; i < 400; ++i) {
    simulator.Flush(Keys(random, 16, UINT64_MAX));
    simulator.RunAll();
  }
  for (const SegmentPtr& segment : simulator.levels().level0()) {
    EXPECT_LE(segment->data_block_count, 200u);
  }
  EXPECT_LT(simulator.levels().level0().size(), 120u);
}

// Beyond what one merge takes in, garbage goes by itself: the store stays as large as what lives in it,
// whatever is removed, and nothing is rewritten for ever.
TEST(TieredPickerTest, RemovedEntriesLeaveFinalSegmentsTooAndTheWorkEnds) {
  for (const bool oldest_first : {false, true}) {
    SCOPED_TRACE(oldest_first);
    PickerOptions options = kSmall;
    options.merge_bytes_max = 200;
    LevelSimulator simulator(options, PickTiered);
    Random random(21);
    std::vector<uint64_t> live;
    uint64_t next_key = 0;
    uint64_t most = 0;
    for (int i = 0; i < 1500; ++i) {
      std::vector<uint64_t> keys;
      for (int k = 0; k < 16; ++k) {
        keys.push_back(++next_key * 0x9e3779b97f4a7c15);
        live.push_back(keys.back());
      }
      simulator.Flush(keys);
      if (live.size() > 2000) {
        keys.clear();
        for (int k = 0; k < 16; ++k) {
          const size_t at = oldest_first ? static_cast<size_t>(k) : random.Uniform(live.size());
          keys.push_back(live[at]);
          if (!oldest_first) {
            live[at] = live.back();
            live.pop_back();
          }
        }
        if (oldest_first) live.erase(live.begin(), live.begin() + 16);
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        simulator.FlushRemoves(keys);
      }
      for (int merges = 0; simulator.Start(); ++merges) {
        simulator.Finish(0);
        ASSERT_LT(merges, 200) << "work that has no end";
      }
      most = std::max(most, simulator.levels().total_bytes());
    }
    EXPECT_EQ(simulator.Newest().size(), live.size());
    simulator.ExpectVersionsInOrder();
    std::printf("             removes %s: %zu entries live, %zu at most on disk, write %.2f\n",
                oldest_first ? "of the oldest" : "at random", live.size(),
                static_cast<size_t>(most), simulator.WriteAmplification());
    EXPECT_LT(most, 2 * live.size());
    EXPECT_LT(simulator.WriteAmplification(), 12);
  }
}

TEST(TieredPickerTest, TombstonesThatASnapshotHoldsBackMakeNoWork) {
  PickerOptions options = kSmall;
  options.merge_bytes_max = 200;
  LevelSimulator simulator(options, PickTiered);
  Random random(22);
  const std::vector<uint64_t> keys = Keys(random, 180, UINT64_MAX);
  simulator.Flush(keys);
  simulator.FlushRemoves(keys);
  PickerOptions held = options;
  held.oldest_snapshot = SequenceNumber{180};
  EXPECT_EQ(PickTiered(simulator.levels(), held, {}).kind, CompactionKind::kNothing);
  EXPECT_LT(TieredScore(simulator.levels(), held), 1);
  const Compaction pick = PickTiered(simulator.levels(), options, {});
  ASSERT_TRUE(pick.reclaims);
  EXPECT_GE(TieredScore(simulator.levels(), options), 1);
  EXPECT_EQ(pick.inputs.front(), simulator.levels().level0().back()) << "the oldest first";
  EXPECT_EQ(pick.newer.size(), 1u);
  const Compaction* const running[] = {&pick};
  EXPECT_EQ(PickTiered(simulator.levels(), options, running).kind, CompactionKind::kNothing);
  simulator.RunAll();
  EXPECT_TRUE(simulator.levels().empty());
}

// Two segments that follow one another are one if that may be, though a whole fan-in may not.
TEST(TieredPickerTest, SegmentsBeyondHalfTheLargestMergeAreNotLeftAsTheyAre) {
  PickerOptions options = kSmall;
  options.merge_bytes_max = 160;
  LevelSimulator simulator(options, PickTiered);
  Random random(13);
  for (const uint64_t size : {uint64_t{160}, uint64_t{75}, uint64_t{75}}) {
    simulator.Flush(Keys(random, size, UINT64_MAX));
  }
  simulator.RunAll();
  ASSERT_EQ(simulator.levels().level0().size(), 2u);
  EXPECT_EQ(simulator.levels().level0()[0]->size, 150u);
  simulator.Flush(Keys(random, 70, UINT64_MAX));  // not with what it can only rewrite, or not at all
  simulator.RunAll();
  EXPECT_EQ(simulator.levels().level0().size(), 3u);
  EXPECT_EQ(simulator.merges(), 1u);
}

// Work is scheduled by the score: what would be picked must have one of 1 at least, runs that the
// largest merge cut short among it.
TEST(TieredPickerTest, TheScoreSaysWhetherSomethingWouldBePicked) {
  PickerOptions options = kSmall;
  options.merge_bytes_max = 50;  // three flushes: fewer than fan_in
  LevelSimulator simulator(options, PickTiered);
  Random random(12);
  int picked = 0;
  for (int i = 0; i < 400; ++i) {
    simulator.Flush(Keys(random, 16, UINT64_MAX));
    const bool picks =
        PickTiered(simulator.levels(), options, {}).kind != CompactionKind::kNothing;
    EXPECT_EQ(TieredScore(simulator.levels(), options) >= 1, picks);
    picked += picks ? 1 : 0;
    simulator.RunAll();
  }
  EXPECT_GT(picked, 20);
}

TEST(TieredPickerTest, ByHandEverythingBecomesOne) {
  LevelSimulator simulator(kSmall, PickTiered);
  Random random(11);
  for (int i = 0; i < 7; ++i) simulator.Flush(Keys(random, 16, 100));
  const RangePick pick = PickTieredRange(simulator.levels(), {}, {0}, kSmall, {});
  EXPECT_TRUE(pick.is_last);
  EXPECT_EQ(pick.compaction.inputs.size(), 7u);
  const Compaction* const running[] = {&pick.compaction};
  EXPECT_TRUE(PickTieredRange(simulator.levels(), {}, {0}, kSmall, running).blocked);
  simulator.Run(pick.compaction);
  EXPECT_EQ(simulator.levels().level0().size(), 1u);
  EXPECT_EQ(PickTieredRange(simulator.levels(), {}, {1}, kSmall, {}).compaction.kind,
            CompactionKind::kNothing);
}

}  // namespace
}  // namespace firn
