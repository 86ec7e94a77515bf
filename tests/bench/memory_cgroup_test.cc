// A folder stands for the cgroup file system; that the kernel keeps a limit is the kernel's to test.
#include "bench/memory_cgroup.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn::bench {
namespace {

using ::testing::HasSubstr;

std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

class MemoryCgroupTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_.File(name)).parent_path());
    std::ofstream(root_.File(name)) << text;
  }

  TemporaryDirectory root_;
};

TEST_F(MemoryCgroupTest, VersionOneHasItsOwnFolderForMemory) {
  Write("memory/memory.limit_in_bytes", "max");
  ASSERT_OK_AND_ASSIGN(const auto group, MemoryCgroup::Create(128 << 20, root_.path()));
  EXPECT_THAT(group->path(), HasSubstr("/memory/firn-bench."));
  EXPECT_EQ(FirstWord(group->path() + "/memory.limit_in_bytes"), "134217728");
  ASSERT_OK(group->Join());
  EXPECT_EQ(FirstWord(group->path() + "/cgroup.procs"), absl::StrCat(getpid()));
}

TEST_F(MemoryCgroupTest, VersionTwoSwitchesTheControllerOn) {
  Write("cgroup.controllers", "cpu memory io");
  Write("cgroup.subtree_control", "cpu");
  ASSERT_OK_AND_ASSIGN(const auto group, MemoryCgroup::Create(1000, root_.path()));
  EXPECT_EQ(FirstWord(root_.File("cgroup.subtree_control")), "+memory");
  EXPECT_EQ(FirstWord(group->path() + "/memory.max"), "1000");
}

TEST_F(MemoryCgroupTest, SaysWhatIsMissing) {
  EXPECT_THAT(MemoryCgroup::Create(1000, root_.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no memory controller")));
}

}  // namespace
}  // namespace firn::bench
