#include "engine/space_watch.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class SpaceWatchTest : public ::testing::Test {
 protected:
  SpaceWatchTest() { EXPECT_OK(memory_.CreateDirectory("store")); }
  absl::Status Write(uint64_t bytes) {
    return watch_.CheckWrite(bytes, [this] { return unflushed_; });
  }

  MemoryFileSystem memory_{MemoryFileSystemOptions{.track_unsynced = false}};
  FaultInjectingFileSystem disk_{memory_};
  std::vector<std::string> lines_;
  uint64_t unflushed_ = 0;
  SpaceWatch watch_{disk_, "store", 8 * kMiB,
                    [this](absl::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(SpaceWatchTest, RefusesWhatWouldTakeTheRoomOfAFlushAndResumesByItself) {
  disk_.SetSpace(20 * kMiB);
  EXPECT_THAT(Write(1000), IsOk());
  unflushed_ = 9 * kMiB;  // 8 + 9 + 4 is more than there is
  EXPECT_THAT(Write(kMiB), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(Write(1), HasReason(ErrorReason::kDiskFull));
  EXPECT_TRUE(watch_.statistics().is_short);
  EXPECT_EQ(watch_.statistics().refused, 2u);
  EXPECT_THAT(lines_, SizeIs(1));
  disk_.SetSpace(22 * kMiB);
  EXPECT_THAT(Write(1), HasReason(ErrorReason::kDiskFull)) << "an eighth more is asked for";
  disk_.SetSpace(24 * kMiB);
  EXPECT_THAT(Write(1), IsOk());
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[0], HasSubstr("No space left to write"));
  EXPECT_THAT(lines_[1], HasSubstr("writes go on"));
  EXPECT_FALSE(watch_.statistics().is_short);
  EXPECT_EQ(watch_.statistics().free, 24 * kMiB);
}

TEST_F(SpaceWatchTest, LooksSeldomWhileThereIsPlenty) {
  EXPECT_THAT(Write(1), IsOk());
  disk_.SetSpace(0);
  EXPECT_THAT(Write(kMiB), IsOk());
  EXPECT_THAT(Write(64 * kMiB), HasReason(ErrorReason::kDiskFull));
}

TEST_F(SpaceWatchTest, AMergeAsksForItsOutputBesideWhatFlushesNeed) {
  disk_.SetSpace(20 * kMiB);
  const auto none = [] { return uint64_t{0}; };
  EXPECT_THAT(watch_.CheckMerge(8 * kMiB, none), IsOk());
  EXPECT_THAT(watch_.CheckMerge(9 * kMiB, none), HasReason(ErrorReason::kDiskFull));
  EXPECT_FALSE(watch_.statistics().is_short);
}

TEST_F(SpaceWatchTest, WhatCannotBeAskedIsNoFullDisk) {
  disk_.AddRule({.operation = FileOperation::kFreeSpace, .count = FaultRule::kForever});
  EXPECT_THAT(Write(kMiB), IsOk());
  EXPECT_THAT(watch_.CheckMerge(kMiB, [] { return uint64_t{0}; }), IsOk());
}

}  // namespace
}  // namespace firn
