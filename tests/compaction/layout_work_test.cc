#include "compaction/layout_work.h"

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(LayoutWorkTest, EachLayoutHasItsPickerAndJobs) {
  for (const SegmentLayout layout :
       {SegmentLayout::kOrdered, SegmentLayout::kHashed, SegmentLayout::kSequence}) {
    const LayoutWork& work = WorkFor(layout);
    ASSERT_NE(work.picker, nullptr);
    ASSERT_NE(work.flush, nullptr);
    ASSERT_NE(work.compact, nullptr);
    EXPECT_EQ(work.picker->pick(Levels(), {}, {}).kind, CompactionKind::kNothing);
    EXPECT_LT(work.picker->score(Levels(), {}), 1);
  }
  EXPECT_NE(WorkFor(SegmentLayout::kHashed).picker, WorkFor(SegmentLayout::kOrdered).picker);
}

}  // namespace
}  // namespace firn
