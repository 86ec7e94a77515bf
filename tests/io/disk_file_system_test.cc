// NewDiskFileSystem(): which of the two twins serves, and what it says about it.
#include <cerrno>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "io/file_system.h"
#include "tests/io/child.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(NewDiskFileSystem, TakesIoUringWhereItWorks) {
  unsetenv("FIRN_IO");
  std::string reason = "old";
  ASSERT_OK_AND_ASSIGN(auto file_system, NewDiskFileSystem(&reason));
  EXPECT_EQ(file_system->name() == "io_uring", reason.empty()) << reason;
}

TEST(NewDiskFileSystem, ObeysTheEnvironment) {
  EXPECT_TRUE(InChild([] {
    setenv("FIRN_IO", "posix", 1);
    std::string reason;
    auto file_system = NewDiskFileSystem(&reason);
    return file_system.ok() && (*file_system)->name() == "posix" &&
           Contains(reason, "FIRN_IO=posix");
  }));
  EXPECT_TRUE(InChild([] {
    setenv("FIRN_IO", "windows", 1);
    const absl::Status status = NewDiskFileSystem(nullptr).status();
    return ReasonOf(status) == ErrorReason::kInvalidOption &&
           Contains(std::string(status.message()), "windows");
  }));
}

TEST(NewDiskFileSystem, FallsBackWhereASeccompFilterRefusesIoUringAndSaysWhy) {
  for (const int error_number : {EPERM, ENOSYS, ENOMEM}) {
    TemporaryDirectory directory;
    const std::string path = directory.File("a");
    EXPECT_TRUE(InChild([&] {
      unsetenv("FIRN_IO");
      if (!RefuseSystemCall(SystemCall::kUringSetup, error_number)) return false;
      std::string reason;
      auto file_system = NewDiskFileSystem(&reason);
      if (!file_system.ok() || (*file_system)->name() != "posix") return false;
      if (!WriteFileAtomically(**file_system, path, "works").ok()) return false;
      auto content = ReadWholeFile(**file_system, path, 100);
      return content.ok() && *content == "works" && Contains(reason, "io_uring");
    })) << error_number;
    EXPECT_TRUE(InChild([&] {
      setenv("FIRN_IO", "uring", 1);
      if (!RefuseSystemCall(SystemCall::kUringSetup, error_number)) return false;
      return Contains(std::string(NewDiskFileSystem(nullptr).status().message()),
                      "FIRN_IO=uring: ");
    })) << error_number;
  }
}

TEST(NewDiskFileSystem, FallsBackWhereARingIsGrantedButMayNotWork) {
  for (const SystemCall call : {SystemCall::kUringEnter, SystemCall::kUringRegister}) {
    EXPECT_TRUE(InChild([&] {
      unsetenv("FIRN_IO");
      if (!RefuseSystemCall(call, EPERM)) return false;
      std::string reason;
      auto file_system = NewDiskFileSystem(&reason);
      return file_system.ok() && (*file_system)->name() == "posix" && Contains(reason, "io_uring");
    }));
  }
}

}  // namespace
}  // namespace firn
