// tree/operation_record.h: the bytes of an entry of the operation log (docs/formats/operation.md).
//
// Its key in the keyspace "operations" is its number, 8 bytes big-endian. The record:
//
//   offset  size  field
//        0     1  version   1
//        1     1  kind      OperationKind
//        2     1  flags     01 value, 02 delta, 04 previous value, 08 digest after, 10 digest before,
//                           20 metadata, 40 last of its commit; 80 is refused
//        3        tree, commit number, time in ms since 1970: varints
//                 key: varint length, bytes
//                 then, where its flag is set and in this order:
//                 value: varint length, bytes
//                 delta: zigzag varint
//                 previous value: varint length, bytes
//                 digest after the operation: 33 bytes
//                 digest before it: 33 bytes (without the flag it is the one after the operation before)
//                 metadata: varint count, then that many pairs of (varint length, bytes); keys ascend
//
// Nothing follows the last field. docs: the index rows that lead to an operation stand in
// tree/operation_log.h.
#ifndef FIRN_TREE_OPERATION_RECORD_H_
#define FIRN_TREE_OPERATION_RECORD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/coding.h"
#include "firn/proof.h"
#include "tree/node_codec.h"

namespace firn {

inline constexpr uint8_t kOperationRecordVersion = 1;

// All fields of an entry but its number, which is its key.
struct LogEntry {
  OperationKind kind = OperationKind::kInsert;
  TreeNumber tree = 0;
  uint64_t commit_number = 0;
  uint64_t time_ms = 0;
  std::string key;
  std::optional<std::string> value;
  std::optional<int64_t> delta;
  std::optional<std::string> previous_value;
  std::optional<Digest> digest_after;
  std::optional<Digest> digest_before;
  std::map<std::string, std::string> metadata;
  bool ends_commit = false;
  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

std::string EncodeOperationKey(uint64_t number);
// DataLoss/kSerialization if `key` has another length.
absl::StatusOr<uint64_t> DecodeOperationKey(absl::string_view key);

// Appends to `target`.
void EncodeLogEntry(const LogEntry& entry, std::string& target);
// DataLoss/kSerialization naming the number and the offset; FailedPrecondition/kFormatVersion for
// another version.
absl::StatusOr<LogEntry> DecodeLogEntry(uint64_t number, absl::string_view record);

// A map of names to bytes, as records carry it: varint count, then pairs; keys ascend strictly.
void PutNames(std::string& target, const std::map<std::string, std::string>& names);
// None if malformed.
std::optional<std::map<std::string, std::string>> ReadNames(ByteReader& reader);
std::optional<Digest> ReadDigest(ByteReader& reader);

}  // namespace firn

#endif  // FIRN_TREE_OPERATION_RECORD_H_
