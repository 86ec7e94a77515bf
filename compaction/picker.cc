#include "compaction/picker.h"

#include "base/check.h"
#include "compaction/busy_segments.h"
#include "compaction/leveled_picker.h"
#include "compaction/sequence_picker.h"
#include "compaction/tiered_picker.h"

namespace firn {

uint64_t Compaction::input_bytes() const { return BytesOf(inputs) + BytesOf(output_inputs); }

LevelsEdit Compaction::Edit() const {
  LevelsEdit edit;
  if (kind == CompactionKind::kNothing) return edit;
  for (const SegmentPtr& segment : inputs) {
    edit.removed.push_back(segment->number);
    if (kind == CompactionKind::kMove) edit.added.push_back({output_level, segment});
  }
  for (const SegmentPtr& segment : output_inputs) edit.removed.push_back(segment->number);
  return edit;
}

const Picker& PickerFor(CompactionStyle style) {
  switch (style) {
    case CompactionStyle::kLeveled:
      return kLeveledPicker;
    case CompactionStyle::kTiered:
      return kTieredPicker;
    case CompactionStyle::kSequence:
      return kSequencePicker;
  }
  FIRN_CHECK(false);
}

}  // namespace firn
