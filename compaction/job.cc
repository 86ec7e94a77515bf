#include "compaction/job.h"

#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

// Between two looks at the flag and the budget. Small enough that a cancelled job ends at once, large
// enough that neither shows in a profile.
constexpr uint64_t kBytesBetweenChecks = 128 << 10;
constexpr uint64_t kEntryOverhead = 16;  // so that tiny entries are checked now and then, too

absl::Status CheckCancelled(const JobContext& context) {
  if (context.cancelled != nullptr && context.cancelled->load(std::memory_order_relaxed)) {
    return absl::CancelledError("background work was cancelled");
  }
  return absl::OkStatus();
}

// `Source`: InternalIterator or GarbageCollector.
template <typename Source>
absl::Status CopyEntries(const JobContext& context, uint64_t passes, Source& source,
                         SegmentSink& sink, uint64_t& copied) {
  FIRN_RETURN_IF_ERROR(CheckCancelled(context));
  uint64_t unchecked = 0;
  for (source.SeekToFirst(); source.Valid(); source.Next()) {
    const absl::string_view key = source.key();
    const absl::string_view value = source.value();
    FIRN_RETURN_IF_ERROR(sink.Add(key, value));
    ++copied;
    unchecked += key.size() + value.size() + kEntryOverhead;
    if (unchecked < kBytesBetweenChecks) continue;
    FIRN_RETURN_IF_ERROR(CheckCancelled(context));
    if (context.io_budget != nullptr) context.io_budget->Charge(unchecked * passes);
    unchecked = 0;
  }
  return source.status();
}

// What both kinds of stream end with.
void FinishSink(SegmentSink& sink, LevelIndex output_level, JobResult& result) {
  if (result.status.ok()) {
    absl::StatusOr<std::vector<SegmentPtr>> segments = sink.Finish();
    result.status = segments.status();
    if (segments.ok()) {
      for (SegmentPtr& segment : *segments) {
        result.edit.added.push_back({output_level, std::move(segment)});
      }
    }
  }
  result.created = sink.created();
  result.bytes_written = sink.bytes_written();
}

}  // namespace

void RunCopyStream(const JobContext& context, InternalIterator& source, LevelIndex output_level,
                   JobResult& result) {
  FIRN_CHECK(context.file_system != nullptr);
  SegmentSink sink(*context.file_system, context.sink);
  result.status = CopyEntries(context, 1, source, sink, result.entries_read);
  FinishSink(sink, output_level, result);
}

void RunJobStream(const JobContext& context, JobStream stream, JobResult& result) {
  FIRN_CHECK(context.file_system != nullptr);
  GarbageCollector collector(std::move(stream.source),
                             {.snapshots = context.snapshots,
                              .key_may_exist_below = std::move(stream.key_may_exist_below)});
  SegmentSink sink(*context.file_system, context.sink);
  uint64_t copied = 0;
  result.status = CopyEntries(context, stream.passes, collector, sink, copied);
  FinishSink(sink, stream.output_level, result);
  result.collected = collector.counts();
  result.entries_read =
      result.collected.passed + result.collected.shadowed + result.collected.tombstones;
}

}  // namespace firn
