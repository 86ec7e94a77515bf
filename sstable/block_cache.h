// sstable/block_cache.h: data blocks in memory, verified and uncompressed.
//
// A block is found by its place, not by a hash: each open segment has BlockSlots, one pointer for each
// of its data blocks, so a lookup is two dependent loads, without a lock or a shared count. Readers
// look inside a guard of epochs(); what is evicted meanwhile stays until they have left.
//
//     segment reader ── BlockSlots: directory ──> chunk of 32 slots ──> BlockContent
//                                                 (made with its first block, goes with its last)
//     BlockCache: up to 16 shards, each two queues of the blocks it holds and a list of ghosts
//
// What goes first is S3-FIFO's choice (Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all you need for
// cache eviction", SOSP 2023): a new block enters the small queue, a tenth of the bytes; at its end it
// goes, unless it was used again twice: then it moves to the main queue. A block that is read again soon
// after it went (its key is among the ghosts) enters the main queue at once. At the end of the main
// queue a block that was used goes round again. So a scan passes through the small queue and leaves
// the rest alone, and a hit writes at most one byte, of the block itself.
//
// Invariants:
//   1. A shard's charge is the sum of its blocks' memory_usage() and of its chunks, and after each call
//      at most its part of the capacity, less what was set aside. A block that is larger than that is
//      not kept.
//   2. A block is in at most one slot; the slot points to it exactly while the cache holds it.
//   3. Whoever has a shared_ptr keeps the block; what only such pointers hold is not charged.
// Lock order: a shard's mutex is innermost, and no two are ever held together.
#ifndef FIRN_SSTABLE_BLOCK_CACHE_H_
#define FIRN_SSTABLE_BLOCK_CACHE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "base/counter.h"
#include "base/epoch.h"
#include "base/mutex.h"
#include "base/sharded_lru_cache.h"
#include "sstable/block_content.h"

namespace firn {

// Thread-safe.
class BlockCache {
 public:
  // `capacity` in bytes; 0 keeps nothing. It is split over one shard for each 4 MiB, 16 at most.
  explicit BlockCache(size_t capacity);
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache();  // FIRN_CHECK: its slots are gone

