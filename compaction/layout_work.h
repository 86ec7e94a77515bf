// compaction/layout_work.h: what the background does for a keyspace of each layout: how its segments
// are laid out, which picker chooses, how a memtable is flushed and segments are merged. WorkFor() is
// the one place that knows.
#ifndef FIRN_COMPACTION_LAYOUT_WORK_H_
#define FIRN_COMPACTION_LAYOUT_WORK_H_

#include <cstddef>

#include "compaction/compaction_job.h"
#include "compaction/flush_job.h"
#include "compaction/job.h"
#include "compaction/levels.h"
#include "compaction/picker.h"
#include "sstable/segment_cache.h"
#include "sstable/segment_format.h"

namespace firn {

struct LayoutWork {
  SegmentLayout segments = SegmentLayout::kOrdered;
  const Picker* picker = nullptr;
  // Of a memtable's NewFlushIterator().
  FlushResult (*flush)(const JobContext& context, FlushInput input) = nullptr;
  // Of what the picker chose.
  JobResult (*compact)(const JobContext& context, const Compaction& compaction,
                       const Levels& levels, SegmentDirectory& segments) = nullptr;
  // Whether a job cuts its output into segments of the target size.
  enum class Cut : uint8_t { kAtTargetSize = 1, kNever = 2 };
  Cut cut = Cut::kAtTargetSize;
  // Bytes before compression that blocks have at least, whatever the keyspace's options say.
  size_t block_size_min = 0;
};

const LayoutWork& WorkFor(SegmentLayout layout);

}  // namespace firn

#endif  // FIRN_COMPACTION_LAYOUT_WORK_H_
