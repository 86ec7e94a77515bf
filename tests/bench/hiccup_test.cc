#include "bench/hiccup.h"

#include "gtest/gtest.h"

namespace firn::bench {
namespace {

TEST(HiccupTest, PausesAreTakenOffTheCallsThatTheyOverlap) {
  EXPECT_EQ(LongestNetOf({}, {{0, 100}}), 0u);
  EXPECT_EQ(LongestNetOf({{10, 110}}, {}), 100u);
  // Of 100, a pause took 30 inside, 10 at the beginning and 5 at the end.
  EXPECT_EQ(LongestNetOf({{10, 110}}, {{0, 20}, {50, 80}, {105, 200}, {300, 400}}), 55u);
  // The longest as seen is not the longest net.
  EXPECT_EQ(LongestNetOf({{0, 100}, {200, 260}}, {{10, 90}}), 60u);
  EXPECT_EQ(LongestNetOf({{10, 20}}, {{0, 100}}), 0u);
}

// A clock on which every sleep is 700 us too long.
class SleepyClock final : public BenchClock {
 public:
  uint64_t Now() override { return now_; }
  void SleepUntil(uint64_t time) override {
    now_ = time + 700'000;
    std::this_thread::yield();
  }

 private:
  std::atomic<uint64_t> now_{0};
};

TEST(HiccupTest, AnIdleThreadSeesHowLateItWakes) {
  SleepyClock clock;
  HiccupMeter meter(clock);
  while (clock.Now() < 50'000'000) std::this_thread::yield();
  meter.Stop();
  EXPECT_GT(meter.histogram().count(), 20u);
  EXPECT_EQ(meter.histogram().max(), 700'000u);
  ASSERT_FALSE(meter.pauses().empty());
  EXPECT_EQ(meter.pauses()[0].end - meter.pauses()[0].begin, 700'000u);
}

}  // namespace
}  // namespace firn::bench
