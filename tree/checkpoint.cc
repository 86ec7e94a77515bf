#include "tree/checkpoint.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "base/types.h"
#include "firn/iterator.h"
#include "tree/operation_record.h"

namespace firn {
namespace {

absl::Status BadKey(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization, what);
}

absl::Status BadCheckpoint(uint64_t id, size_t offset, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   absl::StrCat("record of checkpoint ", id, ": offset ", offset, ": ", what));
}

// The rows of one state.
IteratorOptions RowsOf(CheckpointState state, const Snapshot& snapshot) {
  IteratorOptions options;
  options.begin = std::string(1, static_cast<char>(state));
  options.limit = std::string(1, static_cast<char>(static_cast<int>(state) + 1));
  options.snapshot = snapshot;
  return options;
}

absl::StatusOr<Checkpoint> DecodeRow(const Iterator& row) {
  FIRN_ASSIGN_OR_RETURN(const CheckpointKey key, DecodeCheckpointKey(row.key()));
  return DecodeCheckpoint(key.id, row.value());
}

bool ReadNumbers(ByteReader& reader, Checkpoint& checkpoint) {
  for (uint64_t* const field :
       {&checkpoint.time_ms, &checkpoint.root_birth, &checkpoint.last_operation,
        &checkpoint.commit_number, &checkpoint.node_count}) {
    const std::optional<uint64_t> value = reader.ReadVarint64();
    if (!value.has_value()) return false;
    *field = *value;
  }
  return true;
}

}  // namespace

std::string EncodeCheckpointKey(CheckpointKey key) {
  std::string bytes(1, static_cast<char>(key.state));
  PutBigEndian64(bytes, key.id);
  return bytes;
}

absl::StatusOr<CheckpointKey> DecodeCheckpointKey(absl::string_view key) {
  if (key.size() != 9) {
    return BadKey(absl::StrCat("key of a checkpoint has ", key.size(), " bytes, not 9"));
  }
  const uint8_t state = static_cast<uint8_t>(key[0]);
  if (state != static_cast<uint8_t>(CheckpointState::kBegun) &&
      state != static_cast<uint8_t>(CheckpointState::kMade)) {
    return BadKey(absl::StrCat("key of a checkpoint begins with ", state, ", not 1 or 2"));
  }
  return CheckpointKey{.state = static_cast<CheckpointState>(state),
                       .id = LoadBigEndian64(AsBytes(key.substr(1)))};
}

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string record;
  record.push_back(static_cast<char>(kCheckpointRecordVersion));
  record.push_back(static_cast<char>(checkpoint.reason));
  PutBytes(record, ByteSpan(checkpoint.digest.bytes));
  PutVarint64(record, checkpoint.time_ms);
  PutVarint64(record, checkpoint.root_birth);
  PutVarint64(record, checkpoint.last_operation);
  PutVarint64(record, checkpoint.commit_number);
  PutVarint64(record, checkpoint.node_count);
  PutNames(record, checkpoint.metadata);
  return record;
}

absl::StatusOr<Checkpoint> DecodeCheckpoint(uint64_t id, absl::string_view record) {
  ByteReader reader(record);
  const std::optional<uint8_t> version = reader.ReadByte();
  const std::optional<uint8_t> reason = reader.ReadByte();
  if (!version.has_value() || !reason.has_value()) {
    return BadCheckpoint(id, reader.position(), "shorter than its first two bytes");
  }
  if (*version != kCheckpointRecordVersion) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrCat("record of checkpoint ", id, ": version ", *version,
                                  ", this program reads version ", kCheckpointRecordVersion));
  }
  if (*reason < static_cast<uint8_t>(CheckpointReason::kRequested) ||
      *reason > static_cast<uint8_t>(CheckpointReason::kEveryCommit)) {
    return BadCheckpoint(id, 1, absl::StrCat("unknown reason ", *reason));
  }
  Checkpoint checkpoint;
  checkpoint.id = id;
  checkpoint.reason = static_cast<CheckpointReason>(*reason);
  const std::optional<Digest> digest = ReadDigest(reader);
  if (!digest.has_value() || !ReadNumbers(reader, checkpoint)) {
    return BadCheckpoint(id, reader.position(), "field missing or malformed");
  }
  checkpoint.digest = *digest;
  std::optional<std::map<std::string, std::string>> metadata = ReadNames(reader);
  if (!metadata.has_value()) return BadCheckpoint(id, reader.position(), "malformed metadata");
  checkpoint.metadata = std::move(*metadata);
  if (!reader.empty()) return BadCheckpoint(id, reader.position(), "bytes after the last field");
  return checkpoint;
}

std::string EncodeDeathKey(const Death& death) {
  std::string key;
  key.reserve(kDeathKeySize);
  PutBigEndian32(key, death.instance.tree);
  PutBigEndian64(key, death.checkpoint);
  PutBytes(key, ByteSpan(death.instance.label));
  PutBigEndian64(key, death.instance.birth);
  return key;
}

absl::StatusOr<Death> DecodeDeathKey(absl::string_view key) {
  if (key.size() != kDeathKeySize) {
    return BadKey(absl::StrCat("key of a death has ", key.size(), " bytes, not ", kDeathKeySize));
  }
  const ByteSpan bytes = AsBytes(key);
  Death death;
  death.instance.tree = LoadBigEndian32(bytes);
  death.checkpoint = LoadBigEndian64(bytes.subspan(4));
  std::copy_n(bytes.begin() + 12, sizeof(Label), death.instance.label.begin());
  death.instance.birth = LoadBigEndian64(bytes.subspan(12 + sizeof(Label)));
  return death;
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointReader::Get(uint64_t id) const {
  const absl::StatusOr<PinnedValue> row =
      checkpoints_.Get(EncodeCheckpointKey({.state = CheckpointState::kMade, .id = id}), snapshot_);
  if (absl::IsNotFound(row.status())) return std::optional<Checkpoint>();
  FIRN_RETURN_IF_ERROR(row.status());
  FIRN_ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeCheckpoint(id, row->view()));
  return std::optional<Checkpoint>(std::move(checkpoint));
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointReader::Latest() const {
  const std::unique_ptr<Iterator> rows =
      checkpoints_.NewIterator(RowsOf(CheckpointState::kMade, snapshot_));
  rows->SeekToLast();
  FIRN_RETURN_IF_ERROR(rows->status());
  if (!rows->Valid()) return std::optional<Checkpoint>();
  FIRN_ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeRow(*rows));
  return std::optional<Checkpoint>(std::move(checkpoint));
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointReader::Begun() const {
  const std::unique_ptr<Iterator> rows =
      checkpoints_.NewIterator(RowsOf(CheckpointState::kBegun, snapshot_));
  std::optional<Checkpoint> begun;
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    FIRN_ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeRow(*rows));
    if (begun.has_value()) {
      return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                       absl::StrCat("checkpoints ", begun->id, " and ", checkpoint.id,
                                    " were both begun and not made"));
    }
    begun = std::move(checkpoint);
  }
  FIRN_RETURN_IF_ERROR(rows->status());
  return begun;
}

absl::StatusOr<std::vector<Checkpoint>> CheckpointReader::List() const {
  const std::unique_ptr<Iterator> rows =
      checkpoints_.NewIterator(RowsOf(CheckpointState::kMade, snapshot_));
  std::vector<Checkpoint> checkpoints;
  for (rows->SeekToLast(); rows->Valid(); rows->Prev()) {
    FIRN_ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeRow(*rows));
    checkpoints.push_back(std::move(checkpoint));
  }
  FIRN_RETURN_IF_ERROR(rows->status());
  return checkpoints;
}

}  // namespace firn
