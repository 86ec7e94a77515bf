#include "engine/ticker.h"

#include <atomic>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(TickerTest, CallsUntilItIsDestroyedAndNeverAfterwards) {
  std::atomic<int> calls{0};
  {
    const Ticker ticker(std::chrono::milliseconds(1), [&] { calls.fetch_add(1); });
    while (calls.load() < 3) std::this_thread::yield();
  }
  const int at_end = calls.load();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(calls.load(), at_end);
}

TEST(TickerTest, EndsAtOnceInTheMiddleOfALongPeriod) {
  std::atomic<int> calls{0};
  const auto begin = std::chrono::steady_clock::now();
  { const Ticker ticker(std::chrono::hours(1), [&] { calls.fetch_add(1); }); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

}  // namespace
}  // namespace firn
