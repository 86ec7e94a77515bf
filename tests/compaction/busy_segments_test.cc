#include "compaction/busy_segments.h"

#include "tests/compaction/level_simulator.h"

namespace firn {
namespace {

SegmentPtr Segment(uint64_t number, uint64_t smallest, uint64_t largest) {
  SegmentMeta segment;
  segment.number = {number};
  segment.size = 10;
  segment.entry_count = 1;
  segment.smallest = EncodeInternalKey({.user_key = NumberKey(smallest), .sequence = {1}});
  segment.largest = EncodeInternalKey({.user_key = NumberKey(largest), .sequence = {1}});
  return std::make_shared<const SegmentMeta>(segment);
}

Compaction Merge(std::vector<SegmentPtr> inputs, uint32_t from, uint32_t to) {
  Compaction merge{.kind = CompactionKind::kMerge, .source_level = {from}, .output_level = {to}};
  merge.inputs = std::move(inputs);
  WidenRange(merge, merge.inputs, true);
  return merge;
}

TEST(BusySegmentsTest, NobodyReadsWhatIsHeldOrWritesWhereAnotherWrites) {
  const Compaction running = Merge({Segment(1, 10, 20), Segment(2, 30, 40)}, 1, 2);
  EXPECT_EQ(running.smallest, NumberKey(10));
  EXPECT_EQ(running.largest, NumberKey(40));
  const Compaction* const all[] = {&running};
  const BusySegments busy(all);
  EXPECT_TRUE(busy.Holds(Segment(1, 0, 0)));
  EXPECT_FALSE(busy.Holds(Segment(3, 0, 0)));
  EXPECT_FALSE(busy.ReadsLevel0());
  EXPECT_TRUE(busy.Forbids(Merge({Segment(2, 30, 40)}, 1, 2)));
  EXPECT_TRUE(busy.Forbids(Merge({Segment(3, 25, 26)}, 1, 2))) << "within its range";
  EXPECT_FALSE(busy.Forbids(Merge({Segment(3, 41, 50)}, 1, 2)));
  EXPECT_FALSE(busy.Forbids(Merge({Segment(3, 25, 26)}, 2, 3)));
  EXPECT_EQ(busy.StayingBytes({Segment(1, 10, 20), Segment(2, 30, 40), Segment(4, 50, 60)}, {1}),
            10u);
}

TEST(BusySegmentsTest, MergesWithinLevel0MayOverlap) {
  const Compaction running = Merge({Segment(1, 10, 20)}, 0, 0);
  const Compaction* const all[] = {&running};
  EXPECT_FALSE(BusySegments(all).Forbids(Merge({Segment(2, 10, 20)}, 0, 0)));
  EXPECT_TRUE(BusySegments(all).ReadsLevel0());
}

}  // namespace
}  // namespace firn
