#include "io/posix_directory_lock.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/posix_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TEST(PosixDirectoryLock, IsHeldAgainstOtherProcessesAndFreedByTheirDeath) {
  TemporaryDirectory directory;
  const std::string path = directory.File("LOCK");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    PosixFileSystem file_system;
    const auto lock = file_system.Lock(path);
    const char answer = lock.ok() ? 'y' : 'n';
    if (write(ready[1], &answer, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char answer = '?';
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  PosixFileSystem file_system;
  const absl::Status refused = file_system.Lock(path).status();
  EXPECT_THAT(refused, HasReason(ErrorReason::kLocked));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat("process ", child)));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_THAT(file_system.Lock(path), IsOk()) << "the dead hold no locks";
  close(ready[0]);
  close(ready[1]);
}

TEST(PosixDirectoryLock, IsNotLostWhenAnotherDescriptorOfTheFileCloses) {
  TemporaryDirectory directory;
  const std::string path = directory.File("LOCK");
  PosixFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto lock, file_system.Lock(path));
  EXPECT_THAT(ReadWholeFile(file_system, path, 100), IsOkAndHolds(absl::StrCat(getpid(), "\n")));
  EXPECT_THAT(file_system.Lock(path), HasReason(ErrorReason::kLocked));
  EXPECT_THAT(file_system.Lock(path), HasReason(ErrorReason::kLocked));
  lock.reset();
  EXPECT_THAT(ReadWholeFile(file_system, path, 100), IsOkAndHolds(""));
}

}  // namespace
}  // namespace firn
