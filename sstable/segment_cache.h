// sstable/segment_cache.h: a bounded set of open segments.
//
// Least recently used readers are closed beyond the bound, in readers and, if there is one, in bytes of
// their indexes; one that is in use stays open until its
// last shared_ptr goes. One cache serves a whole store: file numbers are never used twice in it.
#ifndef FIRN_SSTABLE_SEGMENT_CACHE_H_
#define FIRN_SSTABLE_SEGMENT_CACHE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/sharded_lru_cache.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_reader.h"

namespace firn {

// Thread-safe. No lock is held while a file is opened.
class SegmentCache {
 public:
  // `blocks` and `counters` may be null; all must outlive the cache and the readers it gave out.
  // `bytes_max`: of the indexes of readers kept; one reader is kept whatever its size. A hashed index
  // that does not fit stays on disk, and its pages come through `blocks`. Without the bound indexes are
  // set aside from the capacity of `blocks`.
  SegmentCache(FileSystem& file_system, size_t readers_max, BlockCache* blocks,
               SegmentCounters* counters, FileAccess access = FileAccess::kBuffered,
               size_t bytes_max = SIZE_MAX);

  // The reader of `meta`, opened from `directory`/SegmentFileName(meta.number) if it is not here.
  // Errors are those of SegmentReader::Open() and are not remembered.
  absl::StatusOr<std::shared_ptr<const SegmentReader>> Get(const SegmentMeta& meta,
                                                           absl::string_view directory);
  // Forgets a reader: before its file is deleted.
  void Erase(FileNumber number);

  // So many readers of the size that they have now fit into the bounds.
  size_t readers_max() const;
  // Readers that somebody keeps open for itself, beside the cache.
  class Claims {
   public:
    // Changes one of them from `held` to `wanted`, if all together then are at most `most`; else to
    // none. What is claimed now.
    size_t Change(size_t held, size_t wanted, size_t most) ABSL_LOCKS_EXCLUDED(mutex_);

   private:
    Mutex mutex_;
    size_t claimed_ ABSL_GUARDED_BY(mutex_) = 0;
  };
  // Lives as long as anybody has it.
  const std::shared_ptr<Claims>& claims() const { return claims_; }
  // Indexes of all readers that exist, those in use elsewhere included.
  size_t memory_usage() const { return usage_->load(std::memory_order_relaxed); }
  size_t size() const { return readers_.Counters().entries; }  // readers kept

 private:
  FileSystem& file_system_;
  BlockCache* const blocks_;
  SegmentCounters* const counters_;
  const FileAccess access_;  // how segments are read
  const size_t readers_max_;
  const size_t bytes_max_;
  // What a reader is charged at least: so the bound in bytes is one in readers, too.
  const size_t charge_min_;
  const std::shared_ptr<std::atomic<size_t>> usage_ = std::make_shared<std::atomic<size_t>>(0);
  ShardedLruCache<FileNumber, SegmentReader> readers_;
  const std::shared_ptr<Claims> claims_ = std::make_shared<Claims>();
};

// The segments of one folder, as a keyspace sees them. Thread-safe.
class SegmentDirectory {
 public:
  SegmentDirectory(SegmentCache& cache, absl::string_view directory)
      : cache_(cache), directory_(directory), claims_(cache.claims()) {}
  ~SegmentDirectory() { claims_->Change(claimed_, 0, 0); }
  SegmentDirectory(const SegmentDirectory&) = delete;
  SegmentDirectory& operator=(const SegmentDirectory&) = delete;

  absl::StatusOr<std::shared_ptr<const SegmentReader>> Get(const SegmentMeta& meta) {
    return cache_.Get(meta, directory_);
  }
  // Whether all readers of a version of `segments` segments may be kept with it: `segments`, or 0. One
  // thread at a time.
  size_t ClaimReaders(size_t segments) {
    claimed_ = claims_->Change(claimed_, segments, cache_.readers_max());
    return claimed_;
  }
  std::string PathOf(FileNumber number) const {
    return JoinPath(directory_, SegmentFileName(number));
  }
  const std::string& directory() const { return directory_; }

 private:
  SegmentCache& cache_;
  const std::string directory_;
  const std::shared_ptr<SegmentCache::Claims> claims_;
  size_t claimed_ = 0;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_CACHE_H_
