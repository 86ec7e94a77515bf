#include "io/aligned_buffer.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(AlignedBuffer, IsAlignedAndZeroAtFirst) {
  AlignedBuffer buffer(10'000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % kDirectAlignment, 0u);
  EXPECT_EQ(buffer.size(), 10'000u);
  EXPECT_TRUE(std::all_of(buffer.span().begin(), buffer.span().end(),
                          [](uint8_t byte) { return byte == 0; }));
  EXPECT_EQ(AlignedBuffer(0).size(), 0u);
}

TEST(AlignedBuffer, MovesItsBytes) {
  AlignedBuffer first(4096);
  first.data()[5] = 7;
  AlignedBuffer second = std::move(first);
  EXPECT_EQ(second.data()[5], 7);
  AlignedBuffer third;
  third = std::move(second);
  EXPECT_EQ(third.data()[5], 7);
  EXPECT_EQ(third.size(), 4096u);
}

TEST(AlignedBufferPool, LendsAFixedNumberAndTakesThemBack) {
  AlignedBufferPool pool({.buffers = 2, .buffer_size = 8192});
  auto first = pool.Borrow();
  auto second = pool.Borrow();
  EXPECT_TRUE(first.holds_buffer());
  EXPECT_EQ(second.span().size(), 8192u);
  EXPECT_NE(first.span().data(), second.span().data());
  EXPECT_FALSE(pool.Borrow().holds_buffer());
  second = AlignedBufferPool::Lease();
  EXPECT_TRUE(pool.Borrow().holds_buffer());
}

TEST(AlignedBufferPool, LendsToManyThreads) {
  AlignedBufferPool pool({.buffers = 3, .buffer_size = 4096});
  std::atomic<int> clashes{0};
  std::vector<std::thread> threads;
  for (uint8_t thread = 1; thread <= 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 2000; ++i) {
        auto lease = pool.Borrow();
        if (!lease.holds_buffer()) continue;
        std::fill_n(lease.span().begin(), 64, thread);
        if (std::count(lease.span().begin(), lease.span().begin() + 64, thread) != 64) ++clashes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clashes, 0);
}

}  // namespace
}  // namespace firn
