#include "tree/append_queue.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "base/status.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(AppendQueueTest, ThreadsGetConsecutiveNumbersAndNobodyWritesBesideAnother) {
  uint64_t last = 0;  // the leader's: a data race here is the bug that this test looks for
  AppendQueue queue([&last](absl::Span<AppendQueue::Request* const> requests) {
    for (AppendQueue::Request* const request : requests) {
      request->first = last + 1;
      last += request->operations.size();
    }
  });
  constexpr int kThreads = 8;
  constexpr int kCalls = 500;
  std::vector<std::vector<uint64_t>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&queue, &mine = numbers[static_cast<size_t>(i)]] {
      const std::vector<OperationRecord> two(2);
      for (int call = 0; call < kCalls; ++call) {
        const absl::StatusOr<uint64_t> first = queue.Run(two);
        ASSERT_OK(first);
        mine.push_back(*first);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<uint64_t> all;
  for (const std::vector<uint64_t>& mine : numbers) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), size_t{kThreads} * kCalls);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], 2 * i + 1);
}

TEST(AppendQueueTest, EachCallerGetsItsOwnError) {
  AppendQueue queue([](absl::Span<AppendQueue::Request* const> requests) {
    for (AppendQueue::Request* const request : requests) {
      if (request->operations.size() == 1) request->status = InvalidArgument("one");
    }
  });
  EXPECT_FALSE(queue.Run(std::vector<OperationRecord>(1)).ok());
  EXPECT_OK(queue.Run(std::vector<OperationRecord>(2)));
}

TEST(AppendQueueTest, WorkAloneKeepsAppendsOut) {
  int inside = 0;
  AppendQueue queue([&inside](absl::Span<AppendQueue::Request* const>) {
    EXPECT_EQ(++inside, 1);
    --inside;
  });
  std::thread other([&queue] {
    for (int i = 0; i < 300; ++i) EXPECT_OK(queue.Run(std::vector<OperationRecord>(1)));
  });
  for (int i = 0; i < 300; ++i) {
    EXPECT_OK(queue.RunAlone([&inside] {
      EXPECT_EQ(++inside, 1);
      --inside;
      return absl::OkStatus();
    }));
  }
  other.join();
  EXPECT_THAT(queue.RunAlone([] { return absl::AbortedError("no"); }),
              StatusIs(absl::StatusCode::kAborted));
}

}  // namespace
}  // namespace firn
