// sstable/block_content.h: the bytes of a verified, decompressed block in memory; what the block
// cache holds. What is in them is the layout's matter: block.h for ordered segments.
//
// Object and bytes are one piece of memory (sstable/block_memory.h): both are found from the address
// of the object.
#ifndef FIRN_SSTABLE_BLOCK_CONTENT_H_
#define FIRN_SSTABLE_BLOCK_CONTENT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/types.h"
#include "sstable/block_memory.h"

namespace firn {

class BlockSlots;

// Immutable but for what is the cache's, so thread-safe. Made by MakeBlockContent(). No virtual
// destructor: shared_ptr remembers the type that was made.
class BlockContent : public std::enable_shared_from_this<BlockContent> {
 public:
  // Of MakeBlockContent(): the block is the first `size` bytes of the memory that this stands in.
  explicit BlockContent(size_t size) : size_(static_cast<uint32_t>(size)) {
    FIRN_CHECK(size <= UINT32_MAX);
    new (&place()) CachePlace;
  }
  ~BlockContent() { place().~CachePlace(); }
  BlockContent(const BlockContent&) = delete;
  BlockContent& operator=(const BlockContent&) = delete;

  // No look at the object.
  const uint8_t* data() const { return Room() + kBlockHeaderRoom; }
  ByteSpan bytes() const { return ByteSpan(data(), size_); }
  size_t memory_usage() const { return size_ + kBlockHeaderRoom; }
  // Counts one more use of a block in the cache, up to 3. Racing uses may count as one.
  void Touch() const {
    const uint8_t uses = uses_.load(std::memory_order_relaxed);
    if (uses < 3) uses_.store(static_cast<uint8_t>(uses + 1), std::memory_order_relaxed);
  }

 private:
  friend class BlockCache;
  friend class BlockSlots;

  // Its place in the cache (sstable/block_cache.h), under the lock of its shard.
  struct CachePlace {
    const BlockSlots* slots = nullptr;
    size_t ordinal = 0;
    bool in_main = false;
    const BlockContent* newer = nullptr;  // in its queue
    const BlockContent* older = nullptr;
    std::shared_ptr<const BlockContent> self;  // set while the cache holds it
  };
  static_assert(sizeof(CachePlace) <= kBlockPlaceSize);

  // The object begins within the first 64 bytes of its room, which is at a multiple of 64.
  uint8_t* Room() const {
    return reinterpret_cast<uint8_t*>(reinterpret_cast<uintptr_t>(this) & ~uintptr_t{63});
  }
  CachePlace& place() const {
    return *reinterpret_cast<CachePlace*>(Room() + kBlockPlaceOffset);
  }

  const uint32_t size_;
  mutable std::atomic<uint8_t> uses_{0};
};

// A T, which is a BlockContent, around the first `size` bytes of `bytes`. `more`: for its constructor,
// behind the size.
template <typename T, typename... More>
std::shared_ptr<const T> MakeBlockContent(BlockMemory bytes, size_t size, More&&... more) {
  const uint8_t* const data = bytes.get();
  const BlockRoomAllocator<T> allocator(bytes.release());
  std::shared_ptr<const T> content =
      std::allocate_shared<T>(allocator, size, std::forward<More>(more)...);
  FIRN_CHECK(content->data() == data);
  return content;
}

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_CONTENT_H_
