#include "sstable/block_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace firn {
namespace {

// A tenth of the bytes is for blocks that nobody has asked for again yet.
constexpr size_t kSmallShare = 10;
// So many uses, after the one that read it, and a block in the small queue has earned its place.
constexpr uint8_t kUsesToStay = 2;
// Of the capacity, one part in so many is for blocks whatever is set aside.
constexpr size_t kBlocksShareMin = 4;

}  // namespace

void BlockCache::Queue::Push(const BlockContent& block) {
  block.place().newer = nullptr;
  block.place().older = newest;
  (newest != nullptr ? newest->place().newer : oldest) = &block;
  newest = &block;
  charge += block.memory_usage();
  ++blocks;
}

void BlockCache::Queue::Remove(const BlockContent& block) {
  (block.place().newer != nullptr ? block.place().newer->place().older : newest) = block.place().older;
  (block.place().older != nullptr ? block.place().older->place().newer : oldest) = block.place().newer;
  charge -= block.memory_usage();
  --blocks;
}

void BlockCache::Shard::Remove(const BlockContent& block, Garbage& garbage) {
  (block.place().in_main ? main : small).Remove(block);
  if (block.place().slots->Clear(block.place().ordinal, garbage)) --chunks;
  const size_t bytes = block.memory_usage();
  garbage.push_back({std::move(block.place().self), bytes});
}

void BlockCache::Shard::AddGhost(uint64_t key) {
  ghosts.push_back(key);
  ++ghost_counts[key];
  const size_t limit = std::max(size_t{16}, small.blocks + main.blocks);
  while (ghosts.size() > limit) {
    const auto oldest = ghost_counts.find(ghosts.front());
    if (--oldest->second == 0) ghost_counts.erase(oldest);
    ghosts.pop_front();
  }
}

void BlockCache::Shard::EvictFromSmall(Garbage& garbage) {
  const BlockContent& block = *small.oldest;
  if (block.uses_.load(std::memory_order_relaxed) >= kUsesToStay) {
    small.Remove(block);
    block.uses_.store(0, std::memory_order_relaxed);
    block.place().in_main = true;
    main.Push(block);
    return;
  }
  AddGhost(block.place().slots->KeyOf(block.place().ordinal));
  Remove(block, garbage);
  ++evictions;
}

void BlockCache::Shard::EvictFromMain(Garbage& garbage) {
  const BlockContent& block = *main.oldest;
  const uint8_t uses = block.uses_.load(std::memory_order_relaxed);
  if (uses > 0) {
    main.Remove(block);
    block.uses_.store(static_cast<uint8_t>(uses - 1), std::memory_order_relaxed);
    main.Push(block);
    return;
  }
  Remove(block, garbage);
  ++evictions;
}

void BlockCache::Shard::EvictDownTo(size_t limit, Garbage& garbage) {
  // Ends though readers go on using blocks: a block passes at most four times while they pause, and
  // the rounds are bounded for when they do not.
  size_t rounds = 8 * (small.blocks + main.blocks);
  while (charge() > limit) {
    if (small.blocks > 0 && (small.charge > limit / kSmallShare || main.blocks == 0)) {
      EvictFromSmall(garbage);
    } else {
      if (rounds == 0) main.oldest->uses_.store(0, std::memory_order_relaxed);
      EvictFromMain(garbage);
    }
    if (rounds > 0) --rounds;
  }
}

BlockCache::BlockCache(size_t capacity)
    : capacity_(capacity), shards_(std::clamp(capacity / kShardSizeMin, size_t{1}, kShardsMax)) {}

BlockCache::~BlockCache() {
  epochs_.Collect();  // versions and readers that were retired hold slots
  FIRN_CHECK(slots_count_.load() == 0);
}

void BlockCache::SetCapacity(size_t capacity) {
  capacity_.store(capacity, std::memory_order_relaxed);
  EvictDownToCapacity();
}

void BlockCache::SetAside(size_t bytes) {
  set_aside_.fetch_add(bytes, std::memory_order_relaxed);
  EvictDownToCapacity();
}

size_t BlockCache::capacity_for_blocks() const {
  const size_t all = capacity();
  return std::max(all / kBlocksShareMin, all - std::min(all, set_aside()));
}

void BlockCache::EvictDownToCapacity() {
  for (Shard& shard : shards_) {
    Garbage garbage;
    {
      MutexLock lock(shard.mutex);
      shard.EvictDownTo(ShardCapacity(), garbage);
    }
    Retire(std::move(garbage));
  }
  epochs_.Collect();
}

CacheCounters BlockCache::Counters() const {
  CacheCounters sum;
  sum.hits = hits_.Total();
  sum.misses = misses_.Total();
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    sum.inserts += shard.inserts;
    sum.evictions += shard.evictions;
    sum.charge += shard.charge();
    sum.entries += shard.small.blocks + shard.main.blocks;
  }
  return sum;
}

void BlockCache::CheckInvariants() const {
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (const Queue* const queue : {&shard.small, &shard.main}) {
      size_t charge = 0;
      size_t blocks = 0;
      for (const BlockContent* block = queue->newest; block != nullptr; block = block->place().older) {
        charge += block->memory_usage();
        ++blocks;
        FIRN_CHECK(block->place().self.get() == block);
        FIRN_CHECK(block->place().slots->SlotOf(block->place().ordinal)->load() == block);
      }
      FIRN_CHECK(charge == queue->charge && blocks == queue->blocks);
    }
    FIRN_CHECK(shard.charge() <= ShardCapacity() || shard.charge() == 0);
  }
}

