#include "io/uring_pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/io/child.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(UringPool, LendsAFewRingsAndNeverWaits) {
  auto pool = UringPool::Create();
  if (!pool.ok()) GTEST_SKIP() << pool.status();
  std::vector<UringPool::Lease> leases;
  for (size_t i = 0; i < UringPool::kRingsMax; ++i) {
    leases.push_back((*pool)->Borrow());
    ASSERT_NE(leases.back().ring(), nullptr);
  }
  EXPECT_EQ((*pool)->Borrow().ring(), nullptr);
  EXPECT_EQ((*pool)->refused(), 1u);
  Uring* const last = leases.back().ring();
  leases.pop_back();
  EXPECT_EQ((*pool)->Borrow().ring(), last);
}

TEST(UringPool, ThrowsABrokenRingAwayAndMakesAnother) {
  if (!UringPool::Create().ok()) GTEST_SKIP();
  EXPECT_TRUE(InChild([] {
    auto pool = UringPool::Create();
    if (!pool.ok() || !RefuseSystemCall(SystemCall::kUringEnter, EPERM)) return false;
    for (size_t i = 0; i < 3 * UringPool::kRingsMax; ++i) {
      UringPool::Lease lease = (*pool)->Borrow();
      if (lease.ring() == nullptr || lease.ring()->is_broken()) return false;
      if (lease.ring()->Probe().ok() || !lease.ring()->is_broken()) return false;
    }
    return true;
  }));
}

TEST(UringPool, LendsToManyThreads) {
  auto pool = UringPool::Create();
  if (!pool.ok()) GTEST_SKIP() << pool.status();
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 12; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        UringPool::Lease lease = (*pool)->Borrow();
        if (lease.ring() != nullptr && !lease.ring()->Probe().ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ((*pool)->lent() + (*pool)->refused(), 600u);
}

}  // namespace
}  // namespace firn
