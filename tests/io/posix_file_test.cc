#include "io/posix_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/io/child.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

FileDescriptor OpenNew(const std::string& path) {
  return FileDescriptor(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

TEST(FileDescriptor, OwnsAndMovesItsDescriptor) {
  TemporaryDirectory directory;
  FileDescriptor first = OpenNew(directory.File("a"));
  const int number = first.get();
  FileDescriptor second = std::move(first);
  EXPECT_FALSE(first.is_open());
  EXPECT_EQ(second.get(), number);
  second = FileDescriptor();
  EXPECT_EQ(fcntl(number, F_GETFD), -1) << "assignment closes what was owned";
  FileDescriptor wrong(number);
  EXPECT_EQ(wrong.Close(), EBADF);
  EXPECT_EQ(wrong.Close(), 0);
}

TEST(WriteFully, SkipsWhatIsThereAlready) {
  TemporaryDirectory directory;
  const FileDescriptor file = OpenNew(directory.File("a"));
  const std::vector<ByteSpan> pieces = {AsBytes("abc"), AsBytes(""), AsBytes("defg"), AsBytes("h")};
  for (uint64_t skip = 0; skip <= 8; ++skip) {
    ASSERT_EQ(ftruncate(file.get(), 0), 0);
    ASSERT_THAT(WriteFully(file.get(), "a", 2, pieces, skip), IsOk());
    std::string found(10, '?');
    const ssize_t size = pread(file.get(), found.data(), found.size(), 0);
    EXPECT_EQ(size, skip == 8 ? 0 : 10);
    if (skip < 8) {
      EXPECT_EQ(found, std::string(2 + skip, '\0') + std::string("abcdefgh").substr(skip));
    }
  }
}

TEST(WriteFully, GoesOnAfterAShortWriteAndReportsTheErrorThatFollows) {
  TemporaryDirectory directory;
  const std::string path = directory.File("a");
  // At the limit of the file size the kernel writes what fits, then refuses: a short write.
  EXPECT_TRUE(InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const FileDescriptor file = OpenNew(path);
    const std::string half(700, 'x');
    const absl::Status status = WriteFully(file.get(), path, 0, {AsBytes(half), AsBytes(half)});
    return status.code() == absl::StatusCode::kUnavailable &&
           ReasonOf(status) == ErrorReason::kIo &&
           std::string(status.message()).find("at offset 1000") != std::string::npos;
  }));
}

TEST(ReadFully, ReportsErrorsWithPathAndOffset) {
  const absl::Status status = ReadFully(-1, "some/path", 77, {});
  EXPECT_THAT(status, IsOk()) << "nothing to read, nothing asked";
  uint8_t byte = 0;
  const absl::Status failure = ReadFully(-1, "some/path", 77, absl::MakeSpan(&byte, 1));
  EXPECT_THAT(failure, HasReason(ErrorReason::kIo));
  EXPECT_THAT(std::string(failure.message()), HasSubstr("read some/path at offset 77"));
}

TEST(PosixWritableFile, AFailedWriteSticks) {
  TemporaryDirectory directory;
  const std::string path = directory.File("a");
  EXPECT_TRUE(InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit = {.rlim_cur = 1000, .rlim_max = 100'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    PosixWritableFile file(OpenNew(path), path, 0, {});
    const absl::Status failure = file.WriteAndSync(0, {AsBytes(std::string(2000, 'x'))});
    limit.rlim_cur = 100'000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    // There would be room now; but nobody knows what the file holds.
    return !failure.ok() && file.Write(0, {AsBytes("y")}) == failure && file.Sync() == failure &&
           file.WriteAndSync(0, {}) == failure && file.Truncate(0) == failure &&
           file.Close() == failure;
  }));
}

TEST(PosixWritableFile, AFailedSyncSticks) {
  // A pipe takes no fdatasync: the only sync that fails without a faulty disk.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const FileDescriptor reading_end(ends[0]);
  PosixWritableFile file(FileDescriptor(ends[1]), "pipe", 0, {});
  const absl::Status failure = file.Sync();
  EXPECT_THAT(failure, HasReason(ErrorReason::kIo));
  EXPECT_EQ(file.Write(0, {AsBytes("x")}), failure);
}

TEST(CheckDirectAlignment, LooksAtOffsetMemoryAndSize) {
  alignas(4096) static uint8_t memory[8192];
  const ByteSpan page(memory, 4096);
  EXPECT_THAT(CheckDirectAlignment("a", 8192, {page, page}), IsOk());
  EXPECT_THAT(CheckDirectAlignment("a", 512, {page}), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_FALSE(CheckDirectAlignment("a", 0, {page, ByteSpan(memory + 512, 4096)}).ok());
  EXPECT_FALSE(CheckDirectAlignment("a", 0, {ByteSpan(memory, 4095)}).ok());
}

}  // namespace
}  // namespace firn
