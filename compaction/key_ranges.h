// compaction/key_ranges.h: cuts the inputs of a large merge into ranges of about as many bytes, from
// what the indexes of the segments say: no data is read.
#ifndef FIRN_COMPACTION_KEY_RANGES_H_
#define FIRN_COMPACTION_KEY_RANGES_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compaction/levels.h"
#include "sstable/internal_iterator.h"
#include "sstable/segment_cache.h"

namespace firn {

// User keys in [begin, limit); none: no limit. The first range begins with "".
struct KeyRange {
  std::string begin;
  std::optional<std::string> limit;
};

// At most `parts` (>= 1) ranges that cover all keys, in order; fewer where keys do not suffice.
absl::StatusOr<std::vector<KeyRange>> SplitByBytes(absl::Span<const SegmentPtr> segments,
                                                   size_t parts, SegmentDirectory& directory);

// Forward only (SeekToFirst() and Next()): the entries of `source` in `range`. All versions of a key
// are in one range.
std::unique_ptr<InternalIterator> NewRangeIterator(std::unique_ptr<InternalIterator> source,
                                                   KeyRange range);

}  // namespace firn

#endif  // FIRN_COMPACTION_KEY_RANGES_H_
