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

TEST(OwedDelayTest, ShortDelaysAddUpToASleep) {
  using std::chrono::microseconds;
  OwedDelay owed;
  microseconds slept{0};
  for (int i = 0; i < 1000; ++i) {
    const microseconds sleep = owed.Add(microseconds(7));
    EXPECT_TRUE(sleep.count() == 0 || sleep >= OwedDelay::kSleepMin);
    slept += sleep;
  }
  EXPECT_GT(slept.count(), 7000 - OwedDelay::kSleepMin.count());
  EXPECT_LE(slept.count(), 7000);
  EXPECT_GE(owed.Add(microseconds(5000)).count(), 5000);  // at once
  owed.Add(microseconds(299));
  owed.Forgive();
  EXPECT_EQ(owed.Add(microseconds(1)).count(), 0);
}

TEST(ThrottleLogTest, SpeaksOnceAChange) {
  using Change = ThrottleLog::Change;
  ThrottleLog log;
  EXPECT_EQ(log.Note(Kind::kGo, 1), Change::kNone);
  EXPECT_EQ(log.Note(Kind::kDelay, 2), Change::kSlowed);
  EXPECT_EQ(log.Note(Kind::kGo, 3), Change::kNone) << "it may come back at once";
  EXPECT_EQ(log.Note(Kind::kDelay, 4), Change::kNone);
  EXPECT_EQ(log.Note(Kind::kStop, 5), Change::kStopped);
  EXPECT_EQ(log.Note(Kind::kStop, 6), Change::kNone);
  EXPECT_EQ(log.Note(Kind::kDelay, 7), Change::kNone);
  EXPECT_EQ(log.Note(Kind::kGo, 6 + ThrottleLog::kQuietUs), Change::kNone);
  EXPECT_EQ(log.Note(Kind::kGo, 7 + ThrottleLog::kQuietUs), Change::kFreed);
  EXPECT_EQ(log.Note(Kind::kGo, 8 + ThrottleLog::kQuietUs), Change::kNone);
  EXPECT_EQ(log.Note(Kind::kStop, 9 + ThrottleLog::kQuietUs), Change::kStopped);
}

}  // namespace
}  // namespace firn
