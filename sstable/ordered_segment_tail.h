// sstable/ordered_segment_tail.h: what stands behind the data blocks of an ordered segment, read and
// checked whole: footer, filter, index and properties.
#ifndef FIRN_SSTABLE_ORDERED_SEGMENT_TAIL_H_
#define FIRN_SSTABLE_ORDERED_SEGMENT_TAIL_H_

#include "absl/status/statusor.h"
#include "io/file_system.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/segment_format.h"
#include "sstable/segment_frame.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_properties.h"

namespace firn {

struct OrderedSegmentTail {
  SegmentFooter footer;
  SegmentProperties properties;
  Index index;
  Filter filter;  // lets every key pass if the segment has none
};

// Two submissions: the footer, then the three blocks. Checks each part, and that they agree with
// one another. Errors: those of ReadSegmentFooter() and ReadSegmentFrame().
absl::StatusOr<OrderedSegmentTail> ReadOrderedSegmentTail(RandomAccessFile& file);
// The same with the footer read before.
absl::StatusOr<OrderedSegmentTail> ReadOrderedSegmentTail(RandomAccessFile& file,
                                                          const SegmentFooter& footer);

inline SegmentMeta MetaOf(const OrderedSegmentTail& tail) {
  return MetaOf(tail.footer, tail.properties);
}

}  // namespace firn

#endif  // FIRN_SSTABLE_ORDERED_SEGMENT_TAIL_H_
