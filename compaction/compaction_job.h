// compaction/compaction_job.h: merges the segments that a picker chose.
//
// Inputs -> merging iterator -> garbage collector -> segment sink. A tombstone goes when no level
// below the output has a segment around its key; deeper levels change only by segments that were
// above them, which this compaction holds where they overlap, so the answer cannot go stale. A merge
// that stays on level 0 looks at the older segments there too; a merge among those only lessens what
// they hold. Segments of the hashed layout are merged by hashed_merge.h.
#ifndef FIRN_COMPACTION_COMPACTION_JOB_H_
#define FIRN_COMPACTION_COMPACTION_JOB_H_

#include "compaction/job.h"
#include "compaction/levels.h"
#include "compaction/picker.h"
#include "sstable/segment_cache.h"

namespace firn {

// `levels` are those that `compaction` was picked from. For kMove and kDrop nothing is read or
// written: the result is the edit. Blocks.
JobResult RunCompactionJob(const JobContext& context, const Compaction& compaction,
                           const Levels& levels, SegmentDirectory& segments);

}  // namespace firn

#endif  // FIRN_COMPACTION_COMPACTION_JOB_H_
