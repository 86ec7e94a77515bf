#include "compaction/sequence_picker.h"

#include "gtest/gtest.h"
#include "tests/compaction/level_simulator.h"

namespace firn {
namespace {

constexpr PickerOptions kOptions = {.level0_segments_merge = 4};

TEST(SequencePickerTest, MovesSegmentsDownTogetherAndRewritesNone) {
  LevelSimulator simulator(kOptions, PickSequence);
  for (uint64_t i = 0; i < 300; ++i) {
    simulator.Flush({10 * i, 10 * i + 3, 10 * i + 9});
    simulator.RunAll();
    EXPECT_LT(simulator.levels().level0().size(), 4u);
    EXPECT_EQ(SequenceBacklog(simulator.levels(), kOptions), 0u);
    EXPECT_EQ(SequenceDebt(simulator.levels(), kOptions), 0u);
  }
  EXPECT_EQ(simulator.merges(), 0u);
  EXPECT_EQ(simulator.moves(), 75u);
  EXPECT_EQ(simulator.WriteAmplification(), 1);
  EXPECT_EQ(simulator.levels().level({1}).size(), 300u);
}

TEST(SequencePickerTest, OneMoveAtATime) {
  LevelSimulator simulator(kOptions, PickSequence);
  for (uint64_t i = 0; i < 5; ++i) simulator.Flush({i});
  EXPECT_GE(SequenceScore(simulator.levels(), kOptions), 1);
  ASSERT_TRUE(simulator.Start());
  EXPECT_FALSE(simulator.Start());
  const Compaction* const running[] = {&simulator.running().front()};
  EXPECT_TRUE(PickSequenceRange(simulator.levels(), {}, {0}, kOptions, running).blocked);
  simulator.Finish(0);
  EXPECT_EQ(SequenceScore(simulator.levels(), kOptions), 0);
}

TEST(SequencePickerTest, ByHandEverythingMovesDown) {
  LevelSimulator simulator(kOptions, PickSequence);
  simulator.Flush({1, 2});
  simulator.Flush({3});
  const RangePick pick = PickSequenceRange(simulator.levels(), {}, {0}, kOptions, {});
  EXPECT_TRUE(pick.is_last);
  EXPECT_EQ(pick.compaction.kind, CompactionKind::kMove);
  simulator.Run(pick.compaction);
  EXPECT_EQ(simulator.levels().level({1}).size(), 2u);
  EXPECT_EQ(PickSequenceRange(simulator.levels(), {}, {0}, kOptions, {}).compaction.kind,
            CompactionKind::kNothing);
}

TEST(SequencePickerTest, OnlyWholeSegmentsAreBelowABound) {
  LevelSimulator simulator(kOptions, PickSequence);
  for (uint64_t i = 0; i < 6; ++i) {
    simulator.Flush({10 * i, 10 * i + 9});
    if (i == 3) simulator.RunAll();  // two of them stay on level 0
  }
  EXPECT_TRUE(SegmentsBelow(simulator.levels(), NumberKey(9)).empty());
  EXPECT_EQ(SegmentsBelow(simulator.levels(), NumberKey(10)).size(), 1u);
  EXPECT_EQ(SegmentsBelow(simulator.levels(), NumberKey(49)).size(), 4u);
  EXPECT_EQ(SegmentsBelow(simulator.levels(), NumberKey(1000)).size(), 6u);
}

}  // namespace
}  // namespace firn
