// base/sharded_lru_cache.h: one cache template for blocks and tree nodes: least recently used goes
// first, charged in bytes, split into shards so that threads seldom meet at one lock.
//
// Invariants:
//   1. A shard's charge is the sum of its entries' charges, and after each Insert() or SetCapacity()
//      at most the shard's part of the capacity. A value that is larger than that is not kept.
//   2. A handle (shared_ptr) keeps its value alive, whether or not the cache still holds it; what
//      is only held by handles is not charged.
//   3. No lock is held while a value is destroyed, or while anything else of the client's runs,
//      except the key's hash and comparison.
// Lock order: a shard's mutex is innermost, and no two are ever held together.
#ifndef FIRN_BASE_SHARDED_LRU_CACHE_H_
#define FIRN_BASE_SHARDED_LRU_CACHE_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "base/check.h"
#include "base/mutex.h"

namespace firn {

// Sums over all shards since the cache was made, except `charge` and `entries`: as of now.
struct CacheCounters {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t inserts = 0;    // values that were taken in
  uint64_t evictions = 0;  // values pushed out for room; not those erased or replaced
  uint64_t charge = 0;     // bytes
  uint64_t entries = 0;
};

// Thread-safe. `Key` is copyable and equality comparable; `Hash` gives 64 well mixed bits.
template <typename Key, typename Value, typename Hash = absl::Hash<Key>>
class ShardedLruCache {
 public:
  using Handle = std::shared_ptr<const Value>;

  static constexpr size_t kDefaultShards = 16;

  // `capacity` in bytes over all shards; 0 keeps nothing. `shards` is a power of two.
  explicit ShardedLruCache(size_t capacity, size_t shards = kDefaultShards)
      : capacity_(capacity), shards_(shards) {
    FIRN_CHECK(std::has_single_bit(shards));
  }

  // Takes `value` in under `key`, in place of another that is there. `charge` is its size in bytes
  // with all that it owns. A value too large for its shard is not kept.
  void Insert(const Key& key, Handle value, size_t charge) {
    Garbage garbage;
    const uint64_t hash = Hash()(key);
    Shard& shard = ShardOf(hash);
    MutexLock lock(shard.mutex);
    shard.Remove(key, garbage);
    const size_t limit = ShardCapacity();
    if (charge > limit) return;
    shard.lru.push_front(Entry{key, std::move(value), charge});
    shard.map.emplace(key, shard.lru.begin());
    shard.charge += charge;
    ++shard.inserts;
    shard.EvictDownTo(limit, garbage);
  }

  // The value under `key`, which becomes the most recently used; null if it is not there.
  Handle Lookup(const Key& key) {
    Shard& shard = ShardOf(Hash()(key));
    MutexLock lock(shard.mutex);
    const auto found = shard.map.find(key);
    if (found == shard.map.end()) {
      ++shard.misses;
      return nullptr;
    }
    ++shard.hits;
    shard.lru.splice(shard.lru.begin(), shard.lru, found->second);
    return found->second->value;
  }

  // Is `key` there? Moves nothing and counts nothing: for prefetch decisions.
  bool Contains(const Key& key) const {
    const Shard& shard = ShardOf(Hash()(key));
    MutexLock lock(shard.mutex);
    return shard.map.contains(key);
  }

  void Erase(const Key& key) {
    Garbage garbage;
    Shard& shard = ShardOf(Hash()(key));
    MutexLock lock(shard.mutex);
    shard.Remove(key, garbage);
  }

  // Drops every entry.
  void Clear() {
    for (Shard& shard : shards_) {
      Garbage garbage;
      MutexLock lock(shard.mutex);
      shard.map.clear();
      shard.charge = 0;
      garbage.splice(garbage.begin(), shard.lru);
    }
  }

  // Takes effect at once: what no longer fits is dropped before this returns.
  void SetCapacity(size_t capacity) {
    capacity_.store(capacity, std::memory_order_relaxed);
    for (Shard& shard : shards_) {
      Garbage garbage;
      MutexLock lock(shard.mutex);
      shard.EvictDownTo(ShardCapacity(), garbage);
    }
  }
  size_t capacity() const { return capacity_.load(std::memory_order_relaxed); }

  // Shard after shard, so under concurrent use not of one instant.
  CacheCounters Counters() const {
    CacheCounters sum;
    for (const Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      sum.hits += shard.hits;
      sum.misses += shard.misses;
      sum.inserts += shard.inserts;
      sum.evictions += shard.evictions;
      sum.charge += shard.charge;
      sum.entries += shard.map.size();
    }
    return sum;
  }

  // Aborts if invariant 1 is broken.
  void CheckInvariants() const {
    for (const Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      size_t charge = 0;
      for (const Entry& entry : shard.lru) charge += entry.charge;
      FIRN_CHECK(charge == shard.charge);
      FIRN_CHECK(shard.charge <= ShardCapacity());
      FIRN_CHECK(shard.lru.size() == shard.map.size());
    }
  }

 private:
  struct Entry {
    Key key;
    Handle value;
    size_t charge;
  };
  // Declared before the lock in every function above, so it is destroyed after the release.
  using Garbage = std::list<Entry>;
  // The map's key is a copy: flat_hash_map then compares without going to the list's node.
  using Map = absl::flat_hash_map<Key, typename std::list<Entry>::iterator, Hash>;

  struct alignas(64) Shard {  // a cache line of its own
    mutable Mutex mutex;
    std::list<Entry> lru ABSL_GUARDED_BY(mutex);  // most recently used first
    Map map ABSL_GUARDED_BY(mutex);
    size_t charge ABSL_GUARDED_BY(mutex) = 0;
    uint64_t hits ABSL_GUARDED_BY(mutex) = 0;
    uint64_t misses ABSL_GUARDED_BY(mutex) = 0;
    uint64_t inserts ABSL_GUARDED_BY(mutex) = 0;
    uint64_t evictions ABSL_GUARDED_BY(mutex) = 0;

    void Remove(const Key& key, Garbage& garbage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      const auto found = map.find(key);
      if (found == map.end()) return;
      charge -= found->second->charge;
      garbage.splice(garbage.begin(), lru, found->second);
      map.erase(found);
    }

    void EvictDownTo(size_t limit, Garbage& garbage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      while (charge > limit) {
        const auto oldest = std::prev(lru.end());
        charge -= oldest->charge;
        map.erase(oldest->key);
        garbage.splice(garbage.begin(), lru, oldest);
        ++evictions;
      }
    }
  };

  // The map uses the low bits of the hash, so the shard is chosen by the high ones.
  Shard& ShardOf(uint64_t hash) { return shards_[ShardIndex(hash)]; }
  const Shard& ShardOf(uint64_t hash) const { return shards_[ShardIndex(hash)]; }
  size_t ShardIndex(uint64_t hash) const { return (hash >> 40) & (shards_.size() - 1); }
  size_t ShardCapacity() const { return capacity() / shards_.size(); }

  std::atomic<size_t> capacity_;
  std::vector<Shard> shards_;
};

}  // namespace firn

#endif  // FIRN_BASE_SHARDED_LRU_CACHE_H_
