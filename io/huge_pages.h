// io/huge_pages.h: memory for large tables that are read at random, in pages of 2 MiB where the kernel
// gives them: a probe then misses the cache, but not the table of pages as well.
#ifndef FIRN_IO_HUGE_PAGES_H_
#define FIRN_IO_HUGE_PAGES_H_

#include <cstddef>
#include <new>

namespace firn {

inline constexpr size_t kHugePageSize = size_t{2} << 20;

// Memory of at least `size` bytes at a multiple of 64. From 1 MiB on it is asked for in huge pages, if
// rounding up to them costs an eighth at most; refusal is no error. Goes back by FreeHugePages() with
// the same size.
void* AllocateHugePages(size_t size);
void FreeHugePages(void* memory, size_t size);

// For containers.
template <typename T>
struct HugePageAllocator {
  using value_type = T;
  static_assert(alignof(T) <= 64);

  HugePageAllocator() = default;
  template <typename U>
  HugePageAllocator(const HugePageAllocator<U>& /*other*/) {}  // NOLINT: as allocators must

  T* allocate(size_t count) {
    if (count > static_cast<size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(AllocateHugePages(count * sizeof(T)));
  }
  void deallocate(T* memory, size_t count) { FreeHugePages(memory, count * sizeof(T)); }
  friend bool operator==(const HugePageAllocator&, const HugePageAllocator&) { return true; }
};

}  // namespace firn

#endif  // FIRN_IO_HUGE_PAGES_H_
