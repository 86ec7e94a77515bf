#include "sstable/block_cache.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

constexpr size_t kBlockSize = 4096;

// A block that begins with `number`.
std::shared_ptr<const BlockContent> MakeBlock(uint64_t number, size_t size = kBlockSize) {
  auto bytes = NewBlockMemory(size);
  std::memcpy(bytes.get(), &number, sizeof(number));
  return MakeBlockContent<BlockContent>(std::move(bytes), size);
}
uint64_t NumberOf(const BlockContent& block) {
  uint64_t number = 0;
  std::memcpy(&number, block.bytes().data(), sizeof(number));
  return number;
}
uint64_t NumberOf(const std::shared_ptr<const BlockContent>& block) { return NumberOf(*block); }

TEST(BlockCacheTest, FindsWhatWasInsertedAtItsPlace) {
  BlockCache cache(16 << 20);
  const BlockSlots one(&cache, 1, 1000);
  const BlockSlots two(&cache, 2, 1000);
  one.Insert(0, MakeBlock(10));
  one.Insert(999, MakeBlock(11));
  two.Insert(0, MakeBlock(20));
  EXPECT_EQ(NumberOf(one.Find(0)), 10u);
  EXPECT_EQ(NumberOf(one.Find(999)), 11u);
  EXPECT_EQ(NumberOf(two.Find(0)), 20u);
  EXPECT_EQ(two.Find(999), nullptr);
  EXPECT_TRUE(one.Contains(0));
  EXPECT_FALSE(two.Contains(1));
  EXPECT_EQ(cache.Counters().hits, 3u);
  EXPECT_EQ(cache.Counters().misses, 1u);
  EXPECT_EQ(cache.Counters().entries, 3u);
  cache.CheckInvariants();
}

TEST(BlockCacheTest, TheFirstOfTwoBlocksForOnePlaceStays) {
  BlockCache cache(16 << 20);
  const BlockSlots slots(&cache, 1, 10);
  slots.Insert(3, MakeBlock(1));
  slots.Insert(3, MakeBlock(2));
  EXPECT_EQ(NumberOf(slots.Find(3)), 1u);
  cache.CheckInvariants();
}

TEST(BlockCacheTest, WithoutACacheOrCapacityNothingIsKept) {
  const BlockSlots none(nullptr, 1, 10);
  none.Insert(0, MakeBlock(1));
  EXPECT_EQ(none.Find(0), nullptr);
  EXPECT_FALSE(none.Contains(0));
  BlockCache cache(0);
  const BlockSlots slots(&cache, 1, 10);
  slots.Insert(0, MakeBlock(1));
  EXPECT_EQ(slots.Find(0), nullptr);
  EXPECT_EQ(cache.Counters().charge, 0u);
}

TEST(BlockCacheTest, ABlockLargerThanAShardIsNotKept) {
  BlockCache cache(1 << 20);
  const BlockSlots slots(&cache, 1, 10);
  slots.Insert(0, MakeBlock(1, (1 << 20) + 1));
  EXPECT_FALSE(slots.Contains(0));
}

TEST(BlockCacheTest, StaysWithinItsCapacityAndForgetsTheRest) {
  BlockCache cache(4 << 20);
  const BlockSlots slots(&cache, 7, 10000);
  for (size_t i = 0; i < 10000; ++i) {
    slots.Insert(i, MakeBlock(i));
    if (i % 97 == 0) cache.CheckInvariants();
  }
  const CacheCounters counters = cache.Counters();
  EXPECT_LE(counters.charge, cache.capacity());
  EXPECT_GT(counters.entries, 700u);  // of the 1,024 that would fit without chunks and shards
  EXPECT_EQ(counters.inserts, 10000u);
  EXPECT_EQ(counters.evictions, 10000 - counters.entries);
}

TEST(BlockCacheTest, CapacityCanChangeAtAnyTime) {
  BlockCache cache(16 << 20);
  const BlockSlots slots(&cache, 7, 2000);
  for (size_t i = 0; i < 2000; ++i) slots.Insert(i, MakeBlock(i));
  cache.SetCapacity(1 << 20);
  cache.CheckInvariants();
  EXPECT_LE(cache.Counters().charge, size_t{1} << 20);
  EXPECT_GT(cache.Counters().entries, 0u);
  cache.SetCapacity(0);
  cache.CheckInvariants();
  EXPECT_EQ(cache.Counters().charge, 0u);
  EXPECT_EQ(cache.epochs().pending(), 0u);
}

TEST(BlockCacheTest, WhatIsSetAsideLeavesLessForBlocksButAQuarter) {
  BlockCache cache(8 << 20);
  const BlockSlots slots(&cache, 7, 4000);
  for (size_t i = 0; i < 4000; ++i) slots.Insert(i, MakeBlock(i));
  EXPECT_GT(cache.Counters().charge, size_t{5} << 20);
  cache.SetAside(3 << 20);
  cache.CheckInvariants();
  EXPECT_EQ(cache.capacity_for_blocks(), size_t{5} << 20);
  EXPECT_LE(cache.Counters().charge, size_t{5} << 20);
  cache.SetAside(1 << 30);
  cache.CheckInvariants();
  EXPECT_EQ(cache.capacity_for_blocks(), size_t{2} << 20);
  EXPECT_LE(cache.Counters().charge, size_t{2} << 20);
  EXPECT_GT(cache.Counters().entries, 0u);
  cache.GiveBack((1 << 30) + (3 << 20));
  EXPECT_EQ(cache.capacity_for_blocks(), size_t{8} << 20);
  EXPECT_EQ(cache.set_aside(), 0u);
}

