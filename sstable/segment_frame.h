// sstable/segment_frame.h: what segments of every layout have in common behind their data: footer,
// properties, and the bytes of index and filter, whose content is the layout's matter.
#ifndef FIRN_SSTABLE_SEGMENT_FRAME_H_
#define FIRN_SSTABLE_SEGMENT_FRAME_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/segment_format.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_properties.h"

namespace firn {

struct SegmentFrame {
  SegmentFooter footer;
  SegmentProperties properties;
  std::unique_ptr<uint8_t[]> index;   // footer.index.size bytes, and the trailer
  std::unique_ptr<uint8_t[]> filter;  // null if the segment has none

  // Bytes before filter, index and properties: the data (hashed: and the pages of the index).
  uint64_t data_size() const {
    return footer.filter.size > 0 ? footer.filter.offset : footer.index.offset;
  }
  ByteSpan filter_bytes() const { return ByteSpan(filter.get(), footer.filter.size); }
  ByteSpan index_bytes() const { return ByteSpan(index.get(), footer.index.size); }
};

// One read. Errors: those of ParseSegmentFooter(), I/O.
absl::StatusOr<SegmentFooter> ReadSegmentFooter(RandomAccessFile& file);

// The three blocks behind the data in one submission, each with its checksum checked, and that the
// properties agree with the footer. Errors: DataLoss, I/O.
absl::StatusOr<SegmentFrame> ReadSegmentFrame(RandomAccessFile& file, const SegmentFooter& footer);

// The facts that a manifest keeps, as the file tells them.
SegmentMeta MetaOf(const SegmentFooter& footer, const SegmentProperties& properties);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_FRAME_H_
