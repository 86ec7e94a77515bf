// compaction/leveled_picker.h: the picker of the ordered layout.
//
// A level's score is its debt: level 0 counts segments against `level0_segments_merge`, a deeper one
// bytes against its target (level1_size, then `multiplier` times more a level), segments already being
// merged left out. The level with the highest score that is due (level 0 from a score of 1 on, others
// above it) and has a possible choice is taken:
//   * from level 0 the oldest segment is moved down if it overlaps nothing on levels 0 and 1, else all
//     of level 0 is merged with what it overlaps in level 1;
//   * from a deeper level the segment that overlaps the fewest bytes below for its size; moved if
//     that is none, else merged, with neighbours of its level that enlarge nothing below.
// Two running compactions never write overlapping ranges of one level, and at most one reads
// level 0.
#ifndef FIRN_COMPACTION_LEVELED_PICKER_H_
#define FIRN_COMPACTION_LEVELED_PICKER_H_

#include <cstddef>
#include <cstdint>

#include "compaction/levels.h"
#include "compaction/picker.h"

namespace firn {

// The functions are those of Picker.
Compaction PickLeveled(const Levels& levels, const PickerOptions& options,
                       RunningCompactions running);
// The highest score of a level.
double LeveledScore(const Levels& levels, const PickerOptions& options);
uint64_t LeveledDebt(const Levels& levels, const PickerOptions& options);
// The segments of level 0.
size_t LeveledBacklog(const Levels& levels, const PickerOptions& options);
// Merges the segments of `source_level` that meet `range` into the next level, or rewrites them in
// place (which drops what no snapshot sees) if `source_level` is the deepest level with segments
// and not 0; that step is the last.
RangePick PickLeveledRange(const Levels& levels, const UserKeyRange& range, LevelIndex source_level,
                           const PickerOptions& options, RunningCompactions running);

inline constexpr Picker kLeveledPicker = {.pick = PickLeveled,
                                          .score = LeveledScore,
                                          .debt = LeveledDebt,
                                          .backlog = LeveledBacklog,
                                          .pick_range = PickLeveledRange};

// Bytes that `level` (1 or deeper) should hold at most.
uint64_t LevelTarget(const PickerOptions& options, LevelIndex level);

}  // namespace firn

#endif  // FIRN_COMPACTION_LEVELED_PICKER_H_
