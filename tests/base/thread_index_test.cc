#include "base/thread_index.h"

#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(ThreadIndexTest, IsTheSameForTheLifeOfAThread) {
  EXPECT_EQ(ThisThreadIndex(), ThisThreadIndex());
}

TEST(ThreadIndexTest, NoTwoLiveThreadsShareOne) {
  constexpr size_t kThreads = 40;
  std::latch all_have_theirs(kThreads);
  Mutex mutex;
  std::set<uint32_t> seen = {ThisThreadIndex()};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const uint32_t index = ThisThreadIndex();
      {
        MutexLock lock(mutex);
        seen.insert(index);
      }
      all_have_theirs.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), kThreads + 1);
}

TEST(ThreadIndexTest, IsFreeAgainWhenTheThreadHasEnded) {
  ThisThreadIndex();
  uint32_t first = 0;
  std::thread([&first] { first = ThisThreadIndex(); }).join();
  for (int i = 0; i < 100; ++i) {
    uint32_t next = 0;
    std::thread([&next] { next = ThisThreadIndex(); }).join();
    EXPECT_EQ(next, first);
  }
}

uint32_t asked_late = UINT32_MAX;
struct AsksInItsDestructor {
  ~AsksInItsDestructor() { asked_late = ThisThreadIndex(); }
};

TEST(ThreadIndexTest, AskingWhileTheThreadEndsGivesANumberThatIsNotGivenAgain) {
  std::thread([] {
    static thread_local AsksInItsDestructor late;  // made first, so destroyed last
    (void)&late;
    ThisThreadIndex();
  }).join();
  ASSERT_NE(asked_late, UINT32_MAX);
  uint32_t next = UINT32_MAX;
  std::thread([&next] { next = ThisThreadIndex(); }).join();
  EXPECT_NE(next, asked_late);
}

}  // namespace
}  // namespace firn
