#include "sstable/segment_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

// Shards share the bound equally: few readers are not worth splitting.
size_t ShardsFor(size_t readers_max, size_t bytes_max) {
  return readers_max >= 128 && bytes_max == SIZE_MAX ? ShardedLruCache<FileNumber, SegmentReader>::kDefaultShards : 1;
}

}  // namespace

SegmentCache::SegmentCache(FileSystem& file_system, size_t readers_max, BlockCache* blocks,
                           SegmentCounters* counters, FileAccess access, size_t bytes_max)
    : file_system_(file_system),
      blocks_(blocks),
      counters_(counters),
      access_(access),
      readers_max_(readers_max),
      bytes_max_(bytes_max),
      charge_min_(bytes_max == SIZE_MAX ? 1 : std::max<size_t>(1, bytes_max / readers_max)),
      readers_(bytes_max == SIZE_MAX ? readers_max : charge_min_ * readers_max,
               ShardsFor(readers_max, bytes_max)) {
  FIRN_CHECK(readers_max > 0);
}

size_t SegmentCache::readers_max() const {
  if (bytes_max_ == SIZE_MAX) return readers_max_;
  const CacheCounters now = readers_.Counters();
  const size_t average = now.entries == 0 ? charge_min_ : now.charge / now.entries;
  return std::min(readers_max_, readers_.capacity() / std::max(average, charge_min_));
}

absl::StatusOr<std::shared_ptr<const SegmentReader>> SegmentCache::Get(
    const SegmentMeta& meta, absl::string_view directory) {
  std::shared_ptr<const SegmentReader> reader = readers_.Lookup(meta.number);
  // Numbers are never used twice; should a damaged manifest say otherwise, Open() finds it out.
  if (reader != nullptr && reader->meta().id == meta.id) return reader;
  // What readers that exist leave of the bound; an index that does not fit stays on disk.
  const size_t index_bytes_max =
      bytes_max_ == SIZE_MAX ? SIZE_MAX : bytes_max_ - std::min(bytes_max_, memory_usage());
  // Two threads may open the same file; the later one replaces the earlier reader, and both work.
  FIRN_ASSIGN_OR_RETURN(
      reader, SegmentReader::Open(file_system_, JoinPath(directory, SegmentFileName(meta.number)),
                                  meta, blocks_, counters_, access_, index_bytes_max));
  const size_t usage = reader->memory_usage();
  usage_->fetch_add(usage, std::memory_order_relaxed);
  BlockCache* const charged = bytes_max_ == SIZE_MAX ? blocks_ : nullptr;
  if (charged != nullptr) charged->SetAside(usage);
  const std::shared_ptr<const SegmentReader> counted(
      reader.get(), [reader, usage, charged, sum = usage_](const SegmentReader*) {
        sum->fetch_sub(usage, std::memory_order_relaxed);
        if (charged != nullptr) charged->GiveBack(usage);
      });
  const bool in_bytes = bytes_max_ != SIZE_MAX;
  readers_.Insert(meta.number, counted,
                  in_bytes ? std::clamp(usage, charge_min_, readers_.capacity()) : 1);
  return counted;
}

size_t SegmentCache::Claims::Change(size_t held, size_t wanted, size_t most) {
  MutexLock lock(mutex_);
  FIRN_CHECK(held <= claimed_);
  claimed_ -= held;
  if (wanted > most || claimed_ > most - wanted) return 0;
  claimed_ += wanted;
  return wanted;
}

void SegmentCache::Erase(FileNumber number) { readers_.Erase(number); }

}  // namespace firn
