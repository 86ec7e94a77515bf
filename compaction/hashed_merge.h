// compaction/hashed_merge.h: merges hashed segments into one (or a few), without sorting them.
//
// First the records that nobody can see are found (shadowed_records.h). Then the inputs are read from
// end to end, older ones first, and every extent is checked. One that loses nothing is copied as it is
// stored, under a new checksum; of one that does, the records that stay are packed into new extents. A
// tombstone that no snapshot needs goes if nothing older than the inputs is left outside them.
// A merge that reclaims rewrites one segment in the light of all newer ones, which it only reads (their
// indexes, and records that may be versions of a key of the segment). Its tombstones go where the
// indexes of the older segments show that none has the key. What hides a record may not go before the
// record: a merge that runs beside it and could drop that tombstone finds this segment among the
// older ones.
// Memory: that of the search, 12 bytes a record for the new index, 1 MiB of what is read. So whoever
// bounds the inputs of a merge bounds its memory. Indexes of inputs that stay on disk (a small memory
// budget) are read for the search, 10 bytes a record more.
#ifndef FIRN_COMPACTION_HASHED_MERGE_H_
#define FIRN_COMPACTION_HASHED_MERGE_H_

#include "compaction/job.h"
#include "compaction/levels.h"
#include "compaction/picker.h"
#include "sstable/segment_cache.h"

namespace firn {

// Of the type of RunCompactionJob(), which calls it for keyspaces of the hashed layout. `levels` are
// those that `compaction`, a merge, was picked from. One segment, or none if nothing stays; more where
// one cannot locate so many extents (pickers avoid that), and then in the order of age. Blocks.
// Errors in the result: DataLoss (damage, or inputs that are not hashed segments of one key size),
// Cancelled, ResourceExhausted, I/O.
JobResult RunHashedMerge(const JobContext& context, const Compaction& compaction,
                         const Levels& levels, SegmentDirectory& segments);

}  // namespace firn

#endif  // FIRN_COMPACTION_HASHED_MERGE_H_
