#include "engine/space_guard.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(SpaceGuard, AsksForWhatMustStillBeWrittenAndWhatIsToStayFree) {
  EXPECT_EQ(SpaceNeeded({.free_space_min = 0, .unflushed = 0, .log = 0}), 4 * kMiB);
  EXPECT_EQ(SpaceNeeded({.free_space_min = 8 * kMiB, .unflushed = 100 * kMiB, .log = kMiB}),
            113 * kMiB);
}

TEST(SpaceGuard, ResumesOnlyWithMoreThanWhatStoppedIt) {
  const SpaceDebt debt{.free_space_min = 8 * kMiB, .unflushed = 4 * kMiB, .log = 0};
  EXPECT_GT(SpaceToResume(debt), SpaceNeeded(debt));
  EXPECT_EQ(SpaceToResume(debt), 18 * kMiB);
}

TEST(SpaceGuard, LooksTheMoreOftenTheFullerTheDisk) {
  EXPECT_EQ(LookAgainAfter(10, 10), 0u);
  EXPECT_EQ(LookAgainAfter(11 * kMiB, 10 * kMiB), kMiB / 16);
  EXPECT_EQ(LookAgainAfter(26 * kMiB, 10 * kMiB), kMiB);
  EXPECT_EQ(LookAgainAfter(uint64_t{1} << 40, 0), 64 * kMiB);
}

TEST(SpaceGuard, SaysWhatIsNeededAndWhatToDo) {
  const absl::Status status = OutOfSpace("/store", 5, 10);
  EXPECT_THAT(status, HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                               HasSubstr("/store: No space left to write: 5 bytes are free, and 10 "
                                         "are needed")));
  EXPECT_THAT(status.message(), HasSubstr("make room"));
  const absl::Status full = KeyspaceFull("notes", 20, 10);
  EXPECT_THAT(full, HasReason(ErrorReason::kKeyspaceFull));
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("SetSizeLimits")));
}

TEST(SpaceGuard, JudgesAKeyspaceByBothLimits) {
  EXPECT_EQ(JudgeSize({}, UINT64_MAX), SizeVerdict::kBelow);
  EXPECT_EQ(JudgeSize({.soft = 10, .hard = 20}, 9), SizeVerdict::kBelow);
  EXPECT_EQ(JudgeSize({.soft = 10, .hard = 20}, 10), SizeVerdict::kAboveSoft);
  EXPECT_EQ(JudgeSize({.soft = 10, .hard = 20}, 20), SizeVerdict::kAboveHard);
  EXPECT_EQ(JudgeSize({.soft = 0, .hard = 20}, 19), SizeVerdict::kBelow);
  EXPECT_EQ(JudgeSize({.soft = 10, .hard = 0}, UINT64_MAX), SizeVerdict::kAboveSoft);
}

}  // namespace
}  // namespace firn
