#include "io/huge_pages.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(HugePagesTest, MemoryOfAnySizeIsAlignedAndOurs) {
  for (const size_t size : {size_t{1}, size_t{64}, kHugePageSize / 2, kHugePageSize - 100,
                            kHugePageSize, kHugePageSize + 1, 3 * kHugePageSize - 4096}) {
    void* const memory = AllocateHugePages(size);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    if (size >= kHugePageSize) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % kHugePageSize, 0u);
    }
    std::memset(memory, 0x5a, size);
    FreeHugePages(memory, size);
  }
}

TEST(HugePagesTest, AVectorInThemGrowsAndKeepsItsElements) {
  std::vector<uint64_t, HugePageAllocator<uint64_t>> numbers;
  for (uint64_t i = 0; i < 700'000; ++i) numbers.push_back(i);
  for (uint64_t i = 0; i < 700'000; ++i) ASSERT_EQ(numbers[i], i);
}

}  // namespace
}  // namespace firn
