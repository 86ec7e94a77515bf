#include "compaction/ingest_placement.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sstable/internal_key.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

struct Placed {
  uint32_t level;
  const char* smallest;
  const char* largest;
};

Levels LevelsOf(const std::vector<Placed>& segments) {
  LevelsEdit edit;
  uint64_t number = 0;
  for (const Placed& placed : segments) {
    auto meta = std::make_shared<SegmentMeta>();
    meta->number = FileNumber{++number};
    meta->size = 100;
    meta->entry_count = 2;
    meta->sequence_min = meta->sequence_max = SequenceNumber{number};
    meta->smallest = EncodeInternalKey({placed.smallest, meta->sequence_min, EntryKind::kPut});
    meta->largest = EncodeInternalKey({placed.largest, meta->sequence_min, EntryKind::kPut});
    edit.added.push_back({{placed.level}, std::move(meta)});
  }
  auto levels = Levels().Apply(edit);
  EXPECT_OK(levels);
  return *std::move(levels);
}

uint32_t Place(const Levels& levels, const char* smallest, const char* largest, uint64_t bytes = 1,
               const std::vector<BusyRange>& busy = {},
               SegmentLayout layout = SegmentLayout::kOrdered) {
  PickerOptions options;
  options.level1_size = 1000;
  return PlaceIngested(WorkFor(layout), levels, {.smallest = smallest, .largest = largest}, bytes,
                       options, busy)
      .value;
}

TEST(IngestPlacementTest, GoesBelowWhatItDoesNotOverlapAndAboveWhatItDoes) {
  const Levels levels =
      LevelsOf({{0, "a", "c"}, {1, "d", "f"}, {2, "g", "i"}, {3, "j", "l"}, {3, "p", "r"}});
  EXPECT_EQ(Place(levels, "b", "b"), 0u);
  EXPECT_EQ(Place(levels, "c", "x"), 0u);
  EXPECT_EQ(Place(levels, "e", "x"), 0u) << "the level above the overlapped one";
  EXPECT_EQ(Place(levels, "h", "x"), 1u);
  EXPECT_EQ(Place(levels, "k", "k"), 2u);
  EXPECT_EQ(Place(levels, "m", "o"), 3u) << "between two segments";
  EXPECT_EQ(Place(levels, "l", "p"), 2u) << "both ends count";
}

TEST(IngestPlacementTest, GoesNoDeeperThanItsBytesOrTheLevelsInUse) {
  EXPECT_EQ(Place(Levels(), "a", "z", 1000), 1u);
  EXPECT_EQ(Place(Levels(), "a", "z", 1001), 2u);
  EXPECT_EQ(Place(Levels(), "a", "z", 10001), 3u);
  EXPECT_EQ(Place(Levels(), "a", "z", UINT64_MAX), kLevelCount - 1);
  EXPECT_EQ(Place(LevelsOf({{4, "a", "b"}}), "m", "z", 1), 4u);
}

TEST(IngestPlacementTest, KeepsOutOfWhatARunningMergeWillWrite) {
  const Levels levels = LevelsOf({{1, "a", "c"}, {1, "x", "z"}, {3, "0", "1"}});
  EXPECT_EQ(Place(levels, "m", "n"), 3u);
  // The merge of both segments of level 1 may write a segment from a to z.
  EXPECT_EQ(Place(levels, "m", "n", 1, {{{2}, "a", "z"}}), 1u);
  EXPECT_EQ(Place(levels, "m", "n", 1, {{{1}, "a", "z"}}), 0u);
  EXPECT_EQ(Place(levels, "m", "n", 1, {{{2}, "a", "l"}, {{2}, "o", "z"}}), 3u);
  EXPECT_EQ(Place(levels, "m", "n", 1, {{{2}, "n", "z"}}), 1u);
}

TEST(IngestPlacementTest, AHashedSegmentIsTheNewestRunAndASequenceStandsOnLevelOne) {
  EXPECT_EQ(Place(Levels(), "a", "z", 1, {}, SegmentLayout::kHashed), 0u);
  EXPECT_EQ(Place(Levels(), "a", "z", UINT64_MAX, {}, SegmentLayout::kSequence), 1u);
  EXPECT_EQ(Place(LevelsOf({{0, "a", "b"}}), "c", "d", 1, {{{1}, "a", "z"}},
                  SegmentLayout::kSequence),
            0u);
}

}  // namespace
}  // namespace firn
