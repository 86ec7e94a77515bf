#include "io/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace firn {
namespace {

constexpr size_t kAlignment = 64;

// What is asked for: whole huge pages, or `size` itself where they would cost too much.
size_t RoundedSize(size_t size) {
  if (size < kHugePageSize / 2 || size > SIZE_MAX - kHugePageSize) return size;
  const size_t rounded = (size + kHugePageSize - 1) / kHugePageSize * kHugePageSize;
  return rounded - size <= size / 8 ? rounded : size;
}

std::align_val_t AlignmentOf(size_t size) {
  return std::align_val_t{RoundedSize(size) >= kHugePageSize ? kHugePageSize : kAlignment};
}

}  // namespace

void* AllocateHugePages(size_t size) {
  const size_t rounded = RoundedSize(size);
  void* const memory = ::operator new(rounded, AlignmentOf(size));
  const size_t whole = rounded / kHugePageSize * kHugePageSize;
  // A kernel without them, or with none left, says no: then the pages are small.
  if (whole > 0) (void)::madvise(memory, whole, MADV_HUGEPAGE);
  return memory;
}

void FreeHugePages(void* memory, size_t size) { ::operator delete(memory, AlignmentOf(size)); }

}  // namespace firn
