#include "base/sharded_lru_cache.h"

#include <algorithm>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

using Cache = ShardedLruCache<int, std::string>;

std::shared_ptr<const std::string> Value(const std::string& text) {
  return std::make_shared<const std::string>(text);
}

TEST(ShardedLruCacheTest, FindsWhatWasInsertedAndNothingElse) {
  Cache cache(1000, 1);
  cache.Insert(1, Value("one"), 10);
  ASSERT_NE(cache.Lookup(1), nullptr);
  EXPECT_EQ(*cache.Lookup(1), "one");
  EXPECT_EQ(cache.Lookup(2), nullptr);
  EXPECT_TRUE(cache.Contains(1));
  EXPECT_FALSE(cache.Contains(2));
  cache.Erase(1);
  cache.Erase(7);
  EXPECT_EQ(cache.Lookup(1), nullptr);
  const CacheCounters counters = cache.Counters();
  EXPECT_EQ(counters.hits, 2u);
  EXPECT_EQ(counters.misses, 2u);
  EXPECT_EQ(counters.inserts, 1u);
  EXPECT_EQ(counters.evictions, 0u);
  EXPECT_EQ(counters.charge, 0u);
}

TEST(ShardedLruCacheTest, TheLeastRecentlyUsedGoesFirst) {
  Cache cache(30, 1);
  for (int key = 0; key < 3; ++key) cache.Insert(key, Value("v"), 10);
  ASSERT_NE(cache.Lookup(0), nullptr);
  EXPECT_TRUE(cache.Contains(1));  // looks without touching
  cache.Insert(3, Value("v"), 10);
  EXPECT_TRUE(cache.Contains(0));
  EXPECT_FALSE(cache.Contains(1));
  EXPECT_TRUE(cache.Contains(2));
  EXPECT_TRUE(cache.Contains(3));
  EXPECT_EQ(cache.Counters().evictions, 1u);
}

TEST(ShardedLruCacheTest, ReplacingAKeyReplacesItsCharge) {
  Cache cache(100, 1);
  cache.Insert(1, Value("a"), 60);
  cache.Insert(1, Value("b"), 30);
  EXPECT_EQ(*cache.Lookup(1), "b");
  EXPECT_EQ(cache.Counters().charge, 30u);
  EXPECT_EQ(cache.Counters().entries, 1u);
}

TEST(ShardedLruCacheTest, AHandleOutlivesEviction) {
  Cache cache(10, 1);
  cache.Insert(1, Value("kept"), 10);
  const Cache::Handle handle = cache.Lookup(1);
  cache.Insert(2, Value("other"), 10);
  EXPECT_EQ(cache.Lookup(1), nullptr);
  EXPECT_EQ(*handle, "kept");
  EXPECT_EQ(handle.use_count(), 1);
}

TEST(ShardedLruCacheTest, CapacityZeroKeepsNothingAndATooLargeValuePushesNobodyOut) {
  Cache off(0, 4);
  off.Insert(1, Value("a"), 1);
  EXPECT_EQ(off.Lookup(1), nullptr);
  Cache small(10, 1);
  small.Insert(1, Value("a"), 10);
  small.Insert(2, Value("b"), 11);
  EXPECT_TRUE(small.Contains(1));
  EXPECT_FALSE(small.Contains(2));
}

TEST(ShardedLruCacheTest, ATooLargeReplacementDoesNotLeaveTheOldValue) {
  Cache cache(10, 1);
  cache.Insert(1, Value("old"), 5);
  cache.Insert(1, Value("new"), 50);
  EXPECT_EQ(cache.Lookup(1), nullptr);
}

TEST(ShardedLruCacheTest, ShrinkingDropsAtOnceAndGrowingMakesRoom) {
  Cache cache(1600, 4);
  for (int key = 0; key < 500; ++key) cache.Insert(key, Value("v"), 10);
  cache.CheckInvariants();
  EXPECT_LE(cache.Counters().charge, 1600u);
  cache.SetCapacity(400);
  cache.CheckInvariants();
  EXPECT_LE(cache.Counters().charge, 400u);
  cache.SetCapacity(0);
  EXPECT_EQ(cache.Counters().entries, 0u);
  cache.SetCapacity(40000);
  EXPECT_EQ(cache.capacity(), 40000u);
  for (int key = 0; key < 500; ++key) cache.Insert(key, Value("v"), 10);
  EXPECT_EQ(cache.Counters().entries, 500u);
  cache.Clear();
  EXPECT_EQ(cache.Counters().charge, 0u);
  cache.CheckInvariants();
}

