#include "compaction/leveled_picker.h"

#include <cstdio>
#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compaction/level_simulator.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

// One entry is one byte here.
constexpr PickerOptions kSmall = {
    .level0_segments_merge = 4, .level1_size = 40, .multiplier = 3, .segment_size = 10};

std::vector<uint64_t> RandomKeys(Random& random, uint64_t count, uint64_t key_limit) {
  std::vector<uint64_t> keys;
  for (uint64_t i = 0; i < count; ++i) keys.push_back(random.Uniform(key_limit));
  return keys;
}

TEST(LeveledPickerTest, PicksNothingWhileNoLevelIsOverItsSize) {
  LevelSimulator simulator(kSmall, PickLeveled);
  EXPECT_FALSE(simulator.Start());
  for (int i = 0; i < 3; ++i) {
    simulator.Flush({1, 2, 3});
    EXPECT_FALSE(simulator.Start());
  }
  EXPECT_LT(LeveledScore(simulator.levels(), kSmall), 1);
  EXPECT_EQ(LeveledDebt(simulator.levels(), kSmall), 0);
}

TEST(LeveledPickerTest, MergesAllOfLevel0WhenItHasEnoughSegments) {
  LevelSimulator simulator(kSmall, PickLeveled);
  for (int i = 0; i < 4; ++i) simulator.Flush({1, 2, 3});
  EXPECT_GE(LeveledScore(simulator.levels(), kSmall), 1);
  EXPECT_EQ(LeveledDebt(simulator.levels(), kSmall), 12);
  const Compaction pick = PickLeveled(simulator.levels(), kSmall, {});
  EXPECT_EQ(pick.kind, CompactionKind::kMerge);
  EXPECT_EQ(pick.inputs.size(), 4);
  EXPECT_EQ(pick.smallest, NumberKey(1));
  EXPECT_EQ(pick.largest, NumberKey(3));
  EXPECT_THAT(pick.reason, HasSubstr("level 0 has 4 segments"));
  ASSERT_TRUE(simulator.Start());
  EXPECT_FALSE(simulator.Start()) << "one merge of level 0 at a time";
  simulator.Finish(0);
  EXPECT_TRUE(simulator.levels().level0().empty());
  EXPECT_EQ(simulator.levels().bytes({1}), 3);
}

TEST(LeveledPickerTest, AscendingKeysAreMovedAndNeverRewritten) {
  LevelSimulator simulator(kSmall, PickLeveled);
  for (uint64_t i = 0; i < 300; ++i) {
    simulator.Flush({10 * i, 10 * i + 3, 10 * i + 9});
    simulator.RunAll();
  }
  EXPECT_EQ(simulator.merges(), 0);
  EXPECT_EQ(simulator.WriteAmplification(), 1);
  EXPECT_GT(simulator.levels().level({3}).size(), 0);
  simulator.ExpectVersionsInOrder();
}

TEST(LeveledPickerTest, TargetsGrowByTheMultiplierAndDoNotWrapAround) {
  EXPECT_EQ(LevelTarget(kSmall, {1}), 40);
  EXPECT_EQ(LevelTarget(kSmall, {3}), 360);
  EXPECT_EQ(LevelTarget({.level1_size = uint64_t{1} << 60, .multiplier = 10}, {4}), UINT64_MAX);
}

TEST(LeveledPickerTest, FromADeeperLevelTheSegmentWithTheLeastBelowItGoesFirst) {
  LevelSimulator simulator(kSmall, PickLeveled);
  Random random(7);
  for (int i = 0; i < 200; ++i) {
    simulator.Flush(RandomKeys(random, 10, 1000));
    while (simulator.Start()) {
      const Compaction& pick = simulator.running().front();
      if (pick.source_level.value > 0) {
        const auto ratio = [&](const SegmentPtr& segment) {
          uint64_t below = 0;
          for (const SegmentPtr& other : simulator.levels().Overlapping(
                   pick.output_level, {SmallestUserKey(*segment), LargestUserKey(*segment)})) {
            below += other->size;
          }
          return static_cast<double>(below) / static_cast<double>(segment->size);
        };
        double least = 1e9;
        double picked = 1e9;
        for (const SegmentPtr& segment : simulator.levels().level(pick.source_level)) {
          least = std::min(least, ratio(segment));
        }
        for (const SegmentPtr& segment : pick.inputs) picked = std::min(picked, ratio(segment));
        EXPECT_EQ(picked, least);
      }
      simulator.Finish(0);
    }
  }
}

