// compaction/sequence_picker.h: the picker of the sequence layout: segments never overlap and keys
// ascend from one to the next, so all that ever happens to a segment is that it moves from level 0,
// where a lookup asks one after the other, to level 1, where it is found by halving, and that it is
// dropped. No record is ever rewritten.
//
// Segments move together, so many at a time that the edits do not count: level0_segments_merge.
#ifndef FIRN_COMPACTION_SEQUENCE_PICKER_H_
#define FIRN_COMPACTION_SEQUENCE_PICKER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "compaction/levels.h"
#include "compaction/picker.h"

namespace firn {

// The functions are those of Picker.
Compaction PickSequence(const Levels& levels, const PickerOptions& options,
                        RunningCompactions running);
double SequenceScore(const Levels& levels, const PickerOptions& options);
// Nothing is ever to be merged.
uint64_t SequenceDebt(const Levels& levels, const PickerOptions& options);
// None: a move costs nothing that writers should wait for.
size_t SequenceBacklog(const Levels& levels, const PickerOptions& options);
// Moves all of level 0; the last step.
RangePick PickSequenceRange(const Levels& levels, const UserKeyRange& range,
                            LevelIndex source_level, const PickerOptions& options,
                            RunningCompactions running);

inline constexpr Picker kSequencePicker = {.pick = PickSequence,
                                           .score = SequenceScore,
                                           .debt = SequenceDebt,
                                           .backlog = SequenceBacklog,
                                           .pick_range = PickSequenceRange};

// The segments, of both levels, whose keys are all below `bound`: an edit only.
std::vector<SegmentPtr> SegmentsBelow(const Levels& levels, absl::string_view bound);

}  // namespace firn

#endif  // FIRN_COMPACTION_SEQUENCE_PICKER_H_
