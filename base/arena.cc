#include "base/arena.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace firn {
namespace {

constexpr size_t kFirstBlockSize = 1024;

}  // namespace

absl::string_view Arena::Copy(absl::string_view text) {
  char* copy = Allocate(text.size());
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return absl::string_view(copy, text.size());
}

char* Arena::AllocateFromNewBlock(size_t size, size_t alignment) {
  FIRN_CHECK(std::has_single_bit(alignment) && alignment <= 4096);
  FIRN_CHECK(size <= SIZE_MAX - kBlockSize);
  // Large pieces get a block of their own, so that the rest of the current block is not given up.
  const bool own_block = size > kBlockSize / 4;
  // A memtable of a few records, of which there may be thousands, is to stay small: blocks begin small
  // and grow with what is there.
  const size_t regular = std::clamp(std::bit_ceil(std::max(bytes_reserved(), size + alignment)),
                                    kFirstBlockSize, kBlockSize);
  const size_t block_size = own_block ? size + alignment - 1 : regular;
  FIRN_CHECK(own_block || size + alignment <= block_size);
  blocks_.push_back(std::unique_ptr<char[]>(new char[block_size]));
  bytes_reserved_.fetch_add(block_size, std::memory_order_relaxed);
  char* block = blocks_.back().get();
  const size_t padding = static_cast<size_t>(-reinterpret_cast<uintptr_t>(block) & (alignment - 1));
  bytes_used_ += padding + size;
  if (!own_block) {
    next_ = block + padding + size;
    left_ = block_size - padding - size;
  }
  return block + padding;
}

}  // namespace firn
