#include "compaction/flush_job.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(FlushJobTest, WritesWhatWasPublishedAndLeavesOutTheRest) {
  SegmentFixture fixture;
  FlushResult result = RunFlushJob(
      fixture.Context(1 << 20),
      {.source = NewVectorIterator({MakePut("a", 1, "x"), MakePut("b", 2, "y"), MakePut("b", 5, "z"),
                                    MakePut("c", 6, "w")}),
       .sequence_max = {4}});
  ASSERT_OK(result.status);
  EXPECT_EQ(result.entries_above_bound, 2);
  EXPECT_EQ(result.entries_read, 2);
  ASSERT_THAT(result.edit.added, SizeIs(1));
  EXPECT_THAT(result.edit.removed, IsEmpty());
  EXPECT_EQ(result.edit.added[0].level, LevelIndex{0});
  const SegmentMeta& segment = *result.edit.added[0].segment;
  EXPECT_EQ(segment.sequence_max, SequenceNumber{2});
  EXPECT_EQ(result.bytes_written, segment.size);
  EXPECT_THAT(result.created, ElementsAre(segment.number));
  EXPECT_THAT(fixture.Read(segment),
              IsOkAndHolds(ElementsAre(MakePut("a", 1, "x"), MakePut("b", 2, "y"))));
}

TEST(FlushJobTest, KeepsTombstonesAndDropsWhatNoSnapshotSees) {
  SegmentFixture fixture;
  const std::vector<StoredEntry> entries = {MakePut("a", 1, "x"), MakePut("a", 2, "y"),
                                            MakePut("a", 3, "z"), MakeTombstone("b", 4)};
  FlushResult result = RunFlushJob(fixture.Context(1 << 20, {{1}}),
                                   {.source = NewVectorIterator(entries), .sequence_max = {9}});
  ASSERT_OK(result.status);
  EXPECT_EQ(result.collected.shadowed, 1);
  EXPECT_THAT(fixture.Read(*result.edit.added.at(0).segment),
              IsOkAndHolds(ElementsAre(MakePut("a", 3, "z"), MakePut("a", 1, "x"),
                                       MakeTombstone("b", 4))));
}

TEST(FlushJobTest, AnEmptyMemtableMakesNoSegment) {
  SegmentFixture fixture;
  FlushResult result =
      RunFlushJob(fixture.Context(1 << 20), {.source = NewVectorIterator({}), .sequence_max = {9}});
  EXPECT_OK(result.status);
  EXPECT_THAT(result.edit.added, IsEmpty());
  EXPECT_THAT(result.created, IsEmpty());
}

}  // namespace
}  // namespace firn
