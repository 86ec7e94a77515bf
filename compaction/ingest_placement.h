// compaction/ingest_placement.h: on which level a segment stands that came from outside. Pure.
//
// Its records are newer than all there is, so nothing that it overlaps may stand on its level or above
// it; the lowest such level costs the fewest merges later. It goes no deeper than the levels in use,
// or than the one whose target its bytes reach: else the levels between would have to be filled first.
#ifndef FIRN_COMPACTION_INGEST_PLACEMENT_H_
#define FIRN_COMPACTION_INGEST_PLACEMENT_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "base/types.h"
#include "compaction/layout_work.h"
#include "compaction/levels.h"
#include "compaction/picker.h"

namespace firn {

// What a running merge or move may write: user keys, both ends included, to one level.
struct BusyRange {
  LevelIndex level;
  std::string smallest;
  std::string largest;
};

// For a segment with keys in `range`. Hashed: always level 0, as its newest run. Sequence: level 1 at
// most.
LevelIndex PlaceIngested(const LayoutWork& work, const Levels& levels, const UserKeyRange& range,
                         uint64_t bytes, const PickerOptions& options,
                         absl::Span<const BusyRange> busy);

}  // namespace firn

#endif  // FIRN_COMPACTION_INGEST_PLACEMENT_H_