void BlockCache::Retire(Garbage garbage) {
  for (Evicted& one : garbage) epochs_.Retire(std::move(one.object), one.bytes);
}

BlockSlots::BlockSlots(BlockCache* cache, uint64_t segment_id, size_t block_count)
    : cache_(cache),
      segment_id_(segment_id),
      block_count_(block_count),
      chunks_(cache == nullptr ? 0 : (block_count + BlockCache::kSlotsAChunk - 1) /
                                         BlockCache::kSlotsAChunk) {
  if (cache_ != nullptr) cache_->slots_count_.fetch_add(1);
}

BlockSlots::~BlockSlots() {
  if (cache_ == nullptr) return;
  for (size_t i = 0; i < chunks_.size(); ++i) {
    if (chunks_[i].load() == nullptr) continue;
    BlockCache::Garbage garbage;
    BlockCache::Shard& shard = ShardOf(i * BlockCache::kSlotsAChunk);
    {
      MutexLock lock(shard.mutex);
      for (size_t j = 0; j < BlockCache::kSlotsAChunk; ++j) {
        const Chunk* const chunk = chunks_[i].load();
        if (chunk == nullptr) break;  // evicted by others, or by us with its last block
        const BlockContent* const block = chunk->slots[j].load();
        if (block != nullptr) shard.Remove(*block, garbage);
      }
    }
    cache_->Retire(std::move(garbage));
  }
  cache_->slots_count_.fetch_sub(1);
}

uint64_t BlockSlots::KeyOf(size_t ordinal) const { return HashInteger(segment_id_ + ordinal); }

BlockCache::Shard& BlockSlots::ShardOf(size_t ordinal) const {
  const uint64_t chunk = ordinal / BlockCache::kSlotsAChunk;
  return cache_->shards_[(HashInteger(segment_id_ ^ chunk) >> 32) % cache_->shards_.size()];
}

const BlockContent* BlockSlots::Look(size_t ordinal) const {
  if (cache_ == nullptr) return nullptr;
  const BlockContent* const block = Peek(ordinal);
  if (block == nullptr) {
    cache_->misses_.Add(1);
    return nullptr;
  }
  __builtin_prefetch(block->data());  // known without a look at the object, and wanted next
  cache_->hits_.Add(1);
  block->Touch();
  return block;
}

void BlockSlots::CountLooks(uint64_t hits, uint64_t misses) const {
  if (cache_ == nullptr) return;
  if (hits > 0) cache_->hits_.Add(hits);
  if (misses > 0) cache_->misses_.Add(misses);
}

std::shared_ptr<const BlockContent> BlockSlots::Find(size_t ordinal) const {
  if (cache_ == nullptr) return nullptr;
  const Epochs::Guard guard(cache_->epochs_);
  const BlockContent* const block = Look(ordinal);
  return block == nullptr ? nullptr : block->shared_from_this();
}

bool BlockSlots::Contains(size_t ordinal) const {
  if (cache_ == nullptr) return false;
  const Epochs::Guard guard(cache_->epochs_);
  return Peek(ordinal) != nullptr;
}

void BlockSlots::Insert(size_t ordinal, std::shared_ptr<const BlockContent> block) const {
  FIRN_DCHECK(ordinal < block_count_);
  if (cache_ == nullptr) return;
  BlockCache::Garbage garbage;
  BlockCache::Shard& shard = ShardOf(ordinal);
  {
    MutexLock lock(shard.mutex);
    const size_t limit = cache_->ShardCapacity();
    if (block->memory_usage() + sizeof(Chunk) > limit) return;
    std::atomic<Chunk*>& place = chunks_[ordinal / BlockCache::kSlotsAChunk];
    Chunk* chunk = place.load();
    if (chunk == nullptr) {
      chunk = new Chunk;
      place.store(chunk);
      ++shard.chunks;
    }
    std::atomic<const BlockContent*>& slot = chunk->slots[ordinal % BlockCache::kSlotsAChunk];
    if (slot.load() != nullptr) return;  // another reader was faster
    const BlockContent& kept = *block;
    kept.place().slots = this;
    kept.place().ordinal = ordinal;
    kept.place().in_main = shard.ghost_counts.contains(KeyOf(ordinal));
    kept.place().self = std::move(block);
    (kept.place().in_main ? shard.main : shard.small).Push(kept);
    slot.store(&kept);
    ++chunk->used;
    ++shard.inserts;
    shard.EvictDownTo(limit, garbage);
  }
  cache_->Retire(std::move(garbage));
}

bool BlockSlots::Clear(size_t ordinal, BlockCache::Garbage& garbage) const {
  std::atomic<Chunk*>& place = chunks_[ordinal / BlockCache::kSlotsAChunk];
  Chunk* const chunk = place.load();
  chunk->slots[ordinal % BlockCache::kSlotsAChunk].store(nullptr);
  if (--chunk->used != 0) return false;
  place.store(nullptr);
  garbage.push_back({std::shared_ptr<const Chunk>(chunk), sizeof(Chunk)});
  return true;
}

}  // namespace firn
