// engine/version_edit.h: one change to the metadata of a store, as the manifest records it.
//
// Encoded: fields one after the other, each a tag byte and its content; integers are varints unless
// noted. docs/formats/manifest.md has a worked example.
//
//   tag  field               content
//    1   next file           u64: above every file number in use
//    2   next keyspace       u32: above every keyspace id ever used
//    3   last sequence       u64: above or at every sequence number in segments and floors
//    4   add keyspace        id, name (prefixed), layout (1 byte), compression (1 byte), block size,
//                            compression threshold, filter bits per key
//    5   drop keyspace       id
//    6   add segment         keyspace id, level, number, id (8 bytes), size, entries, smallest
//                            (prefixed), largest (prefixed), least and greatest sequence number
//    7   remove segment      keyspace id, number
//    8   flushed             keyspace id, sequence: every entry of the keyspace up to it is in a
//                            segment (or was kVolatile and is gone): its floor
//    9   volatile            keyspace id, sequence + 1 since which kVolatile writes may be unflushed;
//                            0: none any more
//   10   drop below          keyspace id, bound
//   11   size limits         keyspace id, soft limit, limit (0: none)
//   12   segment content     data blocks, tombstones of the segment that the field before this adds
//   13   ingested            number that all records have of the segment that is added just before
//   14   compression         keyspace id, codec (1 byte), level: of what is written from now on
//   15   segment raw size    bytes of keys and values of the segment whose content is before this
// Invariants:
//   1. Tags 1-3 stand at most once in an edit. An unknown tag, a value out of range or a trailing
//      byte is refused.
//   2. The fields of an edit take effect together, in the order of the tags, except that removed
//      segments go before added ones: a move between levels is a removal and an addition.
#ifndef FIRN_ENGINE_VERSION_EDIT_H_
#define FIRN_ENGINE_VERSION_EDIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "firn/options.h"
#include "sstable/segment_meta.h"

namespace firn {

struct VersionEdit {
  struct AddKeyspace {
    KeyspaceId id;
    std::string name;
    KeyspaceOptions options;
  };
  struct AddSegment {
    KeyspaceId keyspace;
    LevelIndex level;
    SegmentMeta segment;
  };
  struct RemoveSegment {
    KeyspaceId keyspace;
    FileNumber number;
  };
  struct Flushed {
    KeyspaceId keyspace;
    SequenceNumber sequence;
  };
  struct Volatile {
    KeyspaceId keyspace;
    std::optional<SequenceNumber> since;
  };

  struct DropBelow {
    KeyspaceId keyspace;
    uint64_t bound;
  };
  struct LimitSize {
    KeyspaceId keyspace;
    SizeLimits limits;
  };

  struct SetCompression {
    KeyspaceId keyspace;
    CompressionChoice choice;
  };

  std::optional<FileNumber> next_file;
  std::optional<KeyspaceId> next_keyspace;
  std::optional<SequenceNumber> last_sequence;
  std::vector<AddKeyspace> added_keyspaces;
  std::vector<KeyspaceId> dropped_keyspaces;
  std::vector<AddSegment> added_segments;
  std::vector<RemoveSegment> removed_segments;
  std::vector<Flushed> flushed;
  std::vector<Volatile> volatile_marks;
  std::vector<DropBelow> bounds;
  std::vector<LimitSize> size_limits;
  std::vector<SetCompression> compressions;
};

std::string EncodeVersionEdit(const VersionEdit& edit);

// DataLoss/kSerialization saying at which byte of `encoded` what is wrong; any bytes are safe.
absl::StatusOr<VersionEdit> DecodeVersionEdit(absl::string_view encoded);

}  // namespace firn

#endif  // FIRN_ENGINE_VERSION_EDIT_H_
