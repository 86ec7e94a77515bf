#include "io/uring.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/posix_file.h"
#include "tests/io/child.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TEST(FinishRead, GoesOnAfterShortAndInterruptedReads) {
  uint8_t bytes[10];
  ReadRequest request{.offset = 100, .target = absl::MakeSpan(bytes), .status = {}};
  ReadOperation operation{.request = &request};
  EXPECT_FALSE(FinishRead(operation, -EINTR));
  EXPECT_FALSE(FinishRead(operation, -EAGAIN));
  EXPECT_FALSE(FinishRead(operation, 4));
  EXPECT_EQ(operation.done, 4u);
  EXPECT_TRUE(FinishRead(operation, 6));
  EXPECT_THAT(request.status, IsOk());
}

TEST(FinishRead, TellsEndOfFileAndErrorsWithTheirOffset) {
  uint8_t bytes[10];
  ReadRequest request{.offset = 100, .target = absl::MakeSpan(bytes), .status = {}};
  ReadOperation operation{.path = "some/file", .request = &request, .done = 4};
  EXPECT_TRUE(FinishRead(operation, 0));
  EXPECT_EQ(request.status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(request.status.message()), HasSubstr("some/file: offset 104"));
  EXPECT_TRUE(FinishRead(operation, -EIO));
  EXPECT_THAT(request.status, HasReason(ErrorReason::kIo));
  EXPECT_THAT(std::string(request.status.message()), HasSubstr("offset 104"));
}

class UringTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ring = Uring::Create(8);
    if (!ring.ok()) GTEST_SKIP() << ring.status();
    ring_ = *std::move(ring);
  }
  FileDescriptor OpenNew(absl::string_view name) {
    return FileDescriptor(open(directory_.File(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Uring> ring_;
};

TEST_F(UringTest, ProbeRunsOperations) { EXPECT_THAT(ring_->Probe(), IsOk()); }

TEST_F(UringTest, ReadsMoreThanFitsIntoTheQueue) {
  const FileDescriptor file = OpenNew("a");
  std::string content;
  for (int i = 0; i < 1000; ++i) content += static_cast<char>(i % 251);
  ASSERT_THAT(WriteFully(file.get(), "a", 0, {AsBytes(content)}), IsOk());
  std::vector<uint8_t> bytes(1000);
  std::vector<ReadRequest> requests(1000);
  std::vector<Uring::FileRequest> pointers;
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i] = {.offset = 999 - i, .target = absl::MakeSpan(&bytes[i], 1), .status = {}};
    pointers.push_back({file.get(), "a", &requests[i]});
  }
  ASSERT_THAT(ring_->ReadMany(pointers), IsOk());
  for (size_t i = 0; i < requests.size(); ++i) {
    ASSERT_THAT(requests[i].status, IsOk());
    ASSERT_EQ(bytes[i], static_cast<uint8_t>(content[999 - i]));
  }
}

TEST_F(UringTest, ResubmitsAShortRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const FileDescriptor reading(ends[0]);
  const FileDescriptor writing(ends[1]);
  ASSERT_EQ(write(writing.get(), "abc", 3), 3);
  // The rest comes only after the first half was taken: that read was short.
  std::thread writer([&] {
    int waiting = 0;
    do {
      std::this_thread::yield();
      ASSERT_EQ(ioctl(reading.get(), FIONREAD, &waiting), 0);
    } while (waiting > 0);
    ASSERT_EQ(write(writing.get(), "def", 3), 3);
  });
  std::string target(6, '?');
  ReadRequest request;
  request.target = absl::MakeSpan(reinterpret_cast<uint8_t*>(target.data()), target.size());
  EXPECT_THAT(ring_->ReadMany({{reading.get(), "pipe", &request}}), IsOk());
  writer.join();
  EXPECT_THAT(request.status, IsOk());
  EXPECT_EQ(target, "abcdef");
}

TEST_F(UringTest, AnErrorIsOneRequestsOwnAndTheRingGoesOn) {
  uint8_t byte = 0;
  ReadRequest request{.offset = 5, .target = absl::MakeSpan(&byte, 1), .status = {}};
  EXPECT_THAT(ring_->ReadMany({{-1, "nowhere", &request}}), IsOk());
  EXPECT_THAT(request.status, HasReason(ErrorReason::kIo));
  EXPECT_FALSE(ring_->is_broken());
  EXPECT_THAT(ring_->Probe(), IsOk());
}

TEST(Uring, ARefusalSaysWhy) {
  EXPECT_TRUE(InChild([] {
    if (!RefuseSystemCall(SystemCall::kUringSetup, EPERM)) return false;
    const absl::Status status = Uring::Create(8).status();
    return absl::IsPermissionDenied(status) &&
           std::string(status.message()).find("io_uring is refused (") != std::string::npos;
  }));
  EXPECT_TRUE(InChild([] {
    if (!RefuseSystemCall(SystemCall::kUringSetup, ENOMEM)) return false;
    const rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
    const absl::Status status = Uring::Create(8).status();
    return std::string(status.message()).find("limited to 65536 bytes") != std::string::npos;
  }));
  EXPECT_TRUE(InChild([] {
    if (!RefuseSystemCall(SystemCall::kUringSetup, ENOSYS)) return false;
    return !Uring::Create(8).ok();
  }));
}

TEST_F(UringTest, ARingThatMayNotEnterBreaksAndTheProbeSaysSo) {
  EXPECT_TRUE(InChild([] {
    auto ring = Uring::Create(8);
    if (!ring.ok() || !RefuseSystemCall(SystemCall::kUringEnter, EPERM)) return false;
    return !(*ring)->Probe().ok() && (*ring)->is_broken();
  }));
  EXPECT_TRUE(InChild([] {
    return RefuseSystemCall(SystemCall::kUringRegister, EPERM) && !Uring::Create(8).ok();
  }));
}

}  // namespace
}  // namespace firn
