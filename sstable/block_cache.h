// sstable/block_cache.h: data blocks in memory, by segment id and offset.
//
// The key is the segment's random id, not its file number: a number is only a name. Blocks stand
// here decompressed and verified; their type is that of the segment's layout, which whoever
// knows the id knows. Whoever finds a block pins it with the shared_ptr; eviction only
// forgets. What is pinned after eviction is not counted.
#ifndef FIRN_SSTABLE_BLOCK_CACHE_H_
#define FIRN_SSTABLE_BLOCK_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/sharded_lru_cache.h"
#include "sstable/block_content.h"
#include "sstable/segment_format.h"

namespace firn {

// Thread-safe.
class BlockCache {
 public:
  // `capacity` in bytes; 0 keeps nothing.
  explicit BlockCache(size_t capacity) : blocks_(capacity) {}

  // Null if it is not there. Counts as a use.
  std::shared_ptr<const BlockContent> Find(const BlockAddress& address);
  void Insert(const BlockAddress& address, std::shared_ptr<const BlockContent> block);

  // Is it there? Counts as nothing: for decisions on what to read ahead.
  bool Contains(const BlockAddress& address) const { return blocks_.Contains(address); }
  // Takes effect at once.
  void SetCapacity(size_t capacity) { blocks_.SetCapacity(capacity); }

  size_t capacity() const { return blocks_.capacity(); }
  // Hits, misses, evictions; bytes and blocks that are here now.
  CacheCounters Counters() const { return blocks_.Counters(); }

 private:
  ShardedLruCache<BlockAddress, BlockContent> blocks_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_CACHE_H_
