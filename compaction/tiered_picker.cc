#include "compaction/tiered_picker.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "compaction/busy_segments.h"

namespace firn {
namespace {

// A final segment is rewritten when one entry of so many is dead.
constexpr double kDeadShareInverse = 4;

// Places of level 0, newest first.
struct Run {
  size_t begin = 0;
  size_t limit = 0;
  int tier = 0;
  size_t of_tier = 0;   // segments that are of the tier itself
  bool is_cut = false;  // by the limits of a merge
  uint64_t bytes = 0;
  uint64_t largest = 0;  // bytes of its largest segment

  size_t size() const { return limit - begin; }
};

// What one merge may take in.
class MergeSize {
 public:
  explicit MergeSize(const PickerOptions& options) : options_(options) {}

  bool Fits(const SegmentMeta& segment) const {
    return bytes_ + segment.size <= options_.merge_bytes_max &&
           blocks_ + segment.data_block_count <= options_.merge_blocks_max;
  }
  void Add(const SegmentMeta& segment) {
    bytes_ += segment.size;
    blocks_ += segment.data_block_count;
  }
  void Reset() { bytes_ = blocks_ = 0; }

 private:
  const PickerOptions& options_;
  uint64_t bytes_ = 0;
  uint64_t blocks_ = 0;
};

bool IsDue(const Run& run, const PickerOptions& options) {
  const size_t half = std::max<size_t>(options.fan_in / 2, 2);
  // What was cut may never have more segments: whenever the largest of them grows by half.
  const bool has_grown = run.size() >= 2 && run.bytes - run.largest >= run.largest / 2;
  if (run.is_cut && has_grown) return true;
  if (run.size() < (run.is_cut ? half : options.fan_in)) return false;
  return run.of_tier >= half || run.size() >= 4 * options.fan_in;
}

// The runs of `tier`, newest first.
std::vector<Run> RunsOf(const std::vector<SegmentPtr>& segments, const std::vector<int>& tiers,
                        int tier, const PickerOptions& options, const BusySegments& busy) {
  std::vector<Run> runs;
  Run run{.tier = tier};
  MergeSize merge(options);
  const auto end_run = [&](size_t at) {
    if (run.of_tier > 0) {
      run.limit = at;
      runs.push_back(run);
    }
    run = Run{.tier = tier};
    merge.Reset();
  };
  for (size_t i = 0; i < segments.size(); ++i) {
    if (tiers[i] > tier || busy.Holds(segments[i])) {
      end_run(i);
      continue;
    }
    if (run.of_tier == 0 && tiers[i] < tier) continue;  // newer and smaller: not of this run
    if (run.of_tier > 0 && !merge.Fits(*segments[i])) {
      run.is_cut = true;
      end_run(i);
      if (tiers[i] < tier) continue;
    }
    if (run.of_tier == 0) run.begin = i;
    merge.Add(*segments[i]);
    run.bytes += segments[i]->size;
    run.largest = std::max(run.largest, segments[i]->size);
    run.of_tier += tiers[i] == tier ? 1 : 0;
  }
  end_run(segments.size());
  return runs;
}

// All runs, lower tiers first.
std::vector<Run> AllRuns(const Levels& levels, const PickerOptions& options,
                         const BusySegments& busy) {
  const std::vector<SegmentPtr>& segments = levels.level0();
  std::vector<int> tiers;
  tiers.reserve(segments.size());
  for (const SegmentPtr& segment : segments) tiers.push_back(TierOf(segment->size, options));
  std::vector<int> distinct = tiers;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<Run> all;
  for (const int tier : distinct) {
    const std::vector<Run> runs = RunsOf(segments, tiers, tier, options, busy);
    all.insert(all.end(), runs.begin(), runs.end());
  }
  return all;
}

Compaction MergeOf(std::vector<SegmentPtr> inputs, const PickerOptions& options) {
  Compaction compaction;
  compaction.kind = CompactionKind::kMerge;
  compaction.source_level = {0};
  compaction.output_level = {0};
  compaction.inputs = std::move(inputs);
  compaction.output_bytes_max = options.merge_bytes_max;
  WidenRange(compaction, compaction.inputs, true);
  return compaction;
}

// So large that merges of tiers leave it alone, or nearly.
bool IsFinal(const SegmentMeta& segment, const PickerOptions& options) {
  return segment.size > options.merge_bytes_max / 2 ||
         segment.data_block_count > options.merge_blocks_max / 2;
}

// A run that is due counts as fan_in segments at least, though it was cut.
size_t FullestRun(const Levels& levels, const PickerOptions& options) {
  size_t fullest = 0;
  for (const Run& run : AllRuns(levels, options, BusySegments({}))) {
    if (IsDue(run, options)) fullest = std::max({fullest, run.size(), options.fan_in});
    fullest = std::max(fullest, std::min(run.size(), options.fan_in - 1));
  }
  return fullest;
}

}  // namespace

int TierOf(uint64_t size, const PickerOptions& options) {
  FIRN_DCHECK(options.fan_in >= 2 && options.flush_size > 0);
  int tier = 0;
  uint64_t limit = options.flush_size;
  if (size > limit) {
    while (size > limit) {
      ++tier;
      if (limit > UINT64_MAX / options.fan_in) break;
      limit *= options.fan_in;
    }
    return tier;
  }
  while (tier > kSmallestTier && size <= limit / options.fan_in) {
    --tier;
    limit /= options.fan_in;
  }
  return tier;
}

Compaction PickTiered(const Levels& levels, const PickerOptions& options,
                      RunningCompactions running) {
  const BusySegments busy(running);
  for (const Run& run : AllRuns(levels, options, busy)) {
    if (!IsDue(run, options)) continue;
    const auto& segments = levels.level0();
    Compaction compaction = MergeOf({segments.begin() + static_cast<std::ptrdiff_t>(run.begin),
                                     segments.begin() + static_cast<std::ptrdiff_t>(run.limit)},
                                    options);
    compaction.reason = absl::StrCat("tier ", run.tier, " has ", run.size(), " segments");
    return compaction;
  }
  return PickReclaim(levels, options, running);
}

Compaction PickReclaim(const Levels& levels, const PickerOptions& options,
                       RunningCompactions running) {
  const std::vector<SegmentPtr>& segments = levels.level0();
  const BusySegments busy(running);
  struct Hider {  // a settled segment with tombstones that everybody sees
    FileNumber number;
    double rate;  // tombstones for each older entry
  };
  std::vector<Hider> hiders;
  uint64_t older_entries = levels.entry_count();
  // Of all older segments: whether they were all rewritten after a given one was made is whether the
  // least number among them is greater. Else some of its tombstones could not go, and would make work
  // for ever.
  std::vector<FileNumber> least_older(segments.size(), FileNumber{UINT64_MAX});
  for (size_t i = segments.size(); i-- > 1;) {
    least_older[i - 1] = std::min(least_older[i], segments[i]->number);
  }
  std::optional<size_t> due;
  bool is_settled = false;
  for (size_t i = 0; i < segments.size(); ++i) {
    const SegmentMeta& segment = *segments[i];
    older_entries -= std::min(older_entries, segment.entry_count);
    is_settled = is_settled || IsFinal(segment, options);
    if (!is_settled) continue;
    const auto entries = static_cast<double>(segment.entry_count);
    double dead = 0;
    for (const Hider& hider : hiders) {
      if (hider.number > segment.number) dead += hider.rate * entries;
    }
    const bool seen_by_all = segment.sequence_max <= options.oldest_snapshot;
    if (seen_by_all && least_older[i] > segment.number) {
      dead += static_cast<double>(segment.tombstone_count);
    }
    if (dead * kDeadShareInverse >= entries && !busy.Holds(segments[i])) due = i;
    if (seen_by_all && segment.tombstone_count > 0 && older_entries > 0) {
      hiders.push_back({segment.number, static_cast<double>(segment.tombstone_count) /
                                            static_cast<double>(older_entries)});
    }
  }
  if (!due.has_value()) return {};
  Compaction compaction = MergeOf({segments[*due]}, options);
  compaction.reclaims = true;
  compaction.newer.assign(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(*due));
  compaction.reason = absl::StrCat("segment ", segments[*due]->number.value,
                                   " is settled and has much that is dead");
  return compaction;
}

double TieredScore(const Levels& levels, const PickerOptions& options) {
  const double by_size =
      static_cast<double>(FullestRun(levels, options)) / static_cast<double>(options.fan_in);
  if (by_size >= 1) return by_size;
  return PickReclaim(levels, options, {}).kind == CompactionKind::kNothing ? by_size : 1;
}

uint64_t TieredDebt(const Levels& levels, const PickerOptions& options) {
  uint64_t debt = 0;
  for (const Run& run : AllRuns(levels, options, BusySegments({}))) {
    if (!IsDue(run, options)) continue;
    for (size_t i = run.begin; i < run.limit; ++i) debt += levels.level0()[i]->size;
  }
  return debt;
}

size_t TieredBacklog(const Levels& levels, const PickerOptions& options) {
  return FullestRun(levels, options);
}

RangePick PickTieredRange(const Levels& levels, const UserKeyRange& range, LevelIndex source_level,
                          const PickerOptions& options, RunningCompactions running) {
  if (source_level.value > 0) return {};
  if (levels.Overlapping({0}, range).empty()) return {.is_last = true};
  const BusySegments busy(running);
  const std::vector<SegmentPtr>& segments = levels.level0();
  const bool blocked =
      std::any_of(segments.begin(), segments.end(),
                  [&](const SegmentPtr& segment) { return busy.Holds(segment); });
  if (blocked) return {.blocked = true};
  RangePick pick{.compaction = MergeOf(segments, options), .is_last = true};
  pick.compaction.reason = "asked for by hand";
  return pick;
}

}  // namespace firn