// Thousands of level shapes, with up to three compactions that overlap in time and end in any order.
// The simulator checks each choice; levels check their invariants at each edit.
TEST(LeveledPickerTest, ConcurrentCompactionsKeepLevelsAndVersionsInOrder) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const PickerOptions options = {.level0_segments_merge = 1 + random.Uniform(5),
                                   .level1_size = 10 + random.Uniform(60),
                                   .multiplier = 2 + random.Uniform(4),
                                   .segment_size = 3 + random.Uniform(20)};
    const uint64_t key_limit = 20 + random.Uniform(2000);
    LevelSimulator simulator(options, PickLeveled);
    LevelSimulator::Versions model;
    uint64_t ascending = 0;
    for (int step = 0; step < 200; ++step) {
      const uint64_t move = random.Uniform(6);
      if (move == 0) {
        std::vector<uint64_t> keys = RandomKeys(random, 1 + random.Uniform(12), key_limit);
        if (random.OneIn(4)) keys = {key_limit + ascending++};
        if (random.OneIn(4)) keys = {keys[0], keys[0] + 1};  // narrow: may slip into a gap
        uint64_t sequence = simulator.last_sequence();
        for (const uint64_t key : keys) model[key] = ++sequence;
        simulator.Flush(keys);
      } else if (move < 4) {
        if (simulator.running().size() < 3) simulator.Start();
      } else if (move == 4 && simulator.running().size() < 3) {
        const uint64_t begin = random.Uniform(key_limit);
        const std::string smallest = NumberKey(begin);
        const std::string largest = NumberKey(begin + random.Uniform(key_limit / 2));
        const uint64_t level = random.Uniform(simulator.levels().deepest().value + 1);
        simulator.StartRange({smallest, largest}, {static_cast<uint32_t>(level)});
      } else if (!simulator.running().empty()) {
        simulator.Finish(random.Uniform(simulator.running().size()));
        simulator.ExpectVersionsInOrder();
      }
      if (HasFatalFailure()) return;
    }
    while (!simulator.running().empty()) simulator.Finish(0);
    simulator.RunAll();
    simulator.ExpectVersionsInOrder();
    EXPECT_EQ(simulator.Newest(), model);
    // It comes to rest only when nothing is due.
    EXPECT_EQ(LeveledDebt(simulator.levels(), options), 0);
    if (HasFailure()) return;
  }
}

TEST(LeveledPickerTest, ARangeIsCompactedDownToTheDeepestLevel) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    LevelSimulator simulator(kSmall, PickLeveled);
    for (int i = 0; i < 60; ++i) {
      simulator.Flush(RandomKeys(random, 8, 500));
      if (random.OneIn(2)) simulator.RunAll();
    }
    const LevelSimulator::Versions before = simulator.Newest();
    const std::string smallest = NumberKey(random.Uniform(500));
    const std::string largest = NumberKey(random.Uniform(500));
    UserKeyRange range;
    if (random.OneIn(2)) range.smallest = smallest;
    if (random.OneIn(2)) range.largest = largest;
    for (uint32_t level = 0; level < simulator.levels().deepest().value || level == 0; ++level) {
      while (true) {
        const RangePick pick = PickLeveledRange(simulator.levels(), range, {level}, kSmall, {});
        EXPECT_FALSE(pick.blocked);
        if (pick.compaction.kind == CompactionKind::kNothing) break;
        simulator.Run(pick.compaction);
      }
    }
    const RangePick last =
        PickLeveledRange(simulator.levels(), range, simulator.levels().deepest(), kSmall, {});
    if (last.compaction.kind != CompactionKind::kNothing) simulator.Run(last.compaction);
    for (uint32_t level = 0; level < simulator.levels().deepest().value; ++level) {
      EXPECT_TRUE(simulator.levels().Overlapping({level}, range).empty());
    }
    simulator.ExpectVersionsInOrder();
    EXPECT_EQ(simulator.Newest(), before);
  }
}

TEST(LeveledPickerTest, ARangeThatIsBeingMergedIsReportedAsBlocked) {
  LevelSimulator simulator(kSmall, PickLeveled);
  for (int i = 0; i < 4; ++i) simulator.Flush({1, 2, 3});
  ASSERT_TRUE(simulator.Start());
  const Compaction* const running[] = {&simulator.running().front()};
  EXPECT_TRUE(PickLeveledRange(simulator.levels(), {}, {0}, kSmall, running).blocked);
  EXPECT_FALSE(PickLeveledRange(simulator.levels(), {}, {1}, kSmall, running).blocked) << "nothing stands there";
  simulator.Finish(0);
  EXPECT_EQ(PickLeveledRange(simulator.levels(), {}, {0}, kSmall, {}).compaction.kind, CompactionKind::kNothing);
  EXPECT_EQ(PickLeveledRange(simulator.levels(), {}, {1}, kSmall, {}).compaction.kind, CompactionKind::kMerge);
}

// What the picker costs, in the shape of the defaults: memtable and segment 64 units, level 1 four of
// them, factor 10. Printed for whoever tunes it; held to a bound so that a change that doubles it fails.
TEST(LeveledPickerTest, WriteAmplificationStaysWithinItsBounds) {
  constexpr PickerOptions kDefaults = {
      .level0_segments_merge = 4, .level1_size = 256, .multiplier = 10, .segment_size = 64};
  struct Case {
    const char* name;
    uint64_t key_limit;
    double bound;
  };
  for (const Case& c : {Case{"uniform, hardly an overwrite", UINT64_MAX, 14},
                        Case{"uniform over 5000 keys", 5000, 14},
                        Case{"uniform over 500 keys", 500, 8}}) {
    LevelSimulator simulator(kDefaults, PickLeveled);
    Random random(11);
    for (int i = 0; i < 400; ++i) {
      simulator.Flush(RandomKeys(random, 64, c.key_limit));
      simulator.RunAll();
    }
    std::printf("             write amplification, %s: %.2f (%llu merges, %llu moves)\n", c.name,
                simulator.WriteAmplification(),
                static_cast<unsigned long long>(simulator.merges()),
                static_cast<unsigned long long>(simulator.moves()));
    EXPECT_LT(simulator.WriteAmplification(), c.bound) << c.name;
    EXPECT_GT(simulator.WriteAmplification(), 1.5) << c.name;
  }
}

}  // namespace
}  // namespace firn
