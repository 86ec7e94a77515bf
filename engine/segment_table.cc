#include "engine/segment_table.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "sstable/internal_key.h"

namespace firn {

SegmentTable::Entry::Entry(const SegmentMeta& meta)
    : meta_(&meta),
      smallest_(KeyPrefix(SmallestUserKey(meta))),
      largest_(KeyPrefix(LargestUserKey(meta))) {}

bool SegmentTable::Entry::Holds(absl::string_view user_key, uint64_t prefix) const {
  if (prefix < smallest_ || prefix > largest_) return false;
  if (prefix > smallest_ && prefix < largest_) return true;
  return CompareUserKeys(user_key, SmallestUserKey(*meta_)) >= 0 &&
         CompareUserKeys(user_key, LargestUserKey(*meta_)) <= 0;
}

SegmentTable::SegmentTable(const Levels& levels, const SegmentTable* previous, size_t readers_max)
    : keeps_readers_(levels.segment_count() <= readers_max) {
  absl::flat_hash_map<FileNumber, std::shared_ptr<const SegmentReader>> known;
  if (previous != nullptr && keeps_readers_) {
    MutexLock lock(previous->mutex_);
    for (const auto& reader : previous->readers_) known[reader->meta().number] = reader;
  }
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    for (const SegmentPtr& segment : levels.level(LevelIndex{level})) {
      const Entry& entry = levels_[level].emplace_back(*segment);
      const auto found = known.find(segment->number);
      if (found != known.end() && found->second->meta().id == segment->id) {
        Keep(entry, found->second);
      }
    }
  }
}

const SegmentTable::Entry* SegmentTable::Candidate(LevelIndex level, absl::string_view user_key,
                                                   uint64_t prefix) const {
  const Level& entries = levels_[level.value];
  const auto candidate =
      std::partition_point(entries.begin(), entries.end(), [&](const Entry& entry) {
        if (entry.largest_ != prefix) return entry.largest_ < prefix;
        return CompareUserKeys(LargestUserKey(*entry.meta_), user_key) < 0;
      });
  if (candidate == entries.end() || !candidate->Holds(user_key, prefix)) return nullptr;
  return &*candidate;
}

void SegmentTable::Keep(const Entry& entry, std::shared_ptr<const SegmentReader> reader) const {
  if (!keeps_readers_) return;
  MutexLock lock(mutex_);
  if (entry.reader_.load(std::memory_order_relaxed) != nullptr) return;
  entry.reader_.store(reader.get(), std::memory_order_release);
  readers_.push_back(std::move(reader));
}

}  // namespace firn
