// sstable/segment_meta.h: what the manifest knows of a segment, and what a reader holds it to.
#ifndef FIRN_SSTABLE_SEGMENT_META_H_
#define FIRN_SSTABLE_SEGMENT_META_H_

#include <cstdint>
#include <string>

#include "base/types.h"

namespace firn {

struct SegmentMeta {
  FileNumber number;
  uint64_t id = 0;    // random; seeds every checksum in the file; the block cache's key
  uint64_t size = 0;  // bytes of the file
  uint64_t entry_count = 0;
  std::string smallest;  // first and last encoded internal key
  std::string largest;
  SequenceNumber sequence_min;
  SequenceNumber sequence_max;
  uint64_t data_block_count = 0;  // blocks or extents; 0: not known, from an older manifest
  uint64_t tombstone_count = 0;   // if that is known
  // Not 0: the file came from outside. Its records say number 0, and all have this one; so do the key
  // range and the sequence range here.
  SequenceNumber ingested_at;
  uint64_t raw_size = 0;          // bytes of keys and values; 0: not known
  friend bool operator==(const SegmentMeta&, const SegmentMeta&) = default;
};

// Of an ingested segment: as its file tells it, with number 0; `ingested_at` stays.
SegmentMeta AsStored(const SegmentMeta& ingested);
// The meta of a file whose records all say number 0, once they have the number `sequence`.
SegmentMeta AsIngested(const SegmentMeta& stored, SequenceNumber sequence);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_META_H_
