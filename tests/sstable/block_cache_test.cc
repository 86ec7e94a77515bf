#include "sstable/block_cache.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

TEST(BlockCacheTest, KeepsBlocksBySegmentIdAndOffset) {
  BlockCache cache(1 << 20);
  const auto a = BuildBlock({{Key("a", 1), "a"}});
  const auto b = BuildBlock({{Key("b", 1), "b"}});
  cache.Insert({.segment_id = 1, .offset = 0}, a);
  cache.Insert({.segment_id = 2, .offset = 0}, b);
  EXPECT_EQ(cache.Find({.segment_id = 1, .offset = 0}), a);
  EXPECT_EQ(cache.Find({.segment_id = 2, .offset = 0}), b);
  EXPECT_EQ(cache.Find({.segment_id = 1, .offset = 4096}), nullptr);
  EXPECT_TRUE(cache.Contains({.segment_id = 2, .offset = 0}));
  EXPECT_EQ(cache.Counters().hits, 2u);
  EXPECT_EQ(cache.Counters().misses, 1u);
}

TEST(BlockCacheTest, ChargesBytesAndForgetsBeyondItsCapacity) {
  const auto block = BuildBlock({{Key("a", 1), std::string(1000, 'v')}});
  BlockCache cache(64 * block->memory_usage());
  for (uint64_t i = 0; i < 1000; ++i) cache.Insert({.segment_id = i, .offset = i}, block);
  EXPECT_LE(cache.Counters().charge, cache.capacity());
  EXPECT_GT(cache.Counters().entries, 30u);
  cache.SetCapacity(0);
  EXPECT_EQ(cache.Counters().charge, 0u);
  cache.Insert({.segment_id = 1, .offset = 1}, block);
  EXPECT_EQ(cache.Find({.segment_id = 1, .offset = 1}), nullptr);
}

}  // namespace
}  // namespace firn