// A value whose end reaches back into the cache: it would deadlock if a lock were held then.
struct Reentrant {
  Reentrant(ShardedLruCache<int, Reentrant>* the_cache, int* the_ends)
      : cache(the_cache), ends(the_ends) {}
  ShardedLruCache<int, Reentrant>* cache;
  int* ends;
  ~Reentrant() {
    static_cast<void>(cache->Contains(1));
    ++*ends;
  }
};

TEST(ShardedLruCacheTest, NoLockIsHeldWhileAValueIsDestroyed) {
  ShardedLruCache<int, Reentrant> cache(20, 1);
  int ends = 0;
  const auto make = [&] { return std::make_shared<const Reentrant>(&cache, &ends); };
  cache.Insert(1, make(), 10);
  cache.Insert(1, make(), 10);   // replaced
  cache.Insert(2, make(), 10);
  cache.Insert(3, make(), 10);   // evicts
  cache.Erase(3);
  cache.Insert(4, make(), 100);  // refused
  EXPECT_EQ(ends, 4);
  cache.SetCapacity(0);
  EXPECT_EQ(ends, 5);
  cache.SetCapacity(20);
  cache.Insert(5, make(), 10);
  cache.Clear();
  EXPECT_EQ(ends, 6);
}

TEST(ShardedLruCacheTest, BehavesAsAModelOverRandomHistories) {
  Random random(11);
  for (int history = 0; history < 20; ++history) {
    size_t capacity = 50 + random.Uniform(200);
    Cache cache(capacity, 1);
    std::list<std::pair<int, size_t>> model;  // most recently used first: key, charge
    const auto find = [&](int key) {
      return std::find_if(model.begin(), model.end(), [&](auto& e) { return e.first == key; });
    };
    const auto trim = [&] {
      size_t charge = 0;
      for (auto it = model.begin(); it != model.end();) {
        charge += it->second;
        if (charge > capacity) {
          model.erase(it, model.end());
          break;
        }
        ++it;
      }
    };
    for (int step = 0; step < 2000; ++step) {
      const int key = static_cast<int>(random.Uniform(30));
      const auto found = find(key);
      switch (random.Uniform(8)) {
        case 0:
          cache.Erase(key);
          if (found != model.end()) model.erase(found);
          break;
        case 1:
          if (random.OneIn(20)) {
            capacity = 50 + random.Uniform(200);
            cache.SetCapacity(capacity);
            trim();
          }
          break;
        case 2:
        case 3: {
          const size_t charge = 1 + random.Uniform(40);
          cache.Insert(key, Value(std::to_string(key)), charge);
          if (found != model.end()) model.erase(found);
          model.emplace_front(key, charge);
          trim();
          break;
        }
        default: {
          const Cache::Handle handle = cache.Lookup(key);
          ASSERT_EQ(handle != nullptr, found != model.end()) << key;
          if (handle == nullptr) break;
          EXPECT_EQ(*handle, std::to_string(key));
          model.splice(model.begin(), model, found);
        }
      }
      ASSERT_EQ(cache.Counters().entries, model.size());
    }
    cache.CheckInvariants();
  }
}

TEST(ShardedLruCacheTest, ThreadsShareIt) {
  Cache cache(4000, 4);
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&cache, seed] {
      Random random(seed);
      for (int i = 0; i < 5000; ++i) {
        const int key = static_cast<int>(random.Uniform(200));
        if (random.OneIn(500)) cache.SetCapacity(2000 + random.Uniform(4000));
        if (random.OneIn(10)) cache.Erase(key);
        const Cache::Handle handle = cache.Lookup(key);
        if (handle != nullptr) {
          ASSERT_EQ(*handle, std::to_string(key));
        } else {
          cache.Insert(key, Value(std::to_string(key)), 1 + random.Uniform(100));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  cache.CheckInvariants();
  const CacheCounters counters = cache.Counters();
  EXPECT_EQ(counters.hits + counters.misses, 20000u);
}

}  // namespace
}  // namespace firn
