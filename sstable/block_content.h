// sstable/block_content.h: the bytes of a verified, decompressed block in memory; what the block
// cache holds. What is in them is the layout's matter: block.h for ordered segments.
#ifndef FIRN_SSTABLE_BLOCK_CONTENT_H_
#define FIRN_SSTABLE_BLOCK_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/types.h"

namespace firn {

// Immutable, so thread-safe. No virtual destructor: it is owned by shared_ptr, which remembers the
// type that was made.
class BlockContent {
 public:
  // Takes over `bytes`, of which the first `size` are the block.
  BlockContent(std::unique_ptr<uint8_t[]> bytes, size_t size)
      : bytes_(std::move(bytes)), size_(size) {}
  BlockContent(const BlockContent&) = delete;
  BlockContent& operator=(const BlockContent&) = delete;

  ByteSpan bytes() const { return ByteSpan(bytes_.get(), size_); }
  size_t memory_usage() const { return size_ + sizeof(BlockContent); }

 private:
  const std::unique_ptr<uint8_t[]> bytes_;
  const size_t size_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_CONTENT_H_
