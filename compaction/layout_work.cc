#include "compaction/layout_work.h"

#include "base/check.h"
#include "compaction/leveled_picker.h"
#include "compaction/sequence_picker.h"
#include "compaction/tiered_picker.h"

namespace firn {
namespace {

constexpr LayoutWork kOrderedWork = {.segments = SegmentLayout::kOrdered,
                                 .picker = &kLeveledPicker,
                                 .flush = RunFlushJob,
                                 .compact = RunCompactionJob};
constexpr LayoutWork kHashedWork = {.segments = SegmentLayout::kHashed,
                                .picker = &kTieredPicker,
                                .flush = RunArrivalFlushJob,
                                .compact = RunCompactionJob,
                                .cut = LayoutWork::Cut::kNever};
// Each key is put once, so nothing is to be dropped on the way out of memory. Records are read in
// their order far more often than one by one: larger blocks than others.
constexpr LayoutWork kSequenceWork = {.segments = SegmentLayout::kSequence,
                                  .picker = &kSequencePicker,
                                  .flush = RunArrivalFlushJob,
                                  .compact = RunCompactionJob,
                                  .block_size_min = size_t{16} << 10};

}  // namespace

const LayoutWork& WorkFor(SegmentLayout layout) {
  switch (layout) {
    case SegmentLayout::kOrdered:
      return kOrderedWork;
    case SegmentLayout::kHashed:
      return kHashedWork;
    case SegmentLayout::kSequence:
      return kSequenceWork;
  }
  FIRN_CHECK(false);
}

}  // namespace firn
