#include "sstable/block_memory.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "sstable/block_content.h"
#include "sstable/extent.h"

namespace firn {
namespace {

TEST(BlockMemoryTest, BytesStandAtAMultipleOf64AndAreAllThere) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{4096}, size_t{1} << 20}) {
    const BlockMemory memory = NewBlockMemory(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % 64, 0u);
    std::memset(memory.get(), 7, size);
    if (size > 0) {
      EXPECT_EQ(memory[size - 1], 7);
    }
  }
}

TEST(BlockMemoryTest, ABlockStandsInFrontOfItsBytesInTheSameMemory) {
  BlockMemory memory = NewBlockMemory(100);
  std::memset(memory.get(), 1, 100);
  const uint8_t* const bytes = memory.get();
  const auto block = MakeBlockContent<Extent>(std::move(memory), 100, SequenceNumber{5}, 3u);
  EXPECT_EQ(block->data(), bytes);
  EXPECT_EQ(block->bytes().data(), bytes);
  EXPECT_EQ(block->bytes().size(), 100u);
  EXPECT_EQ(block->bytes()[99], 1);
  EXPECT_EQ(block->base(), SequenceNumber{5});
  EXPECT_EQ(block->record_count(), 3u);
  EXPECT_EQ(block->memory_usage(), 100 + kBlockHeaderRoom);
  EXPECT_LT(reinterpret_cast<const uint8_t*>(block.get()), bytes - kBlockPlaceSize);
  EXPECT_GE(reinterpret_cast<const uint8_t*>(block.get()), bytes - kBlockHeaderRoom);
}

TEST(BlockMemoryTest, TheMemoryLivesAsLongAsTheLastReference) {
  BlockMemory memory = NewBlockMemory(10);
  std::memset(memory.get(), 9, 10);
  auto block = MakeBlockContent<BlockContent>(std::move(memory), 10);
  const std::shared_ptr<const void> pin = block->shared_from_this();
  const std::weak_ptr<const BlockContent> watch = block;
  const uint8_t* const bytes = block->data();
  block.reset();
  EXPECT_EQ(bytes[9], 9);  // seen by a sanitizer if it were gone
  EXPECT_FALSE(watch.expired());
}

}  // namespace
}  // namespace firn
