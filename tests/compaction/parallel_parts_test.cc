#include "compaction/parallel_parts.h"

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(ParallelPartsTest, EachPartRunsOnceOnWhateverThreadsThereAre) {
  for (const size_t parts : {size_t{1}, size_t{2}, size_t{7}}) {
    std::vector<std::atomic<int>> runs(parts);
    std::vector<std::thread> threads;
    RunParts(parts, [&threads](std::function<void()> helper) {
      threads.emplace_back(std::move(helper));
    }, [&runs](size_t part) { runs[part].fetch_add(1); });
    for (const std::atomic<int>& count : runs) EXPECT_EQ(count.load(), 1);
    EXPECT_EQ(threads.size(), parts - 1);
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(ParallelPartsTest, WithoutHelpersTheCallerRunsThemInOrder) {
  std::vector<size_t> order;
  RunParts(3, nullptr, [&order](size_t part) { order.push_back(part); });
  EXPECT_EQ(order, (std::vector<size_t>{0, 1, 2}));
}

TEST(ParallelPartsTest, AHelperThatComesTooLateDoesNothing) {
  std::deque<std::function<void()>> late;
  {
    size_t runs = 0;
    RunParts(4, [&late](std::function<void()> helper) { late.push_back(std::move(helper)); },
             [&runs](size_t) { ++runs; });
    EXPECT_EQ(runs, 4u);
  }
  EXPECT_EQ(late.size(), 3u);
  for (const std::function<void()>& helper : late) helper();  // what it would run is gone
}

TEST(ParallelPartsTest, TheCallerWaitsForPartsThatAHelperHasBegun) {
  std::atomic<bool> begun{false};
  std::atomic<bool> ended{false};
  std::thread helper_thread;
  const std::thread::id caller = std::this_thread::get_id();
  RunParts(2, [&helper_thread](std::function<void()> helper) {
    helper_thread = std::thread(std::move(helper));
  }, [&](size_t) {
    if (std::this_thread::get_id() == caller) {
      while (!begun) std::this_thread::yield();  // so that the helper has the other part
      return;
    }
    begun = true;
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    ended = true;
  });
  EXPECT_TRUE(ended);
  helper_thread.join();
}

}  // namespace
}  // namespace firn
