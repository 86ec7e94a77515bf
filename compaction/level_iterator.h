// compaction/level_iterator.h: sorted, disjoint segments as one sorted input, opened one at a time.
#ifndef FIRN_COMPACTION_LEVEL_ITERATOR_H_
#define FIRN_COMPACTION_LEVEL_ITERATOR_H_

#include <memory>
#include <vector>

#include "compaction/levels.h"
#include "sstable/internal_iterator.h"
#include "sstable/segment_cache.h"
#include "sstable/segment_reader.h"

namespace firn {

// Both directions. `segments` are sorted by key and disjoint (a level below 0, or a part of one);
// `directory` outlives the iterator. A segment that cannot be opened is an error of the iterator.
std::unique_ptr<InternalIterator> NewLevelIterator(std::vector<SegmentPtr> segments,
                                                   SegmentDirectory& directory,
                                                   const SegmentReadOptions& options);

}  // namespace firn

#endif  // FIRN_COMPACTION_LEVEL_ITERATOR_H_