  // Takes effect at once: what no longer fits goes before this returns.
  void SetCapacity(size_t capacity);
  size_t capacity() const { return capacity_.load(std::memory_order_relaxed); }
  // Memory that others use and that the capacity covers, such as indexes of segments: blocks get what
  // is left of it, but at least a quarter. SetAside() makes room before it returns.
  void SetAside(size_t bytes);
  void GiveBack(size_t bytes) { set_aside_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t set_aside() const { return set_aside_.load(std::memory_order_relaxed); }
  size_t capacity_for_blocks() const;
  // Hits, misses, evictions; bytes and blocks that are here now. Shard after shard, so under
  // concurrent use not of one instant.
  CacheCounters Counters() const;

  // Guards for BlockSlots::Look(). Others may use it for what such readers see besides.
  Epochs& epochs() { return epochs_; }

  // Aborts if invariant 1 or 2 is broken.
  void CheckInvariants() const;

 private:
  friend class BlockSlots;
  static constexpr size_t kShardsMax = 16;
  static constexpr size_t kShardSizeMin = size_t{4} << 20;
  static constexpr size_t kSlotsAChunk = 32;

  // The places of 32 blocks in a row; `used` under the lock of the shard, which is the same for all.
  struct Chunk {
    std::array<std::atomic<const BlockContent*>, kSlotsAChunk> slots{};
    size_t used = 0;
  };
  struct Evicted {
    std::shared_ptr<const void> object;
    size_t bytes;
  };
  using Garbage = std::vector<Evicted>;  // for Epochs::Retire(), without a lock

  // Newest at the front.
  struct Queue {
    const BlockContent* newest = nullptr;
    const BlockContent* oldest = nullptr;
    size_t charge = 0;
    size_t blocks = 0;

    void Push(const BlockContent& block);
    void Remove(const BlockContent& block);
  };

  struct alignas(64) Shard {
    mutable Mutex mutex;
    Queue small ABSL_GUARDED_BY(mutex);
    Queue main ABSL_GUARDED_BY(mutex);
    // Keys of blocks that left the small queue, oldest first, about as many as blocks are here. A key
    // may stand there twice; the map counts.
    std::deque<uint64_t> ghosts ABSL_GUARDED_BY(mutex);
    absl::flat_hash_map<uint64_t, uint32_t> ghost_counts ABSL_GUARDED_BY(mutex);
    size_t chunks ABSL_GUARDED_BY(mutex) = 0;  // that exist
    uint64_t inserts ABSL_GUARDED_BY(mutex) = 0;
    uint64_t evictions ABSL_GUARDED_BY(mutex) = 0;

    size_t charge() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return small.charge + main.charge + chunks * sizeof(Chunk);
    }
    void Remove(const BlockContent& block, Garbage& garbage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
    void EvictDownTo(size_t limit, Garbage& garbage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
    void EvictFromSmall(Garbage& garbage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
    void EvictFromMain(Garbage& garbage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
    void AddGhost(uint64_t key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  };

  size_t ShardCapacity() const { return capacity_for_blocks() / shards_.size(); }
  void EvictDownToCapacity();
  void Retire(Garbage garbage);

  std::atomic<size_t> capacity_;
  std::atomic<size_t> set_aside_{0};
  std::vector<Shard> shards_;
  std::atomic<size_t> slots_count_{0};  // BlockSlots that exist
  Counter hits_;
  Counter misses_;
  Epochs epochs_;
};

// The places of one segment's data blocks in a cache. Thread-safe; must not outlive the cache.
class BlockSlots {
 public:
  // `cache` may be null: then nothing is ever here. `segment_id` is random; blocks are numbered from 0
  // in the order of the file.
  BlockSlots(BlockCache* cache, uint64_t segment_id, size_t block_count);
  ~BlockSlots();  // takes its blocks out of the cache
  BlockSlots(const BlockSlots&) = delete;
  BlockSlots& operator=(const BlockSlots&) = delete;

  // The block, or null if it is not here; valid as long as the caller's guard of cache->epochs(), and
  // beyond it only by shared_from_this(). Counts as a use. ordinal < block_count.
  const BlockContent* Look(size_t ordinal) const;
  // For a look at many, in rounds: PrefetchSlot() of all, then Peek() at all, which is Look() without
  // a count and without touching the block, then CountLooks() and the blocks' Touch().
  void PrefetchSlot(size_t ordinal) const { __builtin_prefetch(SlotOf(ordinal)); }
  const BlockContent* Peek(size_t ordinal) const {
    const auto* const slot = SlotOf(ordinal);
    return slot == nullptr ? nullptr : slot->load();
  }
  void CountLooks(uint64_t hits, uint64_t misses) const;
  // As Look(), without a guard.
  std::shared_ptr<const BlockContent> Find(size_t ordinal) const;
  // Is it there? Counts as nothing: for decisions on what to read ahead.
  bool Contains(size_t ordinal) const;
  // Keeps `block` there, unless another one is there already or it is too large for its shard.
  void Insert(size_t ordinal, std::shared_ptr<const BlockContent> block) const;

  BlockCache* cache() const { return cache_; }
  size_t memory_usage() const { return chunks_.size() * sizeof(chunks_[0]); }

 private:
  friend class BlockCache;
  using Chunk = BlockCache::Chunk;

  const std::atomic<const BlockContent*>* SlotOf(size_t ordinal) const {
    FIRN_DCHECK(ordinal < block_count_);
    if (chunks_.empty()) return nullptr;
    const Chunk* const chunk = chunks_[ordinal / BlockCache::kSlotsAChunk].load();
    if (chunk == nullptr) return nullptr;
    return &chunk->slots[ordinal % BlockCache::kSlotsAChunk];
  }
  BlockCache::Shard& ShardOf(size_t ordinal) const;
  uint64_t KeyOf(size_t ordinal) const;
  // Empties the slot; true: the chunk went with its last block. Under the lock of the ordinal's shard.
  bool Clear(size_t ordinal, BlockCache::Garbage& garbage) const;

  BlockCache* const cache_;
  const uint64_t segment_id_;
  const size_t block_count_;
  // Written under the lock of the chunk's shard.
  mutable std::vector<std::atomic<Chunk*>> chunks_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_CACHE_H_
