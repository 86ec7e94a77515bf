// base/arena.h: a bump allocator: memory that is all freed at once, when its memtable goes.
//
// One thread allocates. Others may read the memory that was handed out to them, and
// bytes_reserved(), at any time.
#ifndef FIRN_BASE_ARENA_H_
#define FIRN_BASE_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"

namespace firn {

class Arena {
 public:
  static constexpr size_t kBlockSize = size_t{64} << 10;  // of all but the first few, smaller ones

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` bytes, not initialised, aligned to `alignment` (a power of two, at most 4096). The address
  // stays valid until the arena is destroyed. A size of 0 gives an address that must not be read.
  char* Allocate(size_t size, size_t alignment = 1) {
    const uintptr_t next = reinterpret_cast<uintptr_t>(next_);
    const size_t padding = static_cast<size_t>(-next & (alignment - 1));
    if (next_ == nullptr || size > left_ || padding > left_ - size) [[unlikely]] {
      return AllocateFromNewBlock(size, alignment);
    }
    char* result = next_ + padding;
    next_ = result + size;
    left_ -= padding + size;
    bytes_used_ += padding + size;
    return result;
  }

  // A copy of `text` in the arena.
  absl::string_view Copy(absl::string_view text);

  // Bytes handed out, with the padding for alignment. For the allocating thread.
  size_t bytes_used() const { return bytes_used_; }
  // Bytes taken from the system: what the memory budget counts. From any thread.
  size_t bytes_reserved() const { return bytes_reserved_.load(std::memory_order_relaxed); }

 private:
  char* AllocateFromNewBlock(size_t size, size_t alignment);

  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_used_ = 0;
  std::atomic<size_t> bytes_reserved_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace firn

#endif  // FIRN_BASE_ARENA_H_
