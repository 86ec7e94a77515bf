// engine/segment_table.h: the segments of one version as lookups want them: level by level, with the
// first bytes of their key ranges at hand, and with their readers once they are open.
//
// A reader that is known here is found by one load. It stays open as long as the table: so versions
// of more segments than may be open keep none, and go to the segment cache each time.
#ifndef FIRN_ENGINE_SEGMENT_TABLE_H_
#define FIRN_ENGINE_SEGMENT_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/types.h"
#include "compaction/levels.h"
#include "sstable/segment_reader.h"

namespace firn {

// Immutable but for the readers that become known; thread-safe.
class SegmentTable {
 public:
  class Entry {
   public:
    explicit Entry(const SegmentMeta& meta);
    const SegmentMeta& meta() const { return *meta_; }
    // Whether `user_key`, whose prefix it is, is within the segment's range.
    bool Holds(absl::string_view user_key, uint64_t prefix) const;
    // Null if not known. Valid as long as the table.
    const SegmentReader* reader() const { return reader_.load(std::memory_order_acquire); }

   private:
    friend class SegmentTable;
    const SegmentMeta* meta_;
    uint64_t smallest_;  // prefixes of the range's ends
    uint64_t largest_;
    mutable std::atomic<const SegmentReader*> reader_{nullptr};
  };
  using Level = std::deque<Entry>;

  // `levels` must outlive the table. Takes over from `previous` (may be null) the readers of segments
  // that are in both. Keeps no reader if there are more than `readers_max` segments.
  SegmentTable(const Levels& levels, const SegmentTable* previous, size_t readers_max);

  const Level& level(LevelIndex level) const { return levels_[level.value]; }
  // Below level 0: the one segment that may hold `user_key`, or null.
  const Entry* Candidate(LevelIndex level, absl::string_view user_key, uint64_t prefix) const;
  // `entry` is of this table.
  void Keep(const Entry& entry, std::shared_ptr<const SegmentReader> reader) const
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const bool keeps_readers_;
  std::array<Level, kLevelCount> levels_;
  mutable Mutex mutex_;
  mutable std::vector<std::shared_ptr<const SegmentReader>> readers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_ENGINE_SEGMENT_TABLE_H_
