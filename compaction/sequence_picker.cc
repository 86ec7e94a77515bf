#include "compaction/sequence_picker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compaction/busy_segments.h"

namespace firn {
namespace {

Compaction MoveOf(std::vector<SegmentPtr> inputs) {
  Compaction move;
  move.kind = CompactionKind::kMove;
  move.source_level = {0};
  move.output_level = {1};
  move.inputs = std::move(inputs);
  WidenRange(move, move.inputs, true);
  return move;
}

}  // namespace

Compaction PickSequence(const Levels& levels, const PickerOptions& options,
                        RunningCompactions running) {
  const std::vector<SegmentPtr>& segments = levels.level0();
  if (SequenceScore(levels, options) < 1 || BusySegments(running).ReadsLevel0()) return {};
  Compaction move = MoveOf(segments);
  move.reason = absl::StrCat("level 0 has ", segments.size(), " segments");
  return move;
}

double SequenceScore(const Levels& levels, const PickerOptions& options) {
  return static_cast<double>(levels.level0().size()) /
         static_cast<double>(std::max<size_t>(options.level0_segments_merge, 1));
}

uint64_t SequenceDebt(const Levels& /*levels*/, const PickerOptions& /*options*/) { return 0; }

size_t SequenceBacklog(const Levels& /*levels*/, const PickerOptions& /*options*/) { return 0; }

RangePick PickSequenceRange(const Levels& levels, const UserKeyRange& /*range*/,
                            LevelIndex source_level, const PickerOptions& /*options*/,
                            RunningCompactions running) {
  if (source_level.value > 0 || levels.level0().empty()) return {.is_last = true};
  if (BusySegments(running).ReadsLevel0()) return {.blocked = true};
  RangePick pick{.compaction = MoveOf(levels.level0()), .is_last = true};
  pick.compaction.reason = "asked for by hand";
  return pick;
}

std::vector<SegmentPtr> SegmentsBelow(const Levels& levels, absl::string_view bound) {
  std::vector<SegmentPtr> below;
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    for (const SegmentPtr& segment : levels.level({level})) {
      if (LargestUserKey(*segment) < bound) below.push_back(segment);
    }
  }
  return below;
}

}  // namespace firn
