#include "compaction/leveled_picker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "compaction/busy_segments.h"

namespace firn {
namespace {

// A merge takes more of its source level along as long as that costs nothing below, up to so many
// segments' worth of bytes.
constexpr uint64_t kMergeSegmentsMax = 25;

UserKeyRange RangeOf(const Compaction& compaction) {
  return {.smallest = compaction.smallest, .largest = compaction.largest};
}

// A compaction of `inputs` into the next level: kind, range and output inputs follow from them.
Compaction Downward(const Levels& levels, LevelIndex source, std::vector<SegmentPtr> inputs) {
  FIRN_CHECK(!inputs.empty() && source.value + 1 < kLevelCount);
  Compaction compaction;
  compaction.source_level = source;
  compaction.output_level = {source.value + 1};
  compaction.inputs = std::move(inputs);
  WidenRange(compaction, compaction.inputs, true);
  compaction.output_inputs = levels.Overlapping(compaction.output_level, RangeOf(compaction));
  WidenRange(compaction, compaction.output_inputs, false);
  compaction.kind = CompactionKind::kMerge;
  return compaction;
}

Compaction PickFromLevel0(const Levels& levels, const BusySegments& busy) {
  if (levels.level0().empty() || busy.ReadsLevel0()) return {};
  // A segment apart from all others, as ascending keys make them, is moved and never rewritten.
  const SegmentPtr& oldest = levels.level0().back();
  Compaction move = Downward(levels, {0}, {oldest});
  if (move.output_inputs.empty() && levels.Overlapping({0}, RangeOf(move)).size() == 1 &&
      !busy.Forbids(move)) {
    move.kind = CompactionKind::kMove;
    return move;
  }
  Compaction merge = Downward(levels, {0}, levels.level0());
  return busy.Forbids(merge) ? Compaction{} : merge;
}

// Adds segments of the source level that the range below covers anyhow.
Compaction TakeAlong(const Levels& levels, const PickerOptions& options, const BusySegments& busy,
                     Compaction compaction) {
  std::vector<SegmentPtr> wider =
      levels.Overlapping(compaction.source_level, RangeOf(compaction));
  if (wider.size() <= compaction.inputs.size()) return compaction;
  Compaction more = Downward(levels, compaction.source_level, std::move(wider));
  const bool is_free = more.output_inputs.size() == compaction.output_inputs.size() &&
                       more.input_bytes() <= kMergeSegmentsMax * options.segment_size &&
                       !busy.Forbids(more);
  return is_free ? more : compaction;
}

Compaction PickFromLevel(const Levels& levels, const PickerOptions& options, LevelIndex level,
                         const BusySegments& busy) {
  struct Candidate {
    double ratio;  // bytes rewritten below for each byte moved down
    SegmentPtr segment;
  };
  std::vector<Candidate> candidates;
  for (const SegmentPtr& segment : levels.level(level)) {
    if (busy.Holds(segment)) continue;
    const uint64_t below = BytesOf(levels.Overlapping(
        {level.value + 1},
        {.smallest = SmallestUserKey(*segment), .largest = LargestUserKey(*segment)}));
    candidates.push_back({static_cast<double>(below) /
                              static_cast<double>(std::max<uint64_t>(segment->size, 1)),
                          segment});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.ratio < b.ratio; });
  for (const Candidate& candidate : candidates) {
    Compaction compaction = Downward(levels, level, {candidate.segment});
    if (busy.Forbids(compaction)) continue;
    if (compaction.output_inputs.empty()) {
      compaction.kind = CompactionKind::kMove;
      return compaction;
    }
    return TakeAlong(levels, options, busy, std::move(compaction));
  }
  return {};
}

double ScoreOf(const Levels& levels, const PickerOptions& options, LevelIndex level,
               const BusySegments& busy) {
  if (level.value > 0) {
    return static_cast<double>(busy.StayingBytes(levels.level(level), level)) /
           static_cast<double>(LevelTarget(options, level));
  }
  const auto staying = std::count_if(levels.level0().begin(), levels.level0().end(),
                                     [&](const SegmentPtr& segment) { return !busy.Holds(segment); });
  return static_cast<double>(staying) /
         static_cast<double>(std::max<size_t>(options.level0_segments_merge, 1));
}

std::string ReasonFor(LevelIndex level, double score, const Levels& levels) {
  if (level.value == 0) {
    return absl::StrCat("level 0 has ", levels.level0().size(), " segments");
  }
  return absl::StrFormat("level %d is %.2f times its size", level.value, score);
}

}  // namespace

