#include "sstable/ordered_segment_tail.h"

#include <utility>

#include "base/status.h"

namespace firn {

absl::StatusOr<OrderedSegmentTail> ReadOrderedSegmentTail(RandomAccessFile& file) {
  FIRN_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadSegmentFooter(file));
  return ReadOrderedSegmentTail(file, footer);
}

absl::StatusOr<OrderedSegmentTail> ReadOrderedSegmentTail(RandomAccessFile& file,
                                                          const SegmentFooter& footer) {
  FIRN_ASSIGN_OR_RETURN(SegmentFrame frame, ReadSegmentFrame(file, footer));
  FIRN_ASSIGN_OR_RETURN(Index index,
                        Index::Create(std::move(frame.index), footer.index.size,
                                      {.path = file.path(),
                                       .offset = footer.index.offset,
                                       .data_size = frame.data_size(),
                                       .data_block_count = frame.properties.data_block_count}));
  Filter filter;
  if (frame.filter != nullptr) {
    FIRN_ASSIGN_OR_RETURN(
        filter, Filter::Create(frame.filter_bytes(), footer.filter.offset, file.path()));
  }
  return OrderedSegmentTail{.footer = footer,
                            .properties = std::move(frame.properties),
                            .index = std::move(index),
                            .filter = std::move(filter)};
}

}  // namespace firn
