#include "sstable/block_cache.h"

#include <utility>

namespace firn {

std::shared_ptr<const BlockContent> BlockCache::Find(const BlockAddress& address) {
  return blocks_.Lookup(address);
}

void BlockCache::Insert(const BlockAddress& address, std::shared_ptr<const BlockContent> block) {
  const size_t charge = block->memory_usage();
  blocks_.Insert(address, std::move(block), charge);
}

}  // namespace firn
