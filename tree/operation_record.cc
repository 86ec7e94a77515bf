#include "tree/operation_record.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/types.h"

namespace firn {
namespace {

enum Flag : uint8_t {
  kHasValue = 0x01,
  kHasDelta = 0x02,
  kHasPrevious = 0x04,
  kHasDigestAfter = 0x08,
  kHasDigestBefore = 0x10,
  kHasMetadata = 0x20,
  kEndsCommit = 0x40,
  kReservedFlags = 0x80,
};

uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

uint8_t FlagsOf(const LogEntry& entry) {
  int flags = 0;
  if (entry.value.has_value()) flags |= kHasValue;
  if (entry.delta.has_value()) flags |= kHasDelta;
  if (entry.previous_value.has_value()) flags |= kHasPrevious;
  if (entry.digest_after.has_value()) flags |= kHasDigestAfter;
  if (entry.digest_before.has_value()) flags |= kHasDigestBefore;
  if (!entry.metadata.empty()) flags |= kHasMetadata;
  if (entry.ends_commit) flags |= kEndsCommit;
  return static_cast<uint8_t>(flags);
}

absl::Status BadEntry(uint64_t number, size_t offset, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   absl::StrCat("record of operation ", number, ": offset ", offset, ": ", what));
}

bool ReadString(ByteReader& reader, std::string& target) {
  const std::optional<absl::string_view> text = reader.ReadLengthPrefixed();
  if (!text.has_value()) return false;
  target.assign(text->data(), text->size());
  return true;
}

// Reads into `target` if `present`; false if what must be there is not.
bool ReadOptional(ByteReader& reader, bool present, std::optional<std::string>& target) {
  if (!present) return true;
  return ReadString(reader, target.emplace());
}

bool ReadOptional(ByteReader& reader, bool present, std::optional<Digest>& target) {
  if (!present) return true;
  target = ReadDigest(reader);
  return target.has_value();
}

bool ReadDelta(ByteReader& reader, bool present, std::optional<int64_t>& target) {
  if (!present) return true;
  const std::optional<uint64_t> zigzag = reader.ReadVarint64();
  if (!zigzag.has_value()) return false;
  target = UnZigZag(*zigzag);
  return true;
}

bool ReadMetadata(ByteReader& reader, bool present, std::map<std::string, std::string>& target) {
  if (!present) return true;
  std::optional<std::map<std::string, std::string>> names = ReadNames(reader);
  if (!names.has_value() || names->empty()) return false;
  target = std::move(*names);
  return true;
}

// Everything after the three fixed bytes; false where the cursor then stands.
bool ReadFields(ByteReader& reader, uint8_t flags, LogEntry& entry) {
  const std::optional<uint32_t> tree = reader.ReadVarint32();
  if (!tree.has_value()) return false;
  const std::optional<uint64_t> commit = reader.ReadVarint64();
  if (!commit.has_value()) return false;
  const std::optional<uint64_t> time = reader.ReadVarint64();
  if (!time.has_value()) return false;
  entry.tree = *tree;
  entry.commit_number = *commit;
  entry.time_ms = *time;
  entry.ends_commit = (flags & kEndsCommit) != 0;
  return ReadString(reader, entry.key) &&
         ReadOptional(reader, (flags & kHasValue) != 0, entry.value) &&
         ReadDelta(reader, (flags & kHasDelta) != 0, entry.delta) &&
         ReadOptional(reader, (flags & kHasPrevious) != 0, entry.previous_value) &&
         ReadOptional(reader, (flags & kHasDigestAfter) != 0, entry.digest_after) &&
         ReadOptional(reader, (flags & kHasDigestBefore) != 0, entry.digest_before) &&
         ReadMetadata(reader, (flags & kHasMetadata) != 0, entry.metadata);
}

void PutDigest(std::string& target, const Digest& digest) {
  PutBytes(target, ByteSpan(digest.bytes));
}

}  // namespace

