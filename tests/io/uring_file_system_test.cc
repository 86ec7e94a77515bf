#include "io/uring_file_system.h"

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/io/child.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

class UringFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto created = UringFileSystem::Create();
    if (!created.ok()) GTEST_SKIP() << created.status();
    fs_ = *std::move(created);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<UringFileSystem> fs_;
};

TEST_F(UringFileSystemTest, SyncedWritesDoWithoutARing) {
  ASSERT_OK_AND_ASSIGN(auto file, fs_->Create(directory_.File("a"), FileAccess::kBuffered));
  ASSERT_THAT(file->WriteAndSync(0, {AsBytes("abc"), AsBytes("def")}), IsOk());
  EXPECT_EQ(fs_->counters().ring_calls, 0u);
  EXPECT_EQ(fs_->counters().plain_calls, 0u);
  EXPECT_THAT(ReadWholeFile(*fs_, directory_.File("a"), 10), IsOkAndHolds("abcdef"));
  EXPECT_EQ(fs_->name(), "io_uring");
}

TEST_F(UringFileSystemTest, RequestsThatThePageCacheCannotServeUseARing) {
  const std::string path = directory_.File("a");
  ASSERT_OK_AND_ASSIGN(auto file, fs_->Create(path, FileAccess::kBuffered));
  ASSERT_THAT(file->Append(AsBytes(std::string(100, 'x'))), IsOk());
  ASSERT_OK_AND_ASSIGN(auto reader, fs_->OpenForRead(path));
  // Past the end of the file no cache can help.
  std::vector<uint8_t> bytes(40);
  std::vector<ReadRequest> requests(2);
  requests[0] = {.offset = 90, .target = absl::MakeSpan(bytes).subspan(0, 20), .status = {}};
  requests[1] = {.offset = 95, .target = absl::MakeSpan(bytes).subspan(20), .status = {}};
  EXPECT_TRUE(absl::IsOutOfRange(reader->ReadMany(absl::MakeSpan(requests))));
  EXPECT_TRUE(absl::IsOutOfRange(requests[1].status));
  EXPECT_EQ(fs_->counters().ring_calls, 1u);
}

TEST_F(UringFileSystemTest, AWriteCutShortIsFinishedOrItsErrorSticks) {
  const std::string path = directory_.File("a");
  EXPECT_TRUE(InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    auto fs = UringFileSystem::Create();
    auto file = (*fs)->Create(path, FileAccess::kBuffered);
    if (!(*file)->WriteAndSync(0, {AsBytes(std::string(400, 'x'))}).ok()) return false;
    const absl::Status failure = (*file)->WriteAndSync(400, {AsBytes(std::string(700, 'y'))});
    return !failure.ok() &&
           std::string(failure.message()).find("at offset 1000") != std::string::npos &&
           (*file)->Sync() == failure && (*file)->size() == 400;
  }));
}

TEST_F(UringFileSystemTest, WithoutRingsItDoesTheSameWithPlainCallsAndCountsThem) {
  const std::string path = directory_.File("a");
  EXPECT_TRUE(InChild([&] {
    auto fs = UringFileSystem::Create();
    auto file = (*fs)->Create(path, FileAccess::kBuffered);
    if (!(*file)->Append(AsBytes(std::string(1000, 'x'))).ok()) return false;
    auto reader = (*fs)->OpenForRead(path);
    if (!RefuseSystemCall(SystemCall::kUringEnter, EPERM)) return false;
    if (!RefuseSystemCall(SystemCall::kUringSetup, EPERM)) return false;
    // The only ring breaks in this batch, which is read again without it: two requests that the page
    // cache cannot serve, and one that it can.
    std::vector<uint8_t> bytes(60);
    std::vector<ReadRequest> requests(3);
    const uint64_t offsets[] = {990, 980, 5000};
    for (size_t i = 0; i < 3; ++i) {
      requests[i].offset = offsets[i];
      requests[i].target = absl::MakeSpan(bytes).subspan(i * 20, 20);
    }
    if (!absl::IsOutOfRange((*reader)->ReadMany(absl::MakeSpan(requests)))) return false;
    if (!absl::IsOutOfRange(requests[0].status) || bytes[9] != 'x') return false;
    if (!requests[1].status.ok() || bytes[39] != 'x') return false;
    if ((*fs)->counters().plain_calls != 0) return false;
    // No ring is left.
    if (!absl::IsOutOfRange((*reader)->ReadMany(absl::MakeSpan(requests)))) return false;
    return (*fs)->counters().plain_calls == 1;
  }));
}

TEST_F(UringFileSystemTest, FilesMayOutliveIt) {
  ASSERT_OK_AND_ASSIGN(auto file, fs_->Create(directory_.File("a"), FileAccess::kBuffered));
  fs_.reset();
  EXPECT_THAT(file->WriteAndSync(0, {AsBytes("x")}), IsOk());
}

}  // namespace
}  // namespace firn
