#include "base/futex.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(FutexTest, AWordThatIsNotAsExpectedIsNotWaitedFor) {
  std::atomic<uint32_t> word{7};
  FutexWait(word, 6u);
  EXPECT_EQ(word.load(), 7u);
}

TEST(FutexTest, NoWakeUpIsLostBetweenThreadsThatTakeTurns) {
  constexpr uint32_t kTurns = 20'000;
  std::atomic<uint32_t> turn{0};
  const auto play = [&turn](uint32_t mine) {
    while (true) {
      uint32_t seen = turn.load(std::memory_order_acquire);
      while (seen < kTurns && seen % 2 != mine) {
        FutexWait(turn, seen);
        seen = turn.load(std::memory_order_acquire);
      }
      if (seen >= kTurns) return;
      turn.store(seen + 1, std::memory_order_release);
      FutexWake(&turn);
    }
  };
  std::thread other([&play] { play(1); });
  play(0);
  FutexWake(&turn);
  other.join();
  EXPECT_EQ(turn.load(), kTurns);
}

TEST(FutexTest, WakingAnAddressThatIsGoneHarmsNobody) {
  auto* const gone = static_cast<std::atomic<uint32_t>*>(nullptr);
  FutexWake(gone);
}

}  // namespace
}  // namespace firn
