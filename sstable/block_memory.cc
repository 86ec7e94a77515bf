#include "sstable/block_memory.h"

#include <new>

namespace firn {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

BlockMemory NewBlockMemory(size_t size) {
  auto* const room = static_cast<uint8_t*>(::operator new(kBlockHeaderRoom + size, kAlignment));
  return BlockMemory(room + kBlockHeaderRoom);
}

void FreeBlockMemory(uint8_t* bytes) { ::operator delete(bytes - kBlockHeaderRoom, kAlignment); }

}  // namespace firn
