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

absl::Status CopyEntries(const JobContext& context, uint64_t passes, GarbageCollector& collector,
                         SegmentSink& sink) {
  FIRN_RETURN_IF_ERROR(CheckCancelled(context));
  uint64_t unchecked = 0;
  for (collector.SeekToFirst(); collector.Valid(); collector.Next()) {
    const absl::string_view key = collector.key();
    const absl::string_view value = collector.value();
    FIRN_RETURN_IF_ERROR(sink.Add(key, value));
    unchecked += key.size() + value.size() + kEntryOverhead;
    if (unchecked < kBytesBetweenChecks) continue;
    FIRN_RETURN_IF_ERROR(CheckCancelled(context));
    if (context.io_budget != nullptr) context.io_budget->Charge(unchecked * passes);
    unchecked = 0;
  }
  return collector.status();
}

}  // namespace

void RunJobStream(const JobContext& context, JobStream stream, JobResult& result) {
  FIRN_CHECK(context.file_system != nullptr);
  GarbageCollector collector(std::move(stream.source),
                             {.snapshots = context.snapshots,
                              .key_may_exist_below = std::move(stream.key_may_exist_below)});
  SegmentSink sink(*context.file_system, context.sink);
  result.status = CopyEntries(context, stream.passes, collector, sink);
  if (result.status.ok()) {
    absl::StatusOr<std::vector<SegmentPtr>> segments = sink.Finish();
    result.status = segments.status();
    if (segments.ok()) {
      for (SegmentPtr& segment : *segments) {
        result.edit.added.push_back({stream.output_level, std::move(segment)});
      }
    }
  }
  result.created = sink.created();
  result.bytes_written = sink.bytes_written();
  result.collected = collector.counts();
  result.entries_read =
      result.collected.passed + result.collected.shadowed + result.collected.tombstones;
}

}  // namespace firn
