#include "io/posix_file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

TEST(PosixFileSystem, MakesFilesAndFoldersForTheirOwnerAlone) {
  TemporaryDirectory directory;
  PosixFileSystem file_system;
  const mode_t old_mask = umask(0);
  ASSERT_THAT(file_system.Create(directory.File("a"), FileAccess::kBuffered), IsOk());
  ASSERT_THAT(file_system.CreateDirectory(directory.File("d")), IsOk());
  umask(old_mask);
  struct stat info = {};
  ASSERT_EQ(stat(directory.File("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(stat(directory.File("d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(PosixFileSystem, DirectAccessIsGrantedByTheFileSystemOrItSaysThatItWasNot) {
  PosixFileSystem file_system;
  TemporaryDirectory directory;
  const std::string path = directory.File("a");
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create(path, FileAccess::kDirect));
  // The kernel itself tells whether this folder's file system knows direct I/O.
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECT);
  EXPECT_EQ(file->access(), descriptor >= 0 ? FileAccess::kDirect : FileAccess::kBuffered);
  if (descriptor >= 0) close(descriptor);
  ASSERT_OK_AND_ASSIGN(auto buffered, file_system.OpenForWrite(path, FileAccess::kBuffered));
  EXPECT_EQ(buffered->access(), FileAccess::kBuffered);
}

TEST(PosixFileSystem, FallsBackWhereDirectAccessIsUnknownAndLeavesNoTrace) {
  PosixFileSystem file_system;
  // /proc refuses O_DIRECT with EINVAL on every kernel.
  ASSERT_OK_AND_ASSIGN(auto file, file_system.OpenForWrite("/proc/self/comm", FileAccess::kDirect));
  EXPECT_EQ(file->access(), FileAccess::kBuffered);
}

TEST(PosixFileSystem, DescriptorsDoNotLeakIntoOtherPrograms) {
  TemporaryDirectory directory;
  PosixFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create(directory.File("a"), FileAccess::kBuffered));
  ASSERT_OK_AND_ASSIGN(auto lock, file_system.Lock(directory.File("LOCK")));
  int seen = 0;
  for (int descriptor = 3; descriptor < 64; ++descriptor) {
    char target[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t size = readlink(link.c_str(), target, sizeof(target));
    if (size < 0) continue;
    if (std::string(target, static_cast<size_t>(size)).rfind(directory.path(), 0) != 0) continue;
    ++seen;
    EXPECT_NE(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0) << link;
  }
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace firn