std::string EncodeOperationKey(uint64_t number) {
  std::string key;
  PutBigEndian64(key, number);
  return key;
}

absl::StatusOr<uint64_t> DecodeOperationKey(absl::string_view key) {
  if (key.size() != 8) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                     absl::StrCat("key of an operation has ", key.size(), " bytes, not 8"));
  }
  return LoadBigEndian64(AsBytes(key));
}

void EncodeLogEntry(const LogEntry& entry, std::string& target) {
  target.push_back(static_cast<char>(kOperationRecordVersion));
  target.push_back(static_cast<char>(entry.kind));
  target.push_back(static_cast<char>(FlagsOf(entry)));
  PutVarint32(target, entry.tree);
  PutVarint64(target, entry.commit_number);
  PutVarint64(target, entry.time_ms);
  PutLengthPrefixed(target, entry.key);
  if (entry.value.has_value()) PutLengthPrefixed(target, *entry.value);
  if (entry.delta.has_value()) PutVarint64(target, ZigZag(*entry.delta));
  if (entry.previous_value.has_value()) PutLengthPrefixed(target, *entry.previous_value);
  if (entry.digest_after.has_value()) PutDigest(target, *entry.digest_after);
  if (entry.digest_before.has_value()) PutDigest(target, *entry.digest_before);
  if (!entry.metadata.empty()) PutNames(target, entry.metadata);
}

absl::StatusOr<LogEntry> DecodeLogEntry(uint64_t number, absl::string_view record) {
  ByteReader reader(record);
  const std::optional<uint8_t> version = reader.ReadByte();
  const std::optional<uint8_t> kind = reader.ReadByte();
  const std::optional<uint8_t> flags = reader.ReadByte();
  if (!version.has_value() || !kind.has_value() || !flags.has_value()) {
    return BadEntry(number, reader.position(), "shorter than its first three bytes");
  }
  if (*version != kOperationRecordVersion) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrCat("record of operation ", number, ": version ", *version,
                                  ", this program reads version ", kOperationRecordVersion));
  }
  if (*kind < static_cast<uint8_t>(OperationKind::kLookup) ||
      *kind > static_cast<uint8_t>(OperationKind::kUnknownModification)) {
    return BadEntry(number, 1, absl::StrCat("unknown kind ", *kind));
  }
  if ((*flags & kReservedFlags) != 0) return BadEntry(number, 2, "reserved flag");
  LogEntry entry;
  entry.kind = static_cast<OperationKind>(*kind);
  if (!ReadFields(reader, *flags, entry)) {
    return BadEntry(number, reader.position(), "field missing or malformed");
  }
  if (!reader.empty()) return BadEntry(number, reader.position(), "bytes after the last field");
  return entry;
}

void PutNames(std::string& target, const std::map<std::string, std::string>& names) {
  PutVarint64(target, names.size());
  for (const auto& [key, value] : names) {
    PutLengthPrefixed(target, key);
    PutLengthPrefixed(target, value);
  }
}

std::optional<std::map<std::string, std::string>> ReadNames(ByteReader& reader) {
  const std::optional<uint64_t> count = reader.ReadVarint64();
  // A pair takes two bytes at least: an implausible count is refused before any work.
  if (!count.has_value() || *count > reader.remaining() / 2) return std::nullopt;
  std::map<std::string, std::string> names;
  for (uint64_t i = 0; i < *count; ++i) {
    std::string key;
    std::string value;
    if (!ReadString(reader, key) || !ReadString(reader, value)) return std::nullopt;
    if (!names.empty() && key <= names.rbegin()->first) return std::nullopt;
    names.emplace_hint(names.end(), std::move(key), std::move(value));
  }
  return names;
}

std::optional<Digest> ReadDigest(ByteReader& reader) {
  Digest digest;
  const std::optional<ByteSpan> bytes = reader.ReadBytes(digest.bytes.size());
  if (!bytes.has_value()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.bytes.begin());
  return digest;
}

}  // namespace firn
