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
constexpr LayoutWork kSequenceWork = {.segments = SegmentLayout::kOrdered,
                                  .picker = &kSequencePicker,
                                  .flush = RunFlushJob,
                                  .compact = RunCompactionJob};

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