TEST(BlockCacheTest, AHandleKeepsABlockThatWasEvicted) {
  BlockCache cache(16 << 20);
  const BlockSlots slots(&cache, 7, 10);
  slots.Insert(0, MakeBlock(5));
  const std::shared_ptr<const BlockContent> handle = slots.Find(0);
  cache.SetCapacity(0);
  EXPECT_EQ(slots.Find(0), nullptr);
  EXPECT_EQ(NumberOf(handle), 5u);
}

TEST(BlockCacheTest, AGuardKeepsABlockThatIsEvictedMeanwhile) {
  BlockCache cache(16 << 20);
  const BlockSlots slots(&cache, 7, 10);
  slots.Insert(0, MakeBlock(5));
  std::weak_ptr<const BlockContent> watch = slots.Find(0);
  {
    const Epochs::Guard guard(cache.epochs());
    const BlockContent* const block = slots.Look(0);
    cache.SetCapacity(0);
    EXPECT_EQ(NumberOf(*block), 5u);
    EXPECT_FALSE(watch.expired());
  }
  cache.epochs().Collect();
  EXPECT_TRUE(watch.expired());
}

TEST(BlockCacheTest, ASegmentTakesItsBlocksAlong) {
  BlockCache cache(16 << 20);
  const BlockSlots stays(&cache, 1, 1000);
  stays.Insert(0, MakeBlock(1));
  {
    const BlockSlots goes(&cache, 2, 1000);
    for (size_t i = 0; i < 1000; ++i) goes.Insert(i, MakeBlock(i));
  }
  cache.CheckInvariants();
  EXPECT_EQ(cache.Counters().entries, 1u);
  EXPECT_EQ(NumberOf(stays.Find(0)), 1u);
}

// What S3-FIFO is for: a working set that is asked for again and again survives a scan that is much
// larger than the cache. An LRU cache of this size would hold none of it afterwards.
TEST(BlockCacheTest, AScanDoesNotFlushTheWorkingSet) {
  constexpr size_t kWorkingSet = 400;  // of the 1,000 or so that fit
  BlockCache cache(4 << 20);
  const BlockSlots hot(&cache, 1, kWorkingSet);
  const BlockSlots scanned(&cache, 2, 20000);
  const auto read = [](const BlockSlots& slots, size_t ordinal) {
    if (slots.Find(ordinal) == nullptr) slots.Insert(ordinal, MakeBlock(ordinal));
  };
  for (int round = 0; round < 6; ++round) {
    for (size_t i = 0; i < kWorkingSet; ++i) read(hot, i);
  }
  for (size_t i = 0; i < 20000; ++i) read(scanned, i);
  size_t left = 0;
  for (size_t i = 0; i < kWorkingSet; ++i) left += hot.Contains(i) ? 1 : 0;
  EXPECT_GE(left, kWorkingSet * 9 / 10);
}

TEST(BlockCacheTest, ABlockThatIsReadAgainSoonAfterItWentStays) {
  BlockCache cache(4 << 20);
  const BlockSlots slots(&cache, 1, 4000);
  // Twice through somewhat more than fits: the second time the ghosts remember.
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < 1200; ++i) {
      if (slots.Find(i) == nullptr) slots.Insert(i, MakeBlock(i));
    }
  }
  // Then a scan of other blocks: those that came back from the ghosts are in the main queue.
  size_t before = 0;
  for (size_t i = 0; i < 1200; ++i) before += slots.Contains(i) ? 1 : 0;
  for (size_t i = 1200; i < 4000; ++i) slots.Insert(i, MakeBlock(i));
  size_t after = 0;
  for (size_t i = 0; i < 1200; ++i) after += slots.Contains(i) ? 1 : 0;
  EXPECT_GT(after, before / 2);
}

TEST(BlockCacheTest, ThreadsReadWhileBlocksComeAndGo) {
  BlockCache cache(1 << 20);
  constexpr size_t kBlocks = 2000;
  const BlockSlots slots(&cache, 3, kBlocks);
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      Random random(seed);
      for (int i = 0; i < 20000; ++i) {
        const size_t ordinal = random.Uniform(random.OneIn(2) ? kBlocks : 50);
        bool found = false;
        {
          const Epochs::Guard guard(cache.epochs());
          const BlockContent* const block = slots.Look(ordinal);
          found = block != nullptr;
          if (found && NumberOf(*block) != ordinal) ++wrong;
        }
        if (!found) slots.Insert(ordinal, MakeBlock(ordinal));
        if (seed == 0 && i % 5000 == 0) cache.SetCapacity(size_t{1} << (18 + i / 5000));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  cache.CheckInvariants();
  cache.epochs().Collect();
  EXPECT_EQ(cache.epochs().pending(), 0u);
  const CacheCounters counters = cache.Counters();
  EXPECT_EQ(counters.hits + counters.misses, 80000u);
}

}  // namespace
}  // namespace firn
