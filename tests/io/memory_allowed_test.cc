#include "io/memory_allowed.h"

#include "gtest/gtest.h"

namespace firn {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = kMiB << 10;

TEST(MemoryAllowedTest, TheSmallestLimitCounts) {
  const char* const meminfo = "MemTotal:        1048576 kB\nMemFree:  5 kB\n";
  EXPECT_EQ(MemoryAllowed(meminfo, {}), kGiB);
  EXPECT_EQ(MemoryAllowed(meminfo, {"max\n", "536870912\n", ""}), 512 * kMiB);
  EXPECT_EQ(MemoryAllowed(meminfo, {"9223372036854771712\n"}), kGiB);
  EXPECT_EQ(MemoryAllowed("", {"max"}), 0u);
  EXPECT_GT(ReadMemoryAllowed(), 16 * kMiB) << "this very process runs";
}

}  // namespace
}  // namespace firn
