#include "sstable/segment_cache.h"

#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

// Shards share the bound equally: few readers are not worth splitting.
size_t ShardsFor(size_t readers_max) {
  return readers_max >= 128 ? ShardedLruCache<FileNumber, SegmentReader>::kDefaultShards : 1;
}

}  // namespace

SegmentCache::SegmentCache(FileSystem& file_system, size_t readers_max, BlockCache* blocks,
                           SegmentCounters* counters, FileAccess access)
    : file_system_(file_system),
      blocks_(blocks),
      counters_(counters),
      access_(access),
      readers_(readers_max, ShardsFor(readers_max)) {
  FIRN_CHECK(readers_max > 0);
}

absl::StatusOr<std::shared_ptr<const SegmentReader>> SegmentCache::Get(
    const SegmentMeta& meta, absl::string_view directory) {
  std::shared_ptr<const SegmentReader> reader = readers_.Lookup(meta.number);
  // Numbers are never used twice; should a damaged manifest say otherwise, Open() finds it out.
  if (reader != nullptr && reader->meta().id == meta.id) return reader;
  // Two threads may open the same file; the later one replaces the earlier reader, and both work.
  FIRN_ASSIGN_OR_RETURN(
      reader, SegmentReader::Open(file_system_, JoinPath(directory, SegmentFileName(meta.number)),
                                  meta, blocks_, counters_, access_));
  readers_.Insert(meta.number, reader, 1);
  return reader;
}

void SegmentCache::Erase(FileNumber number) { readers_.Erase(number); }

}  // namespace firn
