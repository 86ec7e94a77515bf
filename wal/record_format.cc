#include "wal/record_format.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr uint8_t kChecksumCrc32c = 1;

// Of the file header.
constexpr size_t kHeaderChecksumOffset = 8;
constexpr size_t kHeaderCheckedOffset = 12;
constexpr size_t kVersionOffset = 12;
constexpr size_t kLogKindOffset = 16;
constexpr size_t kChecksumKindOffset = 17;
constexpr size_t kHeaderReservedOffset = 18;
constexpr size_t kNumberOffset = 24;
constexpr size_t kSaltOffset = 32;
constexpr size_t kPreviousNumberOffset = 40;
constexpr size_t kPreviousSizeOffset = 48;
constexpr size_t kPreviousSequenceOffset = 56;
constexpr size_t kManifestNumberOffset = 64;
constexpr size_t kManifestSizeOffset = 72;
constexpr size_t kHeaderLimit = 80;

// Of a record.
constexpr size_t kPayloadChecksumOffset = 4;
constexpr size_t kRecordCheckedOffset = 4;
constexpr size_t kLengthOffset = 8;
constexpr size_t kRecordKindOffset = 12;
constexpr size_t kRecordReservedOffset = 13;
constexpr size_t kGapOffset = 14;
constexpr size_t kLogNumberOffset = 16;
constexpr size_t kSyncedSizeOffset = 24;
constexpr size_t kFirstSequenceOffset = 32;
constexpr size_t kLastSequenceOffset = 40;
static_assert(kLastSequenceOffset + 8 == kRecordHeaderSize);

bool AllZero(ByteSpan bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// A gap reaches from the end of a record to the next block, or there is none.
bool GapIsInRange(uint16_t gap, uint32_t version, uint64_t offset) {
  if (gap == 0) return true;
  return version >= 2 && gap < kLogBlockSize && gap % kRecordAlignment == 0 &&
         offset % kLogBlockSize == 0 && offset > kLogBlockSize;
}

}  // namespace

void EncodeLogHeader(const LogHeader& header, absl::Span<uint8_t> block) {
  FIRN_CHECK(block.size() == kLogBlockSize);
  uint8_t* const target = block.data();
  std::memset(target, 0, kLogBlockSize);
  std::memcpy(target, kLogMagic, kLogMagicSize);
  StoreFixed32(target + kVersionOffset, header.version);
  target[kLogKindOffset] = static_cast<uint8_t>(header.kind);
  target[kChecksumKindOffset] = kChecksumCrc32c;
  StoreFixed64(target + kNumberOffset, header.number.value);
  StoreFixed64(target + kSaltOffset, header.salt);
  StoreFixed64(target + kPreviousNumberOffset, header.previous.number.value);
  StoreFixed64(target + kPreviousSizeOffset, header.previous.end.size);
  StoreFixed64(target + kPreviousSequenceOffset, header.previous.end.last_sequence.value);
  StoreFixed64(target + kManifestNumberOffset, header.manifest.number.value);
  StoreFixed64(target + kManifestSizeOffset, header.manifest.synced_size);
  StoreFixed32(target + kHeaderChecksumOffset, Crc32c(block.subspan(kHeaderCheckedOffset)));
}

absl::StatusOr<LogHeader> DecodeLogHeader(ByteSpan block, absl::string_view path) {
  FIRN_CHECK(block.size() == kLogBlockSize);
  const uint8_t* const source = block.data();
  if (std::memcmp(source, kLogMagic, kLogMagicSize) != 0) {
    return CorruptionAt(path, 0, "not a log file (its first bytes are not \"firnlog\")");
  }
  const uint32_t checksum = Crc32c(block.subspan(kHeaderCheckedOffset));
  const uint32_t stored = LoadFixed32(source + kHeaderChecksumOffset);
  if (stored != checksum) {
    return CorruptionAt(path, 0, "checksum of the file header",
                        {.expected = stored, .actual = checksum});
  }
  const uint32_t version = LoadFixed32(source + kVersionOffset);
  if (version < kLogFormatVersionMin || version > kLogFormatVersion) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrFormat("%s: log format version %d; this build reads versions %d to %d",
                                     path, version, kLogFormatVersionMin, kLogFormatVersion));
  }
  const uint8_t kind = source[kLogKindOffset];
  if (kind != static_cast<uint8_t>(LogKind::kWrites) &&
      kind != static_cast<uint8_t>(LogKind::kManifest)) {
    return CorruptionAt(path, kLogKindOffset, absl::StrFormat("unknown kind of log %d", kind));
  }
  if (source[kChecksumKindOffset] != kChecksumCrc32c) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrFormat("%s: checksum kind %d; this build knows CRC32C (1)", path,
                                     source[kChecksumKindOffset]));
  }
  if (!AllZero(block.subspan(kHeaderReservedOffset, kNumberOffset - kHeaderReservedOffset)) ||
      !AllZero(block.subspan(kHeaderLimit))) {
    return CorruptionAt(path, kHeaderReservedOffset, "reserved bytes of the header are not zero");
  }
  LogHeader header;
  header.version = version;
  header.kind = static_cast<LogKind>(kind);
  header.number = {LoadFixed64(source + kNumberOffset)};
  header.salt = LoadFixed64(source + kSaltOffset);
  header.previous.number = {LoadFixed64(source + kPreviousNumberOffset)};
  header.previous.end.size = LoadFixed64(source + kPreviousSizeOffset);
  header.previous.end.last_sequence = {LoadFixed64(source + kPreviousSequenceOffset)};
  header.manifest.number = {LoadFixed64(source + kManifestNumberOffset)};
  header.manifest.synced_size = LoadFixed64(source + kManifestSizeOffset);
  return header;
}

