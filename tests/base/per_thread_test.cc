#include "base/per_thread.h"

#include <atomic>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "base/counter.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

struct Tally {
  std::atomic<uint64_t> count{0};
};

uint64_t Total(const PerThread<Tally>& tallies) {
  uint64_t total = 0;
  tallies.ForEach([&total](const Tally& tally) { total += tally.count.load(); });
  return total;
}

TEST(PerThreadTest, EachLiveThreadHasOneForItself) {
  constexpr size_t kThreads = 70;  // over several chunks
  PerThread<Tally> tallies;
  std::vector<Tally*> mine(kThreads);
  std::latch all_have_theirs(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      mine[i] = &tallies.Mine();
      // Alone on it, so no read-modify-write is needed.
      for (int j = 0; j < 1000; ++j) mine[i]->count.store(mine[i]->count.load() + 1);
      EXPECT_EQ(&tallies.Mine(), mine[i]);
      all_have_theirs.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<Tally*>(mine.begin(), mine.end()).size(), kThreads);
  EXPECT_EQ(Total(tallies), kThreads * 1000);
}

TEST(PerThreadTest, ALaterThreadTakesOverWhatAnEndedOneLeft) {
  PerThread<Tally> tallies;
  for (uint64_t i = 1; i <= 10; ++i) {
    std::thread([&] { tallies.Mine().count.fetch_add(1); }).join();
    EXPECT_EQ(Total(tallies), i);
  }
}

TEST(PerThreadTest, ItemsStandOnCacheLinesOfTheirOwn) {
  PerThread<Tally> tallies;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&tallies.Mine()) % 64, 0);
}

TEST(CounterTest, SumsWhatThreadsAdd) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1000; ++i) counter.Add(2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.Total(), 8000u);
}

}  // namespace
}  // namespace firn
