// sstable/block_content.h: the bytes of a verified, decompressed block in memory; what the block
// cache holds. What is in them is the layout's matter: block.h for ordered segments.
#ifndef FIRN_SSTABLE_BLOCK_CONTENT_H_
#define FIRN_SSTABLE_BLOCK_CONTENT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/types.h"

namespace firn {

class BlockSlots;

// Immutable but for what is the cache's, so thread-safe. Made by std::make_shared. No virtual
// destructor: shared_ptr remembers the type that was made.
class BlockContent : public std::enable_shared_from_this<BlockContent> {
 public:
  // Takes over `bytes`, of which the first `size` are the block.
  BlockContent(std::unique_ptr<uint8_t[]> bytes, size_t size)
      : bytes_(std::move(bytes)), size_(size) {}
  BlockContent(const BlockContent&) = delete;
  BlockContent& operator=(const BlockContent&) = delete;

  ByteSpan bytes() const { return ByteSpan(bytes_.get(), size_); }
  size_t memory_usage() const { return size_ + sizeof(BlockContent); }

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

  // Counts one more use, up to 3. Racing uses may count as one.
  void Touch() const {
    const uint8_t uses = uses_.load(std::memory_order_relaxed);
    if (uses < 3) uses_.store(static_cast<uint8_t>(uses + 1), std::memory_order_relaxed);
  }

  const std::unique_ptr<uint8_t[]> bytes_;
  const size_t size_;
  mutable std::atomic<uint8_t> uses_{0};
  mutable CachePlace place_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_CONTENT_H_
