// compaction/busy_segments.h: what running compactions hold, for pickers.
#ifndef FIRN_COMPACTION_BUSY_SEGMENTS_H_
#define FIRN_COMPACTION_BUSY_SEGMENTS_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/types.h"
#include "compaction/levels.h"
#include "compaction/picker.h"

namespace firn {

uint64_t BytesOf(const std::vector<SegmentPtr>& segments);
// Widens the range of `compaction` to hold `segments`; `is_first`: it has none yet.
void WidenRange(Compaction& compaction, const std::vector<SegmentPtr>& segments, bool is_first);

class BusySegments {
 public:
  explicit BusySegments(RunningCompactions running);

  bool Holds(const SegmentPtr& segment) const { return numbers_.contains(segment->number); }
  bool ReadsLevel0() const;
  // Whether `compaction` would read what another one holds, or write where another one writes.
  bool Forbids(const Compaction& compaction) const;
  // Bytes of a level that are not on their way down.
  uint64_t StayingBytes(const std::vector<SegmentPtr>& level, LevelIndex index) const;

 private:
  RunningCompactions running_;
  absl::flat_hash_set<FileNumber> numbers_;
};

}  // namespace firn

#endif  // FIRN_COMPACTION_BUSY_SEGMENTS_H_