uint64_t LevelTarget(const PickerOptions& options, LevelIndex level) {
  FIRN_DCHECK(level.value > 0);
  uint64_t target = std::max<uint64_t>(options.level1_size, 1);
  for (uint32_t index = 1; index < level.value; ++index) {
    if (target > UINT64_MAX / options.multiplier) return UINT64_MAX;
    target *= options.multiplier;
  }
  return target;
}

Compaction PickLeveled(const Levels& levels, const PickerOptions& options,
                       RunningCompactions running) {
  const BusySegments busy(running);
  std::vector<std::pair<double, uint32_t>> due;
  for (uint32_t index = 0; index + 1 < kLevelCount; ++index) {
    const double score = ScoreOf(levels, options, {index}, busy);
    if (score >= 1 && (index == 0 || score > 1)) due.emplace_back(score, index);
  }
  std::stable_sort(due.begin(), due.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [score, index] : due) {
    Compaction compaction = index == 0 ? PickFromLevel0(levels, busy)
                                       : PickFromLevel(levels, options, {index}, busy);
    if (compaction.kind == CompactionKind::kNothing) continue;
    compaction.reason = ReasonFor({index}, score, levels);
    return compaction;
  }
  return {};
}

uint64_t LeveledDebt(const Levels& levels, const PickerOptions& options) {
  uint64_t debt = 0;
  if (levels.level0().size() >= options.level0_segments_merge) debt += levels.bytes({0});
  for (uint32_t index = 1; index + 1 < kLevelCount; ++index) {
    const uint64_t bytes = levels.bytes({index});
    debt += bytes - std::min(bytes, LevelTarget(options, {index}));
  }
  return debt;
}

double LeveledScore(const Levels& levels, const PickerOptions& options) {
  const BusySegments busy({});
  double highest = 0;
  for (uint32_t index = 0; index + 1 < kLevelCount; ++index) {
    highest = std::max(highest, ScoreOf(levels, options, {index}, busy));
  }
  return highest;
}

size_t LeveledBacklog(const Levels& levels, const PickerOptions& /*options*/) {
  return levels.level0().size();
}

RangePick PickLeveledRange(const Levels& levels, const UserKeyRange& range, LevelIndex source_level,
                           const PickerOptions& /*options*/, RunningCompactions running) {
  const LevelIndex deepest = levels.deepest();
  if (source_level > deepest) return {};
  std::vector<SegmentPtr> inputs = levels.Overlapping(source_level, range);
  if (inputs.empty()) return {};
  const BusySegments busy(running);
  Compaction compaction;
  if (source_level.value == 0) {
    // All of it: an older version must not stay above a newer one.
    if (busy.ReadsLevel0()) return {.blocked = true};
    compaction = Downward(levels, source_level, levels.level0());
  } else if (source_level < deepest) {
    compaction = Downward(levels, source_level, std::move(inputs));
  } else {
    compaction.kind = CompactionKind::kMerge;
    compaction.source_level = source_level;
    compaction.output_level = source_level;
    compaction.inputs = std::move(inputs);
    WidenRange(compaction, compaction.inputs, true);
  }
  if (busy.Forbids(compaction)) return {.blocked = true};
  compaction.reason = "asked for by hand";
  const bool is_last = compaction.output_level == source_level;
  return {.compaction = std::move(compaction), .is_last = is_last};
}

}  // namespace firn
