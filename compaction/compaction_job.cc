#include "compaction/compaction_job.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "compaction/hashed_merge.h"
#include "compaction/key_ranges.h"
#include "compaction/level_iterator.h"
#include "compaction/parallel_parts.h"
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

std::vector<SegmentPtr> InputsOf(const Compaction& compaction) {
  std::vector<SegmentPtr> inputs = compaction.inputs;
  inputs.insert(inputs.end(), compaction.output_inputs.begin(), compaction.output_inputs.end());
  return inputs;
}

// On level 0 segments are told apart by their sequence numbers, and one job makes one of them.
size_t PartsOf(const JobContext& context, const Compaction& compaction) {
  if (compaction.output_level.value == 0) return 1;
  const uint64_t parts = compaction.input_bytes() / std::max<uint64_t>(1, context.part_bytes_min);
  return static_cast<size_t>(
      std::clamp<uint64_t>(parts, 1, std::max<size_t>(1, context.parts_max)));
}

// Parts come in the order of their keys. Of several errors the one that is not the others' echo.
void TakeIn(JobResult part, JobResult& whole) {
  if (whole.status.ok() || absl::IsCancelled(whole.status)) {
    if (!part.status.ok()) whole.status = part.status;
  }
  for (LevelSegment& added : part.edit.added) whole.edit.added.push_back(std::move(added));
  whole.created.insert(whole.created.end(), part.created.begin(), part.created.end());
  whole.bytes_written += part.bytes_written;
  whole.entries_read += part.entries_read;
  whole.collected.passed += part.collected.passed;
  whole.collected.shadowed += part.collected.shadowed;
  whole.collected.tombstones += part.collected.tombstones;
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
  result.bytes_read = compaction.input_bytes();
  const absl::StatusOr<std::vector<KeyRange>> ranges =
      SplitByBytes(InputsOf(compaction), PartsOf(context, compaction), segments);
  if (!ranges.ok()) {
    result.status = ranges.status();
    return result;
  }
  const std::vector<SegmentPtr> older = OlderOnLevel0(compaction, levels);
  std::vector<JobResult> parts(ranges->size());
  std::atomic<bool> failed{false};
  RunParts(parts.size(), context.helpers, [&](size_t i) {
    JobResult& part = parts[i];
    if (failed.load(std::memory_order_relaxed)) {
      part.status = absl::CancelledError("another part of the merge failed");
      return;
    }
    absl::StatusOr<std::unique_ptr<InternalIterator>> source = NewInput(compaction, segments);
    part.status = source.status();
    if (source.ok()) {
      JobStream stream;
      stream.source = NewRangeIterator(*std::move(source), (*ranges)[i]);
      stream.output_level = compaction.output_level;
      stream.passes = 2;
      stream.key_may_exist_below = [&](absl::string_view user_key) {
        const UserKeyRange key{.smallest = user_key, .largest = user_key};
        return levels.KeyMayExistBelow(compaction.output_level, user_key) ||
               std::any_of(older.begin(), older.end(), [&](const SegmentPtr& segment) {
                 return Overlaps(*segment, key);
               });
      };
      RunJobStream(context, std::move(stream), part);
    }
    if (!part.status.ok()) failed.store(true, std::memory_order_relaxed);
  });
  for (JobResult& part : parts) TakeIn(std::move(part), result);
  if (!result.status.ok()) result.edit.added.clear();  // all parts or none
  return result;
}

}  // namespace firn
