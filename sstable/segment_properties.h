// sstable/segment_properties.h: what the writer of a segment knew of it; its last block.
//
// The block is the fields below in their order: numbers as varints; `smallest`, `largest` and
// `origin` prefixed with their size. Nothing follows.
#ifndef FIRN_SSTABLE_SEGMENT_PROPERTIES_H_
#define FIRN_SSTABLE_SEGMENT_PROPERTIES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

struct SegmentProperties {
  FileNumber number;  // the file's when it was written; a backup may rename it
  KeyspaceId keyspace;
  uint64_t entry_count = 0;
  uint64_t tombstone_count = 0;
  uint64_t user_key_count = 0;  // distinct
  uint64_t raw_key_size = 0;    // bytes of all internal keys
  uint64_t raw_value_size = 0;  // bytes of all values
  uint64_t data_block_count = 0;
  uint64_t data_size = 0;  // bytes of the data blocks as stored, trailers included
  SequenceNumber sequence_min;
  SequenceNumber sequence_max;
  uint64_t block_size = 0;  // options in force
  uint64_t restart_interval = 0;
  uint64_t filter_bits_per_key = 0;
  uint64_t created_ms = 0;  // milliseconds since 1970
  std::string smallest;     // encoded internal keys
  std::string largest;
  std::string origin;  // what made it, for people: "flush", "compaction"

  friend bool operator==(const SegmentProperties&, const SegmentProperties&) = default;
};

std::string EncodeSegmentProperties(const SegmentProperties& properties);

// DataLoss if `bytes` are not such a block, or contradict themselves (no entry, an empty or
// inverted range). `offset` and `path` are for errors.
absl::StatusOr<SegmentProperties> ParseSegmentProperties(absl::string_view bytes, uint64_t offset,
                                                         absl::string_view path);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_PROPERTIES_H_
