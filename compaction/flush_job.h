// compaction/flush_job.h: entries in memory to segments of level 0. What stands behind the iterator is
// not known here.
#ifndef FIRN_COMPACTION_FLUSH_JOB_H_
#define FIRN_COMPACTION_FLUSH_JOB_H_

#include <cstdint>
#include <memory>

#include "base/types.h"
#include "compaction/job.h"
#include "sstable/internal_iterator.h"

namespace firn {

struct FlushInput {
  std::unique_ptr<InternalIterator> source;
  // The published number: entries above it are left out, for they may never be committed.
  SequenceNumber sequence_max;
};

struct FlushResult : JobResult {
  // Entries that were left out. A caller that then lets the memory go would lose them.
  uint64_t entries_above_bound = 0;
};

// Versions that no snapshot sees are dropped; tombstones stay, for older versions may stand in any
// level. An input without entries gives OK and an empty edit. Blocks.
FlushResult RunFlushJob(const JobContext& context, FlushInput input);

// The same for a source in the order of arrival, which becomes that of the segment: nothing is
// dropped, for older versions and newer ones do not meet.
FlushResult RunArrivalFlushJob(const JobContext& context, FlushInput input);

}  // namespace firn

#endif  // FIRN_COMPACTION_FLUSH_JOB_H_
