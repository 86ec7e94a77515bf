// sstable/segment_tail.h: what stands behind the data blocks of a segment, read and checked whole:
// footer, filter, index and properties.
#ifndef FIRN_SSTABLE_SEGMENT_TAIL_H_
#define FIRN_SSTABLE_SEGMENT_TAIL_H_

#include "absl/status/statusor.h"
#include "io/file_system.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/segment_format.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_properties.h"

namespace firn {

struct SegmentTail {
  SegmentFooter footer;
  SegmentProperties properties;
  Index index;
  Filter filter;  // lets every key pass if the segment has none
};

// Two submissions: the footer, then the three blocks. Checks each part, and that they agree with
// one another. Errors: those of ParseSegmentFooter(), DataLoss, I/O.
absl::StatusOr<SegmentTail> ReadSegmentTail(RandomAccessFile& file);

// The facts that a manifest keeps, as this file tells them.
SegmentMeta MetaOf(const SegmentTail& tail);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_TAIL_H_
