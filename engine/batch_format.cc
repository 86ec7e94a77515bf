#include "engine/batch_format.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"

namespace firn {
namespace {

absl::Status BadBatch(size_t offset, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   absl::StrCat("write batch: offset ", offset, ": ", what));
}

absl::Status ReadSized(ByteReader& reader, absl::string_view what, size_t size_max,
                       absl::string_view& text) {
  const size_t offset = reader.position();
  const std::optional<uint32_t> size = reader.ReadVarint32();
  if (!size.has_value()) return BadBatch(offset, absl::StrCat(what, " size is no varint32"));
  if (*size > size_max) {
    return BadBatch(offset, absl::StrCat(what, " size: expected at most ", size_max, ", found ",
                                         *size));
  }
  const std::optional<absl::string_view> bytes = reader.ReadText(*size);
  if (!bytes.has_value()) {
    return BadBatch(offset, absl::StrCat(what, " past the end: expected ", *size,
                                         " bytes, found ", reader.remaining()));
  }
  text = *bytes;
  return absl::OkStatus();
}

absl::Status ReadEntry(ByteReader& reader, BatchEntry& entry) {
  const size_t offset = reader.position();
  const std::optional<uint8_t> kind = reader.ReadByte();
  if (!kind.has_value()) return BadBatch(offset, "entry has no kind");
  if (*kind != static_cast<uint8_t>(EntryKind::kPut) &&
      *kind != static_cast<uint8_t>(EntryKind::kTombstone)) {
    return BadBatch(offset, absl::StrCat("entry kind: expected 1 or 2, found ", *kind));
  }
  entry.kind = static_cast<EntryKind>(*kind);
  const std::optional<uint32_t> keyspace = reader.ReadVarint32();
  if (!keyspace.has_value()) return BadBatch(offset + 1, "keyspace is no varint32");
  entry.keyspace = KeyspaceId{*keyspace};
  FIRN_RETURN_IF_ERROR(ReadSized(reader, "key", kKeySizeMax, entry.key));
  entry.value = absl::string_view();
  if (entry.kind == EntryKind::kTombstone) return absl::OkStatus();
  return ReadSized(reader, "value", kValueSizeMax, entry.value);
}

}  // namespace

void AppendPut(std::string& entries, KeyspaceId keyspace, absl::string_view key,
               absl::string_view value) {
  entries.push_back(static_cast<char>(EntryKind::kPut));
  PutVarint32(entries, keyspace.value);
  PutLengthPrefixed(entries, key);
  PutLengthPrefixed(entries, value);
}

void AppendRemove(std::string& entries, KeyspaceId keyspace, absl::string_view key) {
  entries.push_back(static_cast<char>(EntryKind::kTombstone));
  PutVarint32(entries, keyspace.value);
  PutLengthPrefixed(entries, key);
}

absl::Status ForEachEntry(ByteSpan entries,
                          absl::FunctionRef<absl::Status(const BatchEntry&)> visit) {
  ByteReader reader(entries);
  BatchEntry entry;
  while (!reader.empty()) {
    FIRN_RETURN_IF_ERROR(ReadEntry(reader, entry));
    FIRN_RETURN_IF_ERROR(visit(entry));
  }
  return absl::OkStatus();
}

std::array<uint8_t, kGroupHeaderSize> EncodeGroupHeader(const GroupHeader& header) {
  FIRN_CHECK(header.count >= 1 && header.first_sequence.value >= 1);
  FIRN_CHECK(header.first_sequence <= kMaxSequenceNumber &&
             header.count - 1 <= kMaxSequenceNumber.value - header.first_sequence.value);
  std::array<uint8_t, kGroupHeaderSize> bytes{};
  StoreFixed64(bytes.data(), header.first_sequence.value);
  StoreFixed32(bytes.data() + 8, header.count);
  return bytes;
}

absl::StatusOr<Group> DecodeGroup(ByteSpan payload) {
  if (payload.size() < kGroupHeaderSize) {
    return BadBatch(0, absl::StrCat("group header: expected ", kGroupHeaderSize, " bytes, found ",
                                    payload.size()));
  }
  Group group;
  group.header.first_sequence = SequenceNumber{LoadFixed64(payload.data())};
  group.header.count = LoadFixed32(payload.data() + 8);
  const SequenceNumber first = group.header.first_sequence;
  if (first.value == 0 || first > kMaxSequenceNumber) {
    return BadBatch(0, absl::StrCat("first sequence out of range: found ", first.value));
  }
  if (group.header.count == 0) return BadBatch(8, "group without entries");
  if (group.header.count - 1 > kMaxSequenceNumber.value - first.value) {
    return BadBatch(8, absl::StrCat("sequence numbers run out: ", group.header.count, " entries"));
  }
  for (size_t offset = 12; offset < kGroupHeaderSize; ++offset) {
    if (payload[offset] != 0) {
      return BadBatch(offset, absl::StrCat("flags or reserved byte: expected 0, found ",
                                           payload[offset]));
    }
  }
  group.entries = payload.subspan(kGroupHeaderSize);
  ByteReader reader(group.entries);
  BatchEntry entry;
  uint64_t count = 0;
  for (; !reader.empty(); ++count) {
    const absl::Status read = ReadEntry(reader, entry);
    if (!read.ok()) return Annotate(read, "entries of a group (offset after its header)");
  }
  if (count != group.header.count) {
    return BadBatch(8, absl::StrCat("entry count: expected ", group.header.count, ", found ",
                                    count));
  }
  return group;
}

}  // namespace firn
