// compaction/job.h: what a flush and a compaction share: what they are given, and what they result in.
//
// A job changes no version and no manifest. It writes segments nobody names yet, and returns the
// edit that would name them; the caller persists that, or drops the files in `created`.
#ifndef FIRN_COMPACTION_JOB_H_
#define FIRN_COMPACTION_JOB_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/types.h"
#include "compaction/garbage_collector.h"
#include "compaction/io_budget.h"
#include "compaction/levels.h"
#include "compaction/parallel_parts.h"
#include "compaction/segment_sink.h"
#include "io/file_system.h"
#include "sstable/internal_iterator.h"

namespace firn {

// Everything here outlives the job.
struct JobContext {
  FileSystem* file_system = nullptr;
  SegmentSinkOptions sink;
  // Ascending, each once: snapshots alive, asked for after the input was fixed
  // (engine/snapshot_registry.h says why).
  std::vector<SequenceNumber> snapshots;
  IoBudget* io_budget = nullptr;                 // null: unlimited
  const std::atomic<bool>* cancelled = nullptr;  // null: never
  // A merge of ordered segments is cut into so many parts at most, of so many input bytes at least;
  // `helpers` (may be null) runs some of them beside the job's own thread.
  size_t parts_max = 1;
  uint64_t part_bytes_min = uint64_t{64} << 20;
  HelperSink helpers;
};

struct JobResult {
  absl::Status status;               // Cancelled if `cancelled` became true
  LevelsEdit edit;                   // valid if OK; may be empty
  std::vector<FileNumber> created;   // every file that may exist now, also on failure
  uint64_t bytes_read = 0;           // of input segments; 0 for a flush
  uint64_t bytes_written = 0;
  uint64_t entries_read = 0;
  GarbageCollectorCounts collected;
};

struct JobStream {
  std::unique_ptr<InternalIterator> source;
  std::function<bool(absl::string_view user_key)> key_may_exist_below;
  LevelIndex output_level;
  // How often the budget, if there is one, is charged for each byte of entries: 2 for a merge, which
  // reads and writes.
  uint64_t passes = 1;
};

// Passes the stream through a collector into segments on `output_level`, and fills all of `result` but
// bytes_read and edit.removed.
void RunJobStream(const JobContext& context, JobStream stream, JobResult& result);

// The same without a collector: every entry of `source`, in its order. The budget is charged once.
void RunCopyStream(const JobContext& context, InternalIterator& source, LevelIndex output_level,
                   JobResult& result);

}  // namespace firn

#endif  // FIRN_COMPACTION_JOB_H_
