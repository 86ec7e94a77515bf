#include "compaction/compaction_job.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "compaction/hashed_merge.h"
#include "compaction/level_iterator.h"
#include "sstable/merging_iterator.h"

namespace firn {
namespace {

// Blocks on their way through are not to push hot ones out of the cache.
constexpr SegmentReadOptions kReadOptions = {.cache = CacheUse::kProbe,
                                             .readahead_max = size_t{1} << 20};

absl::StatusOr<std::unique_ptr<InternalIterator>> NewInput(const Compaction& compaction,
                                                           SegmentDirectory& segments) {
  std::vector<std::unique_ptr<InternalIterator>> inputs;
  if (compaction.source_level.value == 0) {
    for (const SegmentPtr& segment : compaction.inputs) {
      FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> reader, segments.Get(*segment));
      inputs.push_back(reader->NewIterator(kReadOptions));
    }
  } else {
    inputs.push_back(NewLevelIterator(compaction.inputs, segments, kReadOptions));
  }
  if (!compaction.output_inputs.empty()) {
    inputs.push_back(NewLevelIterator(compaction.output_inputs, segments, kReadOptions));
  }
  return NewMergingIterator(std::move(inputs));
}

// What stays on level 0 below the output, if that stays there.
std::vector<SegmentPtr> OlderOnLevel0(const Compaction& compaction, const Levels& levels) {
  if (compaction.output_level.value > 0) return {};
  const std::vector<SegmentPtr>& level0 = levels.level0();
  const auto oldest = std::find(level0.begin(), level0.end(), compaction.inputs.back());
  FIRN_CHECK(oldest != level0.end());
  return {oldest + 1, level0.end()};
}

}  // namespace

JobResult RunCompactionJob(const JobContext& context, const Compaction& compaction,
                           const Levels& levels, SegmentDirectory& segments) {
  JobResult result;
  result.edit = compaction.Edit();
  if (compaction.kind != CompactionKind::kMerge) return result;
  if (context.sink.segment.layout == SegmentLayout::kHashed) {
    return RunHashedMerge(context, compaction, levels, segments);
  }
  absl::StatusOr<std::unique_ptr<InternalIterator>> source = NewInput(compaction, segments);
  if (!source.ok()) {
    result.status = source.status();
    return result;
  }
  result.bytes_read = compaction.input_bytes();
  JobStream stream;
  stream.source = std::move(source).value();
  stream.output_level = compaction.output_level;
  stream.passes = 2;
  const std::vector<SegmentPtr> older = OlderOnLevel0(compaction, levels);
  stream.key_may_exist_below = [&](absl::string_view user_key) {
    const UserKeyRange key{.smallest = user_key, .largest = user_key};
    return levels.KeyMayExistBelow(compaction.output_level, user_key) ||
           std::any_of(older.begin(), older.end(), [&](const SegmentPtr& segment) {
             return Overlaps(*segment, key);
           });
  };
  RunJobStream(context, std::move(stream), result);
  return result;
}

}  // namespace firn
