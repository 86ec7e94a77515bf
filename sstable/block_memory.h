// sstable/block_memory.h: memory for the bytes of a block, with room in front of them for the object
// that describes them (sstable/block_content.h) and its reference count. So a block is one piece of
// memory, and a lookup that knows where the object is knows where the bytes are without reading it:
// one dependent cache miss fewer.
//
//   offset from the bytes   what
//   -kBlockHeaderRoom       reference count, then the object: together kBlockPlaceOffset bytes at most
//   -kBlockPlaceSize        the block's place in the cache
//   0                       the bytes, at a multiple of 64
#ifndef FIRN_SSTABLE_BLOCK_MEMORY_H_
#define FIRN_SSTABLE_BLOCK_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.h"

namespace firn {

inline constexpr size_t kBlockPlaceSize = 64;
inline constexpr size_t kBlockPlaceOffset = 64;
inline constexpr size_t kBlockHeaderRoom = kBlockPlaceOffset + kBlockPlaceSize;

void FreeBlockMemory(uint8_t* bytes);
struct BlockMemoryDeleter {
  void operator()(uint8_t* bytes) const { FreeBlockMemory(bytes); }
};
// Points to the bytes.
using BlockMemory = std::unique_ptr<uint8_t[], BlockMemoryDeleter>;

// Room for `size` bytes, of any content.
BlockMemory NewBlockMemory(size_t size);

// For std::allocate_shared: puts the object into the room in front of `bytes`, and frees both when the
// last reference goes.
template <typename T>
class BlockRoomAllocator {
 public:
  using value_type = T;
  explicit BlockRoomAllocator(uint8_t* bytes) : bytes_(bytes) {}
  template <typename U>
  BlockRoomAllocator(const BlockRoomAllocator<U>& other) : bytes_(other.bytes()) {}  // NOLINT

  T* allocate(size_t count) {
    static_assert(sizeof(T) <= kBlockPlaceOffset && alignof(T) <= 64);
    FIRN_CHECK(count == 1);
    return reinterpret_cast<T*>(bytes_ - kBlockHeaderRoom);
  }
  void deallocate(T* memory, size_t /*count*/) {
    FreeBlockMemory(reinterpret_cast<uint8_t*>(memory) + kBlockHeaderRoom);
  }
  uint8_t* bytes() const { return bytes_; }
  template <typename U>
  bool operator==(const BlockRoomAllocator<U>& other) const {
    return bytes_ == other.bytes();
  }

 private:
  uint8_t* bytes_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_MEMORY_H_
