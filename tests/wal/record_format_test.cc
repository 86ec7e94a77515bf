#include "wal/record_format.h"

#include <vector>

#include "base/coding.h"
#include "base/crc32c.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/wal/log_image.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

LogHeader SomeHeader() {
  LogHeader header;
  header.kind = LogKind::kManifest;
  header.number = {34};
  header.salt = 0x0123456789abcdef;
  header.previous = {.number = {33}, .end = {.size = 1 << 20, .last_sequence = {77}}};
  header.manifest = {.number = {12}, .synced_size = 4096};
  return header;
}

std::vector<uint8_t> Encoded(const LogHeader& header) {
  std::vector<uint8_t> block(kLogBlockSize, 0xee);
  EncodeLogHeader(header, absl::MakeSpan(block));
  return block;
}

TEST(RecordFormatTest, AFileHeaderComesBackAsItWasWritten) {
  const LogHeader header = SomeHeader();
  ASSERT_OK_AND_ASSIGN(const LogHeader read, DecodeLogHeader(Encoded(header), "some.wal"));
  EXPECT_EQ(read.kind, header.kind);
  EXPECT_EQ(read.number, header.number);
  EXPECT_EQ(read.salt, header.salt);
  EXPECT_EQ(read.previous, header.previous);
  EXPECT_EQ(read.manifest, header.manifest);
}

