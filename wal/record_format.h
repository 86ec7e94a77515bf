// wal/record_format.h: the bytes of a log file: its header and its records. The manifest is a log
// too (docs/formats/wal.md has a worked example).
//
// A file is a sequence of 4096-byte blocks. Block 0 is the file header, integers little-endian:
//
//   offset  size  field
//        0     8  magic              "firnlog\n"
//        8     4  checksum           CRC32C of bytes [12, 4096)
//       12     4  version            2; 1 is read, another is refused by name
//       16     1  kind               1 log of writes, 2 manifest
//       17     1  checksum_kind      1 CRC32C, 4 bytes
//       18     6  reserved           zero
//       24     8  number             of this file
//       32     8  salt               random, fresh in each life of the file
//       40     8  previous number    the log before this one; 0: none
//       48     8  previous size      where that log ends
//       56     8  previous sequence  the last sequence number in use when this file began
//       64     8  manifest number    the manifest in force when this file began; 0: none
//       72     8  manifest size      how much of it was on stable storage then
//       80  4016  zero
//
// A record ends where its payload does, rounded up to 8 bytes with zeroes. The next one begins right
// there, or at the next block behind zeroes, and its header says which. So a record whose neighbour
// nobody has asked to sync shares blocks with it, and one behind a sync begins at a new block:
//
//        0     4  header checksum    CRC32C of bytes [4, 48), seeded with RecordSeed()
//        4     4  payload checksum   CRC32C of the payload, seeded with RecordSeed()
//        8     4  length             payload bytes: [1, kMaxPayloadSize]; 0 in a closing record
//       12     1  kind               1 batch, 2 close; 0 and others are refused
//       13     1  reserved           zero
//       14     2  gap                bytes between the end of the record before (or of the file
//                                    header) and this one: 0, or up to the next block
//       16     8  log_number         of the file that this record was written for
//       24     8  synced_size        [4096, offset of the record]: bytes of this file that were on
//                                    stable storage when the record was written
//       32     8  first_sequence     what the payload holds, as its writer numbers it; wal gives the
//       40     8  last_sequence      numbers back and only asks that they grow (both 0: none)
//       48     -  payload
// Invariants:
//   1. The seed mixes salt, log number and offset: neither left-overs of the file's last life, nor
//      a record image in a client's value, nor a block in the wrong place passes for a record.
//   2. kind is never 0, so the zeroes of a prepared file are not a record.
//   3. The header has a checksum of its own, so that a length is believed before memory is spent on
//      it, and a synced_size although the payload behind it is torn.
//   4. A block that a sync has covered is not written again in the life of the file.
//   5. Each record names the end of the one before it (offset - gap), so a record that is missing
//      between two intact ones is noticed wherever the second begins.
//
// Version 1 has no gap (zero): a record begins at a block and is padded with zeroes to whole blocks.
#ifndef FIRN_WAL_RECORD_FORMAT_H_
#define FIRN_WAL_RECORD_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"

namespace firn {

inline constexpr size_t kLogBlockSize = 4096;
inline constexpr size_t kRecordHeaderSize = 48;
// A batch of 64 MiB and what the engine may put round it.
inline constexpr uint32_t kMaxPayloadSize = (64u << 20) + 4096u;
inline constexpr uint32_t kLogFormatVersion = 2;
inline constexpr uint32_t kLogFormatVersionMin = 1;  // the oldest that is read
inline constexpr uint64_t kRecordAlignment = 8;
inline constexpr char kLogMagic[] = "firnlog\n";
inline constexpr size_t kLogMagicSize = 8;
static_assert(sizeof(kLogMagic) == kLogMagicSize + 1);

enum class LogKind : uint8_t {
  kWrites = 1,
  kManifest = 2,
};

enum class RecordKind : uint8_t {
  kBatch = 1,
  kClose = 2,
};

// Where a log ends.
struct LogEnd {
  uint64_t size = 0;
  SequenceNumber last_sequence;
  friend bool operator==(const LogEnd&, const LogEnd&) = default;
};

struct PreviousLog {
  FileNumber number;  // 0: this is the first log
  LogEnd end;
  friend bool operator==(const PreviousLog&, const PreviousLog&) = default;
};

struct ManifestPosition {
  FileNumber number;  // 0: none yet
  uint64_t synced_size = 0;
  friend bool operator==(const ManifestPosition&, const ManifestPosition&) = default;
};

struct LogHeader {
  uint32_t version = kLogFormatVersion;
  LogKind kind = LogKind::kWrites;
  FileNumber number;
  uint64_t salt = 0;
  PreviousLog previous;
  ManifestPosition manifest;
};

struct SequenceRange {
  SequenceNumber first;
  SequenceNumber last;
  friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

struct RecordHeader {
  uint32_t payload_checksum = 0;
  uint32_t length = 0;
  RecordKind kind = RecordKind::kBatch;
  uint16_t gap = 0;
  FileNumber log_number;
  uint64_t synced_size = 0;
  SequenceRange sequences;
};

inline constexpr uint64_t RoundUpToBlock(uint64_t offset) {
  return (offset + kLogBlockSize - 1) / kLogBlockSize * kLogBlockSize;
}

// Bytes from the beginning of a record of `payload_size` to its end.
inline constexpr uint64_t RecordSize(uint64_t payload_size) {
  return (kRecordHeaderSize + payload_size + kRecordAlignment - 1) / kRecordAlignment *
         kRecordAlignment;
}

// Bytes that it takes in the file if it begins at a block and shares none.
inline constexpr uint64_t RecordSizeOnDisk(uint64_t payload_size) {
  return RoundUpToBlock(kRecordHeaderSize + payload_size);
}

// `block` has kLogBlockSize bytes; all of them are written.
void EncodeLogHeader(const LogHeader& header, absl::Span<uint8_t> block);
// DataLoss (not a log, damaged), FailedPrecondition/kFormatVersion (another version, by name).
// `path` is for the message. `block` has kLogBlockSize bytes.
absl::StatusOr<LogHeader> DecodeLogHeader(ByteSpan block, absl::string_view path);

// The seed of both checksums of the record at `offset` of the file with this header.
uint32_t RecordSeed(const LogHeader& header, uint64_t offset);

// `target` has kRecordHeaderSize bytes.
void EncodeRecordHeader(const RecordHeader& record, uint32_t seed, absl::Span<uint8_t> target);
// nullopt: these bytes are no record header of the file with `header` at `offset`. `bytes` has at
// least kRecordHeaderSize. Length, kind, gap, log number and synced_size are within their ranges.
std::optional<RecordHeader> DecodeRecordHeader(ByteSpan bytes, const LogHeader& header,
                                               uint64_t offset);

}  // namespace firn

#endif  // FIRN_WAL_RECORD_FORMAT_H_