uint32_t RecordSeed(const LogHeader& header, uint64_t offset) {
  std::array<uint8_t, 24> mixed;
  StoreFixed64(mixed.data(), header.salt);
  StoreFixed64(mixed.data() + 8, header.number.value);
  StoreFixed64(mixed.data() + 16, offset);
  return Crc32c(mixed);
}

void EncodeRecordHeader(const RecordHeader& record, uint32_t seed, absl::Span<uint8_t> target) {
  FIRN_CHECK(target.size() == kRecordHeaderSize);
  uint8_t* const bytes = target.data();
  std::memset(bytes, 0, kRecordHeaderSize);
  StoreFixed32(bytes + kPayloadChecksumOffset, record.payload_checksum);
  StoreFixed32(bytes + kLengthOffset, record.length);
  bytes[kRecordKindOffset] = static_cast<uint8_t>(record.kind);
  StoreFixed16(bytes + kGapOffset, record.gap);
  StoreFixed64(bytes + kLogNumberOffset, record.log_number.value);
  StoreFixed64(bytes + kSyncedSizeOffset, record.synced_size);
  StoreFixed64(bytes + kFirstSequenceOffset, record.sequences.first.value);
  StoreFixed64(bytes + kLastSequenceOffset, record.sequences.last.value);
  StoreFixed32(bytes, Crc32c(target.subspan(kRecordCheckedOffset), seed));
}

std::optional<RecordHeader> DecodeRecordHeader(ByteSpan bytes, const LogHeader& header,
                                               uint64_t offset) {
  FIRN_CHECK(bytes.size() >= kRecordHeaderSize);
  const ByteSpan fields = bytes.first(kRecordHeaderSize);
  const uint8_t* const source = fields.data();
  // The cheap tests first: after a bad record every block of the file is looked at.
  if (LoadFixed64(source + kLogNumberOffset) != header.number.value) return std::nullopt;
  const uint32_t length = LoadFixed32(source + kLengthOffset);
  const uint8_t kind = source[kRecordKindOffset];
  const bool is_batch = kind == static_cast<uint8_t>(RecordKind::kBatch);
  const bool is_close = kind == static_cast<uint8_t>(RecordKind::kClose);
  if (!is_batch && !is_close) return std::nullopt;
  if (is_batch && (length == 0 || length > kMaxPayloadSize)) return std::nullopt;
  if (is_close && length != 0) return std::nullopt;
  if (source[kRecordReservedOffset] != 0) return std::nullopt;
  const uint16_t gap = LoadFixed16(source + kGapOffset);
  if (!GapIsInRange(gap, header.version, offset)) return std::nullopt;
  const uint32_t checksum =
      Crc32c(fields.subspan(kRecordCheckedOffset), RecordSeed(header, offset));
  if (checksum != LoadFixed32(source)) return std::nullopt;
  RecordHeader record;
  record.payload_checksum = LoadFixed32(source + kPayloadChecksumOffset);
  record.length = length;
  record.kind = static_cast<RecordKind>(kind);
  record.gap = gap;
  record.log_number = header.number;
  record.synced_size = LoadFixed64(source + kSyncedSizeOffset);
  record.sequences.first = {LoadFixed64(source + kFirstSequenceOffset)};
  record.sequences.last = {LoadFixed64(source + kLastSequenceOffset)};
  if (record.synced_size < kLogBlockSize || record.synced_size > offset) return std::nullopt;
  if (record.sequences.first > record.sequences.last) return std::nullopt;
  return record;
}

}  // namespace firn
