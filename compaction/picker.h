// compaction/picker.h: what to merge next: a pure choice from level shapes, without a file.
//
// A picker is a function from (levels, options, what is running) to a Compaction, which is data.
// Each layout has its own: PickerFor() returns it, so that no user of a picker switches on layouts.
//
// The leveled picker. A level's score is its debt: level 0 counts segments against
// `level0_segments_merge`, a deeper one bytes against its target (level1_size, then `multiplier`
// times more a level), segments already being merged left out. The level with the highest score that is
// due (level 0 from a score of 1 on, others above it) and has a possible choice is taken:
//   * from level 0 the oldest segment is moved down if it overlaps nothing on levels 0 and 1, else all
//     of level 0 is merged with what it overlaps in level 1;
//   * from a deeper level the segment that overlaps the fewest bytes below for its size; moved if
//     that is none, else merged, with neighbours of its level that enlarge nothing below.
// Two running compactions never write overlapping ranges of one level, and at most one reads
// level 0.
#ifndef FIRN_COMPACTION_PICKER_H_
#define FIRN_COMPACTION_PICKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "compaction/levels.h"

namespace firn {

struct PickerOptions {
  size_t level0_segments_merge = 4;
  uint64_t level1_size = uint64_t{256} << 20;
  uint64_t multiplier = 10;
  uint64_t segment_size = uint64_t{64} << 20;
};

enum class CompactionKind : uint8_t {
  kNothing = 1,
  kMove = 2,   // an edit only: `inputs` change their level
  kMerge = 3,  // read inputs and output_inputs, write new segments
  kDrop = 4,   // an edit only: `inputs` go
};

struct Compaction {
  CompactionKind kind = CompactionKind::kNothing;
  std::string reason;                     // for the log: "level 1 is 1.3 times its size"
  LevelIndex source_level;
  LevelIndex output_level;
  std::vector<SegmentPtr> inputs;         // of source_level
  std::vector<SegmentPtr> output_inputs;  // of output_level; empty if the two are the same
  // Range of user keys of all inputs, both ends included: nothing else may write it to
  // output_level meanwhile.
  std::string smallest;
  std::string largest;

  uint64_t input_bytes() const;
  // For kMove and kDrop: the whole effect. For kMerge: the removals, to which the job adds.
  LevelsEdit Edit() const;
};

using RunningCompactions = absl::Span<const Compaction* const>;

using Picker = std::function<Compaction(const Levels&, const PickerOptions&, RunningCompactions)>;

// The leveled picker.
Compaction PickLeveled(const Levels& levels, const PickerOptions& options,
                       RunningCompactions running);

enum class CompactionStyle : uint8_t {
  kLeveled = 1,
};
Picker PickerFor(CompactionStyle style);

// How far the levels are from where they should be, in bytes still to be merged: an estimate for
// statistics and for choosing the keyspace that needs work most.
uint64_t CompactionDebt(const Levels& levels, const PickerOptions& options);
// The highest score of a level; work is due from 1 on.
double CompactionScore(const Levels& levels, const PickerOptions& options);
// Bytes that `level` (1 or deeper) should hold at most.
uint64_t LevelTarget(const PickerOptions& options, LevelIndex level);

// One step of a compaction asked for by hand.
struct RangePick {
  Compaction compaction;  // kNothing: see `blocked`
  bool blocked = false;   // something running overlaps: try again when it is done
};

// Merges the segments of `source_level` that meet `range` into the next level, or rewrites them in
// place (which drops what no snapshot sees) if `source_level` is the deepest level with segments
// and not 0. A call for each level from 0 down to the deepest, repeated while it returns work or is
// blocked for levels above the deepest, compacts the range; for the deepest level once is enough.
RangePick PickRange(const Levels& levels, const UserKeyRange& range, LevelIndex source_level,
                    RunningCompactions running);

}  // namespace firn

#endif  // FIRN_COMPACTION_PICKER_H_
