// tree/checkpoint.h: the record of a checkpoint, and reading those of a store
// (docs/formats/checkpoint.md).
//
// Keys in the keyspace "checkpoints": one byte, then the checkpoint's id, 8 bytes big-endian:
//
//   01  begun: its nodes are being written; at most one row, with the highest id
//   02  made: its nodes are durable
//
// Both rows carry the same record, so that a checkpoint that a crash interrupted is made again as it
// was meant:
//
//   offset  size  field
//        0     1  version       1
//        1     1  reason        CheckpointReason
//        2    33  digest        the height is its last byte
//       35        varints: time in ms since 1970, birth of the root, last operation, commit number,
//                 node count
//                 metadata: varint count, then pairs of (varint length, bytes); keys ascend
//
// Deaths are rows of the keyspace "deaths" without a value: tree (4, big-endian), the first
// checkpoint without the node (8, big-endian), label (32), birth (8, big-endian).
#ifndef FIRN_TREE_CHECKPOINT_H_
#define FIRN_TREE_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/authenticated_tree.h"
#include "firn/keyspace.h"
#include "firn/snapshot.h"
#include "tree/node_codec.h"

namespace firn {

inline constexpr uint8_t kCheckpointRecordVersion = 1;

enum class CheckpointState : uint8_t { kBegun = 1, kMade = 2 };

struct CheckpointKey {
  CheckpointState state = CheckpointState::kMade;
  uint64_t id = 0;
};

std::string EncodeCheckpointKey(CheckpointKey key);
// DataLoss/kSerialization.
absl::StatusOr<CheckpointKey> DecodeCheckpointKey(absl::string_view key);

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
// DataLoss/kSerialization naming the id and the offset; FailedPrecondition/kFormatVersion.
absl::StatusOr<Checkpoint> DecodeCheckpoint(uint64_t id, absl::string_view record);

// The instance died: `checkpoint` is the first without it.
struct Death {
  uint64_t checkpoint = 0;
  Instance instance;
  friend bool operator==(const Death&, const Death&) = default;
};
inline constexpr size_t kDeathKeySize = 4 + 8 + 32 + 8;
std::string EncodeDeathKey(const Death& death);
absl::StatusOr<Death> DecodeDeathKey(absl::string_view key);

// Reads the rows of one keyspace. Thread-safe.
class CheckpointReader {
 public:
  CheckpointReader(Keyspace checkpoints, Snapshot snapshot)
      : checkpoints_(std::move(checkpoints)), snapshot_(std::move(snapshot)) {}

  // None if there is no such checkpoint.
  absl::StatusOr<std::optional<Checkpoint>> Get(uint64_t id) const;
  absl::StatusOr<std::optional<Checkpoint>> Latest() const;  // of those made
  // The one that was begun and not made. DataLoss/kCorruption if there are two.
  absl::StatusOr<std::optional<Checkpoint>> Begun() const;
  absl::StatusOr<std::vector<Checkpoint>> List() const;  // those made, newest first

 private:
  Keyspace checkpoints_;
  Snapshot snapshot_;
};

}  // namespace firn

#endif  // FIRN_TREE_CHECKPOINT_H_
