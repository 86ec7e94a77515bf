#include "engine/obsolete_files.h"

#include <memory>

#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/edit_examples.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(ObsoleteFiles, AFileGoesWithItsLastReader) {
  MemoryFileSystem file_system;
  ASSERT_THAT(file_system.CreateDirectory("k"), IsOk());
  ASSERT_THAT(file_system.Create("k/000004.seg"), IsOk());
  ASSERT_THAT(file_system.Create("k/000005.seg"), IsOk());
  SegmentCache cache(file_system, 16, nullptr, nullptr);
  ObsoleteFiles obsolete(file_system, cache);
  auto read = std::make_shared<const SegmentMeta>(ExampleSegment(4, "a", "b", 1));
  auto free = std::make_shared<const SegmentMeta>(ExampleSegment(5, "a", "b", 1));
  obsolete.Add(read, "k");
  obsolete.Add(free, "k");
  free = nullptr;
  ASSERT_THAT(obsolete.Collect(), IsOk());
  EXPECT_THAT(file_system.Stat("k/000004.seg"), IsOk());
  EXPECT_THAT(file_system.Stat("k/000005.seg"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(obsolete.waiting(), 1u);
  read = nullptr;
  ASSERT_THAT(obsolete.Collect(), IsOk());
  EXPECT_THAT(file_system.Stat("k/000004.seg"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(obsolete.waiting(), 0u);
}

TEST(ObsoleteFiles, AFailedRemovalIsReportedOnce) {
  MemoryFileSystem file_system;
  SegmentCache cache(file_system, 16, nullptr, nullptr);
  ObsoleteFiles obsolete(file_system, cache);
  obsolete.Add(std::make_shared<const SegmentMeta>(ExampleSegment(4, "a", "b", 1)), "nowhere");
  EXPECT_THAT(obsolete.Collect(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(obsolete.Collect(), IsOk());
}

}  // namespace
}  // namespace firn
