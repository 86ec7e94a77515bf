#include "base/time_slice.h"

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>
#include <thread>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(TimeSliceTest, NothingElseOfTheThreadChanges) {
  std::thread thread([] {
    ASSERT_EQ(setpriority(PRIO_PROCESS, 0, 3), 0);  // of this thread alone
    errno = EEXIST;
    AskForLongSlices();
    EXPECT_EQ(errno, EEXIST);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 3);
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  });
  thread.join();
}

TEST(TimeSliceTest, AThreadOfAnotherPolicyKeepsIt) {
  std::thread thread([] {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    AskForLongSlices();
    EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
  });
  thread.join();
}

}  // namespace
}  // namespace firn
