#include "engine/write_throttle.h"

#include "gtest/gtest.h"

namespace firn {
namespace {

using Kind = ThrottleDecision::Kind;

constexpr WriteThrottleLimits kLimits = {.unflushed_bytes_slow = 1000,
                                         .unflushed_bytes_stop = 101000,
                                         .immutable_memtables_slow = 2,
                                         .immutable_memtables_stop = 4,
                                         .level0_segments_slow = 12,
                                         .level0_segments_stop = 36};

TEST(WriteThrottleTest, GoesWithoutDebt) {
  EXPECT_EQ(DecideThrottle({}, kLimits, 1 << 20).kind, Kind::kGo);
  const WriteDebt at_the_slow_limits = {.unflushed_bytes = 1000, .immutable_memtables = 2,
                                        .level0_segments = 12};
  EXPECT_EQ(DecideThrottle(at_the_slow_limits, kLimits, 1 << 20).kind, Kind::kGo);
}

TEST(WriteThrottleTest, EachKindOfDebtSlowsAndThenStops) {
  EXPECT_EQ(DecideThrottle({.unflushed_bytes = 50000}, kLimits, 1 << 16).kind, Kind::kDelay);
  EXPECT_EQ(DecideThrottle({.unflushed_bytes = 101000}, kLimits, 1).kind, Kind::kStop);
  EXPECT_EQ(DecideThrottle({.immutable_memtables = 3}, kLimits, 1 << 16).kind, Kind::kDelay);
  EXPECT_EQ(DecideThrottle({.immutable_memtables = 4}, kLimits, 1).kind, Kind::kStop);
  EXPECT_EQ(DecideThrottle({.level0_segments = 24}, kLimits, 1 << 16).kind, Kind::kDelay);
  EXPECT_EQ(DecideThrottle({.level0_segments = 36}, kLimits, 1).kind, Kind::kStop);
  EXPECT_EQ(DecideThrottle({.level0_segments = 1000}, kLimits, 1).kind, Kind::kStop);
}

TEST(WriteThrottleTest, TheDelayGrowsWithoutAJump) {
  int64_t last_us = 0;
  for (uint64_t bytes = 0; bytes < 101000; bytes += 10) {
    const ThrottleDecision decision =
        DecideThrottle({.unflushed_bytes = bytes}, kLimits, 4096);
    ASSERT_NE(decision.kind, Kind::kStop);
    const int64_t delay_us = decision.delay.count();
    ASSERT_GE(delay_us, last_us);
    // Never more than a tenth above the last, once it is large enough for that to mean anything; the
    // last steps in front of the stop are the steep ones.
    if (bytes < 100000) {
      ASSERT_LE(delay_us, last_us + 2 + last_us / 10) << bytes;
    }
    ASSERT_LE(delay_us, kWriteDelayMax.count());
    last_us = delay_us;
  }
  EXPECT_GT(last_us, 10000);
}

TEST(WriteThrottleTest, HalfPressureAllows32MegabytesASecond) {
  const ThrottleDecision decision =
      DecideThrottle({.unflushed_bytes = 51000}, kLimits, 32'000);
  EXPECT_EQ(decision.delay.count(), 1000);
}

TEST(WriteThrottleTest, LimitsFromOptionsLeaveRoomForAFullActiveMemtable) {
  const size_t size = size_t{64} << 20;
  const WriteThrottleLimits limits = LimitsFor(size, 2, 12, 36);
  EXPECT_EQ(DecideThrottle({.unflushed_bytes = 2 * size}, limits, 1 << 20).kind, Kind::kGo);
  EXPECT_EQ(DecideThrottle({.unflushed_bytes = 3 * size, .immutable_memtables = 2}, limits, 1 << 20)
                .kind,
            Kind::kDelay);
  EXPECT_EQ(DecideThrottle({.unflushed_bytes = 4 * size, .immutable_memtables = 3}, limits, 1).kind,
            Kind::kStop);
  // The smallest options too give pairs in order.
  const WriteThrottleLimits smallest = LimitsFor(1, 1, 5, 5);
  EXPECT_LT(smallest.unflushed_bytes_slow, smallest.unflushed_bytes_stop);
  EXPECT_LT(smallest.immutable_memtables_slow, smallest.immutable_memtables_stop);
  EXPECT_LT(smallest.level0_segments_slow, smallest.level0_segments_stop);
}

}  // namespace
}  // namespace firn
