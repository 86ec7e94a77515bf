// Any bytes as a data block: an iterator over it ends or fails, in every direction, and shows only
// what lies inside.
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "sstable/block.h"
#include "sstable/internal_key.h"

namespace {

// The entries of a block have distinct offsets, so no walk is longer than the block.
void CheckEntry(const firn::BlockIterator& entry, const firn::Block& block, size_t steps) {
  FIRN_CHECK(steps <= block.bytes().size());
  FIRN_CHECK(firn::DecodeInternalKey(entry.key()).has_value());
  const auto* value = reinterpret_cast<const uint8_t*>(entry.value().data());
  FIRN_CHECK(value >= block.bytes().data() &&
             value + entry.value().size() <= block.bytes().data() + block.entries_limit());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;  // NOLINT
  auto bytes = NewBlockMemory(size);
  if (size > 0) std::memcpy(bytes.get(), data, size);
  const auto block = Block::Create(std::move(bytes), size);
  if (!block.ok()) return 0;

  BlockIterator entry(block->get());
  size_t steps = 0;
  for (entry.SeekToFirst(); entry.Valid(); entry.Next()) CheckEntry(entry, **block, steps++);
  entry.Reset(block->get());
  steps = 0;
  for (entry.SeekToLast(); entry.Valid() && steps < 100; entry.Prev()) {
    CheckEntry(entry, **block, steps++);
  }
  entry.Reset(block->get());
  entry.Seek(
      LookupKey(AsText(ByteSpan(data, size < 12 ? size : 12)), kMaxSequenceNumber).encoded());
  if (entry.Valid()) CheckEntry(entry, **block, 0);
  return 0;
}