TEST(RecordFormatTest, EveryFlippedBitOfAFileHeaderIsFound) {
  std::vector<uint8_t> block = Encoded(SomeHeader());
  for (size_t bit = 0; bit < block.size() * 8; ++bit) {
    block[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_THAT(DecodeLogHeader(block, "some.wal"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("some.wal: offset 0")))
        << "bit " << bit;
    block[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST(RecordFormatTest, AnotherVersionIsRefusedByName) {
  std::vector<uint8_t> block = Encoded(SomeHeader());
  StoreFixed32(&block[12], 7);
  StoreFixed32(&block[8], Crc32c(ByteSpan(block).subspan(12)));
  const auto read = DecodeLogHeader(block, "some.wal");
  EXPECT_THAT(read, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version 7")));
  EXPECT_THAT(read, HasReason(ErrorReason::kFormatVersion));
}

TEST(RecordFormatTest, UnknownKindsAndReservedBytesAreRefusedThoughTheChecksumIsRight) {
  for (const size_t offset :
       {size_t{16}, size_t{17}, size_t{18}, size_t{23}, size_t{80}, kLogBlockSize - 1}) {
    std::vector<uint8_t> block = Encoded(SomeHeader());
    block[offset] = 9;
    StoreFixed32(&block[8], Crc32c(ByteSpan(block).subspan(12)));
    EXPECT_FALSE(DecodeLogHeader(block, "some.wal").ok()) << offset;
  }
}

constexpr uint64_t kOffset = 12288;

RecordHeader SomeRecord() {
  return {.payload_checksum = 0xdeadbeef,
          .length = 5000,
          .kind = RecordKind::kBatch,
          .log_number = {34},
          .synced_size = 8192,
          .sequences = {.first = {78}, .last = {80}}};
}

std::vector<uint8_t> Encoded(const RecordHeader& record, uint64_t offset = kOffset) {
  std::vector<uint8_t> bytes(kRecordHeaderSize, 0xee);
  EncodeRecordHeader(record, RecordSeed(SomeHeader(), offset), absl::MakeSpan(bytes));
  return bytes;
}

TEST(RecordFormatTest, ARecordHeaderComesBackAsItWasWritten) {
  const auto read = DecodeRecordHeader(Encoded(SomeRecord()), SomeHeader(), kOffset);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->payload_checksum, 0xdeadbeef);
  EXPECT_EQ(read->length, 5000u);
  EXPECT_EQ(read->kind, RecordKind::kBatch);
  EXPECT_EQ(read->synced_size, 8192u);
  EXPECT_EQ(read->sequences, SomeRecord().sequences);
}

TEST(RecordFormatTest, EveryFlippedBitOfARecordHeaderIsFound) {
  std::vector<uint8_t> bytes = Encoded(SomeRecord());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(DecodeRecordHeader(bytes, SomeHeader(), kOffset).has_value()) << "bit " << bit;
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST(RecordFormatTest, ARecordIsBoundToItsFileAndPlace) {
  const std::vector<uint8_t> bytes = Encoded(SomeRecord());
  EXPECT_FALSE(DecodeRecordHeader(bytes, SomeHeader(), kOffset + kLogBlockSize).has_value());
  LogHeader other_life = SomeHeader();
  ++other_life.salt;
  EXPECT_FALSE(DecodeRecordHeader(bytes, other_life, kOffset).has_value());
  LogHeader other_log = SomeHeader();
  ++other_log.number.value;
  EXPECT_FALSE(DecodeRecordHeader(bytes, other_log, kOffset).has_value());
  EXPECT_FALSE(DecodeRecordHeader(std::vector<uint8_t>(kRecordHeaderSize), SomeHeader(), kOffset));
}

TEST(RecordFormatTest, FieldsOutOfRangeAreRefusedThoughTheChecksumIsRight) {
  const auto refused = [](const RecordHeader& record) {
    return !DecodeRecordHeader(Encoded(record), SomeHeader(), kOffset).has_value();
  };
  RecordHeader record = SomeRecord();
  record.length = 0;
  EXPECT_TRUE(refused(record)) << "an empty batch";
  record.kind = RecordKind::kClose;
  EXPECT_FALSE(refused(record));
  record.length = 1;
  EXPECT_TRUE(refused(record)) << "a closing record with a payload";
  record = SomeRecord();
  record.length = kMaxPayloadSize;
  EXPECT_FALSE(refused(record));
  ++record.length;
  EXPECT_TRUE(refused(record)) << "too long";
  record = SomeRecord();
  record.kind = static_cast<RecordKind>(0);
  EXPECT_TRUE(refused(record));
  record.kind = static_cast<RecordKind>(3);
  EXPECT_TRUE(refused(record));
  record = SomeRecord();
  record.synced_size = kOffset + 1;
  EXPECT_TRUE(refused(record)) << "more on stable storage than was written";
  record.synced_size = 0;
  EXPECT_TRUE(refused(record)) << "not even the header";
  record = SomeRecord();
  record.sequences = {.first = {5}, .last = {4}};
  EXPECT_TRUE(refused(record));
}

TEST(RecordFormatTest, AGapReachesUpToABlockAndVersionOneHasNone) {
  RecordHeader record = SomeRecord();
  record.gap = 4088;
  const auto read = DecodeRecordHeader(Encoded(record), SomeHeader(), kOffset);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->gap, 4088);
  LogHeader version_one = SomeHeader();
  version_one.version = 1;
  EXPECT_FALSE(DecodeRecordHeader(Encoded(record), version_one, kOffset).has_value());
  EXPECT_FALSE(DecodeRecordHeader(Encoded(record, kOffset + 8), SomeHeader(), kOffset + 8))
      << "not at a block";
  for (const uint16_t gap : {uint16_t{4}, uint16_t{4096}, uint16_t{0xfff8}}) {
    record.gap = gap;
    EXPECT_FALSE(DecodeRecordHeader(Encoded(record), SomeHeader(), kOffset).has_value()) << gap;
  }
  record.gap = 8;
  record.synced_size = kLogBlockSize;
  EXPECT_FALSE(DecodeRecordHeader(Encoded(record, kLogBlockSize), SomeHeader(), kLogBlockSize))
      << "into the file header";
}

TEST(RecordFormatTest, ARecordTakesWholeBlocksOrItsOwnBytes) {
  EXPECT_EQ(RecordSize(0), kRecordHeaderSize);
  EXPECT_EQ(RecordSize(1), kRecordHeaderSize + 8);
  EXPECT_EQ(RecordSize(8), kRecordHeaderSize + 8);
  EXPECT_EQ(RecordSize(9), kRecordHeaderSize + 16);
  EXPECT_EQ(RecordSizeOnDisk(0), kLogBlockSize);
  EXPECT_EQ(RecordSizeOnDisk(kLogBlockSize - kRecordHeaderSize), kLogBlockSize);
  EXPECT_EQ(RecordSizeOnDisk(kLogBlockSize - kRecordHeaderSize + 1), 2 * kLogBlockSize);
}

// The worked example of docs/formats/wal.md: what stands there is what the code writes, and reads.
TEST(RecordFormatTest, TheExampleOfTheFormatPageHolds) {
  ASSERT_OK_AND_ASSIGN(std::string header_bytes, ReadGoldenHex("docs/formats/wal.md", "header"));
  ASSERT_EQ(header_bytes.size(), 80u);
  header_bytes.resize(kLogBlockSize);
  ASSERT_OK_AND_ASSIGN(const LogHeader header,
                       DecodeLogHeader(AsBytes(header_bytes), "example.wal"));
  EXPECT_EQ(header.kind, LogKind::kWrites);
  EXPECT_EQ(header.number, FileNumber{34});
  EXPECT_EQ(header.salt, 0x1122334455667788u);
  EXPECT_EQ(header.previous.number, FileNumber{33});
  EXPECT_EQ(header.previous.end.size, 1044480u);
  EXPECT_EQ(header.previous.end.last_sequence, SequenceNumber{1000});
  EXPECT_EQ(header.manifest.number, FileNumber{12});
  EXPECT_EQ(header.manifest.synced_size, 20480u);
  EXPECT_EQ(AsText(Encoded(header)), header_bytes);

  ASSERT_OK_AND_ASSIGN(const std::string batch, ReadGoldenHex("docs/formats/wal.md", "batch"));
  const auto record = DecodeRecordHeader(AsBytes(batch), header, kLogBlockSize);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->length, 5u);
  EXPECT_EQ(record->synced_size, kLogBlockSize);
  EXPECT_EQ(record->sequences.first, SequenceNumber{1001});
  EXPECT_EQ(record->sequences.last, SequenceNumber{1002});
  const uint32_t seed = RecordSeed(header, kLogBlockSize);
  EXPECT_EQ(batch.substr(kRecordHeaderSize), "hello");
  EXPECT_EQ(record->payload_checksum, Crc32c(AsBytes("hello"), seed));
  std::vector<uint8_t> encoded(kRecordHeaderSize);
  EncodeRecordHeader(*record, seed, absl::MakeSpan(encoded));
  EXPECT_EQ(AsText(encoded), batch.substr(0, kRecordHeaderSize));

  const uint64_t shared_offset = kLogBlockSize + RecordSize(5);
  ASSERT_OK_AND_ASSIGN(const std::string shared, ReadGoldenHex("docs/formats/wal.md", "shared"));
  const auto behind = DecodeRecordHeader(AsBytes(shared), header, shared_offset);
  ASSERT_TRUE(behind.has_value());
  EXPECT_EQ(behind->gap, 0);
  EXPECT_EQ(behind->payload_checksum, Crc32c(AsBytes("again!"), RecordSeed(header, shared_offset)));
  EXPECT_EQ(shared.substr(kRecordHeaderSize), "again!");

  ASSERT_OK_AND_ASSIGN(const std::string close, ReadGoldenHex("docs/formats/wal.md", "close"));
  const auto closing = DecodeRecordHeader(AsBytes(close), header, 2 * kLogBlockSize);
  ASSERT_TRUE(closing.has_value());
  EXPECT_EQ(closing->kind, RecordKind::kClose);
  EXPECT_EQ(closing->gap, 2 * kLogBlockSize - (shared_offset + RecordSize(6)));
  EXPECT_EQ(closing->synced_size, shared_offset + RecordSize(6));
  EXPECT_EQ(closing->sequences.last, SequenceNumber{1003});

  // And the three together are a file.
  std::string file = header_bytes;
  file.resize(3 * kLogBlockSize);
  file.replace(kLogBlockSize, batch.size(), batch);
  file.replace(shared_offset, shared.size(), shared);
  file.replace(2 * kLogBlockSize, close.size(), close);
  const ReadResult read_back = ReadImage(file);
  EXPECT_OK(read_back.status);
  EXPECT_THAT(read_back.payloads, ::testing::ElementsAre("hello", "again!"));
  EXPECT_EQ(read_back.ending, LogEnding::kClosed);
}

}  // namespace
}  // namespace firn
