// compaction/picker.h: what to merge next: a pure choice from level shapes, without a file.
//
// A picker is a set of functions of (levels, options, what is running); a choice, a Compaction, is
// data. Each layout has its own: leveled_picker.h, tiered_picker.h, sequence_picker.h. PickerFor()
// returns it, so that no user of a picker switches on layouts.
#ifndef FIRN_COMPACTION_PICKER_H_
#define FIRN_COMPACTION_PICKER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "compaction/levels.h"

namespace firn {

struct PickerOptions {
  // Leveled.
  size_t level0_segments_merge = 4;  // sequence: so many are moved down at once
  uint64_t level1_size = uint64_t{256} << 20;
  uint64_t multiplier = 10;
  uint64_t segment_size = uint64_t{64} << 20;
  // Tiered.
  size_t fan_in = 8;                                // runs of one tier that make a merge due, >= 2
  uint64_t flush_size = uint64_t{64} << 20;         // bytes of the largest flush: where a tier ends
  uint64_t merge_bytes_max = uint64_t{16} << 30;    // of one merge
  uint64_t merge_blocks_max = UINT64_MAX;           // of one merge: places in a segment are 32 bits
  // Of the oldest snapshot alive: what newer entries hide may still be seen.
  SequenceNumber oldest_snapshot = kMaxSequenceNumber;
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
  std::vector<SegmentPtr> inputs;         // of source_level; of level 0: newest first
  std::vector<SegmentPtr> output_inputs;  // of output_level; empty if the two are the same
  // Range of user keys of all inputs, both ends included: nothing else may write it to
  // output_level meanwhile, unless that is level 0.
  std::string smallest;
  std::string largest;
  // Tiered: what an output may come to, if it is not one input's.
  uint64_t output_bytes_max = UINT64_MAX;
  // Tiered: the one input loses what entries of `newer` hide, which are read and stay, and tombstones
  // of keys that no older segment may have.
  bool reclaims = false;
  std::vector<SegmentPtr> newer;

  uint64_t input_bytes() const;
  // For kMove and kDrop: the whole effect. For kMerge: the removals, to which the job adds.
  LevelsEdit Edit() const;
};

using RunningCompactions = absl::Span<const Compaction* const>;

// One step of a compaction asked for by hand.
struct RangePick {
  Compaction compaction;  // kNothing: see `blocked`
  bool blocked = false;   // something running overlaps: try again when it is done
  bool is_last = false;   // when it is done, so is the compaction of the range
};

// Pure functions, any thread.
struct Picker {
  // What is due most, beside what is running; kNothing if nothing is.
  Compaction (*pick)(const Levels& levels, const PickerOptions& options,
                     RunningCompactions running);
  // How urgent the most urgent work is; nothing is due below 1. Cheaper than a pick.
  double (*score)(const Levels& levels, const PickerOptions& options);
  // How far the levels are from where they should be, in bytes still to be merged: an estimate for
  // statistics and for choosing the keyspace that needs work most.
  uint64_t (*debt)(const Levels& levels, const PickerOptions& options);
  // Segments that wait for a merge, as level 0 of a leveled keyspace counts them: what writers are
  // slowed down by.
  size_t (*backlog)(const Levels& levels, const PickerOptions& options);
  // A step of a compaction of `range` by hand, from `source_level`. A call for each level from 0 down
  // to the deepest, repeated while it returns work that is not the last or is blocked, compacts it.
  RangePick (*pick_range)(const Levels& levels, const UserKeyRange& range, LevelIndex source_level,
                          const PickerOptions& options, RunningCompactions running);
};

enum class CompactionStyle : uint8_t {
  kLeveled = 1,
  kTiered = 2,
  kSequence = 3,
};
const Picker& PickerFor(CompactionStyle style);

}  // namespace firn

#endif  // FIRN_COMPACTION_PICKER_H_
