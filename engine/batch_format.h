// engine/batch_format.h: the bytes of write batches, in memory and as the payload of a WAL record.
// docs/formats/write_batch.md has a worked example.
//
// Entries stand one after the other (the public WriteBatch holds just these):
//
//   size    field
//      1    kind           EntryKind: 1 tombstone, 2 put; others refused
//    1-5    keyspace       varint32, the keyspace's id
//    1-5    key size       varint32, at most kKeySizeMax
//      n    key
//    1-5    value size     varint32, at most kValueSizeMax; a put only
//      n    value          a put only
//
// A WAL payload is a group: the batches that one leader commits together, behind one header
// (integers little-endian):
//
//   offset  size  field
//        0     8  first_sequence  number of the first entry; entry i has first_sequence + i
//        8     4  count           entries that follow, at least 1
//       12     1  flags           0; others refused
//       13     3  reserved        zero, refused otherwise
//       16        entries of all batches, in order, up to the end of the payload
//
// Invariants:
//   1. count is the number of entries, no byte follows the last one.
//   2. first_sequence >= 1 and first_sequence + count - 1 <= kMaxSequenceNumber.
#ifndef FIRN_ENGINE_BATCH_FORMAT_H_
#define FIRN_ENGINE_BATCH_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "firn/write_batch.h"
#include "sstable/internal_key.h"

namespace firn {

inline constexpr size_t kGroupHeaderSize = 8 + 4 + 1 + 3;
static_assert(kGroupHeaderSize == 16, "docs/formats/write_batch.md and tests/golden say 16");

// One put or removal. The views live as long as the bytes they were decoded from.
struct BatchEntry {
  EntryKind kind = EntryKind::kPut;
  KeyspaceId keyspace;
  absl::string_view key;
  absl::string_view value;  // empty for a tombstone
  friend bool operator==(const BatchEntry&, const BatchEntry&) = default;
};

// Appends one entry. Sizes are the caller's care (FIRN_CHECK: they fit 32 bits).
void AppendPut(std::string& entries, KeyspaceId keyspace, absl::string_view key,
               absl::string_view value);
void AppendRemove(std::string& entries, KeyspaceId keyspace, absl::string_view key);

// Calls `visit` for each entry in order; an error from it ends the walk and is returned. DataLoss/
// kSerialization, with the offset in `entries`, for bytes that are not entries; those before the
// bad one have been visited.
absl::Status ForEachEntry(ByteSpan entries,
                          absl::FunctionRef<absl::Status(const BatchEntry&)> visit);

struct GroupHeader {
  SequenceNumber first_sequence;
  uint32_t count = 0;
  friend bool operator==(const GroupHeader&, const GroupHeader&) = default;
};

// The header to write in front of the encoded batches. FIRN_CHECKs invariant 2.
std::array<uint8_t, kGroupHeaderSize> EncodeGroupHeader(const GroupHeader& header);

struct Group {
  GroupHeader header;
  ByteSpan entries;  // for ForEachEntry(), which cannot fail on them
};

// Checks the whole payload, entries included, before anything of it is believed. DataLoss/
// kSerialization with the offset in `payload`. The views live as long as `payload`.
absl::StatusOr<Group> DecodeGroup(ByteSpan payload);

}  // namespace firn

#endif  // FIRN_ENGINE_BATCH_FORMAT_H_
