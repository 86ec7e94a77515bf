#include "compaction/io_budget.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

using std::chrono::microseconds;

TEST(IoBudgetTest, WithoutALimitNobodySleeps) {
  ManualClock clock;
  const uint64_t start_us = clock.MonotonicMicroseconds();
  IoBudget budget(clock, 0);
  EXPECT_EQ(budget.Charge(uint64_t{1} << 40), microseconds(0));
  EXPECT_EQ(clock.MonotonicMicroseconds(), start_us);
  EXPECT_EQ(budget.charged_bytes(), uint64_t{1} << 40);
}

TEST(IoBudgetTest, TheLongRunRateIsTheOneThatWasAskedFor) {
  ManualClock clock;
  const uint64_t start_us = clock.MonotonicMicroseconds();
  IoBudget budget(clock, 1'000'000);
  for (int i = 0; i < 1000; ++i) budget.Charge(10'000);  // ten seconds' worth
  const uint64_t elapsed_us = clock.MonotonicMicroseconds() - start_us;
  EXPECT_NEAR(static_cast<double>(elapsed_us), 10e6, 0.02e6);
}

TEST(IoBudgetTest, AChargeOfAnySizePassesAndIsPaidFor) {
  ManualClock clock;
  IoBudget budget(clock, 1000);
  EXPECT_EQ(budget.Charge(60'000), microseconds(60'000'000));
}

TEST(IoBudgetTest, APauseBuysATenthOfASecondAndNoMore) {
  ManualClock clock;
  IoBudget budget(clock, 1'000'000);
  clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(budget.Charge(100'000), microseconds(0));
  EXPECT_EQ(budget.Charge(100'000), microseconds(100'000));
}

TEST(IoBudgetTest, AnotherRateTakesEffectWithTheNextCharge) {
  ManualClock clock;
  IoBudget budget(clock, 1000);
  budget.SetRate(1'000'000);
  EXPECT_EQ(budget.Charge(1000), microseconds(1000));
  budget.SetRate(0);
  EXPECT_EQ(budget.Charge(1'000'000), microseconds(0));
}

TEST(IoBudgetTest, ThreadsShareOneBudget) {
  ManualClock clock;
  const uint64_t start_us = clock.MonotonicMicroseconds();
  IoBudget budget(clock, 1'000'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 250; ++n) budget.Charge(1000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.charged_bytes(), 1'000'000);
  // Each charge is paid at the rate at least once: threads that sleep side by side pay more often.
  EXPECT_GE(clock.MonotonicMicroseconds() - start_us, 900'000);
}

}  // namespace
}  // namespace firn
