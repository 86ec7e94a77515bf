#include "wal/log_reader.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "io/fault_injecting_file_system.h"
#include "tests/support/golden_reader.h"
#include "tests/support/random_keys.h"
#include "tests/wal/log_image.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kBlocks16 = 16 * kLogBlockSize;

TEST(LogReaderTest, GivesPayloadsInOrderAndEndsAtTheZeroesOfThePreparedFile) {
  LogImage image(kBlocks16);
  image.Add("one");
  image.Add(std::string(5000, 'x'));
  image.Add("three");
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one", std::string(5000, 'x'), "three"));
  EXPECT_EQ(read.ending, LogEnding::kUnclosed);
  EXPECT_EQ(read.end, (LogEnd{.size = 4 * kLogBlockSize + RecordSize(5), .last_sequence = {103}}));
}

TEST(LogReaderTest, AnEmptyLogEndsBehindItsHeaderWithTheNumberOfTheLogBefore) {
  LogImage image(kBlocks16);
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, IsEmpty());
  EXPECT_EQ(read.end, (LogEnd{.size = kLogBlockSize, .last_sequence = {100}}));
}

TEST(LogReaderTest, AClosingRecordIsTold) {
  LogImage image(kBlocks16);
  image.Add("one");
  ASSERT_OK_AND_ASSIGN(const LogEnd end, image.log().Close({250}));
  LogReaderOptions options;
  for (int round = 0; round < 2; ++round) {
    const ReadResult read = ReadImage(image.Bytes(), options);
    ASSERT_OK(read.status);
    EXPECT_THAT(read.payloads, ElementsAre("one"));
    EXPECT_EQ(read.ending, LogEnding::kClosed);
    EXPECT_EQ(read.end, end);
    EXPECT_EQ(read.end.last_sequence, SequenceNumber{250});
    options.final_end = end;  // and the same when the next log says so
  }
}

TEST(LogReaderTest, ReadsPayloadsLargerThanItsWindow) {
  LogImage image(8 << 20);
  Random random(1);
  const std::string large = RandomBytes(random, (3 << 20) + 17);
  image.Add("before");
  image.Add(large);
  image.Add("after");
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("before", large, "after"));
  std::string damaged = image.Bytes();
  damaged[2 * kLogBlockSize + (2 << 20)] ^= 1;
  EXPECT_THAT(ReadImage(damaged).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 4152: bad record")));
}

// The last flush is cut at every byte, with zeroes or another life's bytes behind the cut.
TEST(LogReaderTest, EveryTearOfTheLastFlushEndsTheLogBeforeIt) {
  for (const char left_over : {'\0', 'L'}) {
    LogImage image(kBlocks16);
    image.Add("one");
    const Place before_last = image.Add("two");
    const Place last = image.Add(std::string(9000, 'x'), LogSync::kBuffered);
    const std::string after = image.Bytes();
    const uint64_t payload_limit = last.offset + kRecordHeaderSize + 9000;
    for (uint64_t cut = last.offset; cut < payload_limit; ++cut) {
      std::string torn = after.substr(0, cut);
      torn.resize(after.size(), left_over);
      const ReadResult read = ReadImage(torn);
      ASSERT_OK(read.status) << cut;
      ASSERT_THAT(read.payloads, ElementsAre("one", "two")) << cut;
      ASSERT_NE(read.ending, LogEnding::kClosed) << cut;
      ASSERT_EQ(read.end.size, before_last.limit) << cut;
      ASSERT_EQ(read.end.last_sequence, SequenceNumber{102}) << cut;
      if (cut > last.offset + kRecordHeaderSize) {
        ASSERT_EQ(read.ending, LogEnding::kTorn) << cut;
      }
    }
    // The same when the file itself was cut.
    for (uint64_t cut = last.offset; cut < last.limit; cut += 512) {
      const ReadResult read = ReadImage(after.substr(0, cut));
      ASSERT_OK(read.status) << cut;
      ASSERT_THAT(read.payloads, ElementsAre("one", "two")) << cut;
    }
  }
}

// Every byte of the file in turn. What a later record's synced_size covers is damage; the last flush
// is the one damage that cannot be told from a tear.
TEST(LogReaderTest, AFlippedBitInAnyByteOfWhatWasSyncedIsDamage) {
  LogImage image(6 * kLogBlockSize);
  image.Add("one");
  const Place before_last = image.Add(std::string(5000, 'y'));
  const Place last = image.Add("last");
  const std::string good = image.Bytes();
  Random random(7);
  for (uint64_t at = 0; at < last.limit; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << random.Uniform(8)));
    const ReadResult read = ReadImage(bad);
    if (at < last.offset) {
      ASSERT_THAT(read.status,
                  StatusIs(absl::StatusCode::kDataLoss, HasSubstr("image.wal: offset")))
          << at;
      ASSERT_THAT(read.status, HasReason(ErrorReason::kCorruption)) << at;
    } else {
      ASSERT_OK(read.status) << at;
      ASSERT_THAT(read.payloads, ElementsAre("one", std::string(5000, 'y'))) << at;
      ASSERT_NE(read.ending, LogEnding::kClosed) << at;
      ASSERT_EQ(read.end.size, before_last.limit) << at;
    }
  }
}

// The same where records share blocks: what was synced is never given up silently.
TEST(LogReaderTest, AFlippedBitInAnyByteOfSharedBlocksIsDamageOnceALaterSyncVouchesForThem) {
  LogImage image(8 * kLogBlockSize);
  image.AddCached("one");
  image.AddCached(std::string(5000, 'y'));
  const Place third = image.AddCached("three");
  ASSERT_OK(image.log().Sync());
  const Place fourth = image.AddCached("four");  // says that the first three are durable
  image.AddCached("five");
  const std::string good = image.Bytes();
  ASSERT_EQ(ReadImage(good).payloads.size(), 5u);
  Random random(7);
  for (uint64_t at = kLogBlockSize; at < fourth.limit; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << random.Uniform(8)));
    const ReadResult read = ReadImage(bad);
    if (at < fourth.offset) {
      ASSERT_THAT(read.status, HasReason(ErrorReason::kCorruption)) << at;
    } else {
      ASSERT_OK(read.status) << at;
      ASSERT_EQ(read.payloads.size(), 3u) << at;
      ASSERT_EQ(read.end.size, third.limit) << at;
    }
  }
  // Records that vanished whole: zeroes in their place, the next block intact.
  for (const uint64_t from : {third.offset, third.offset - 512}) {
    std::string bad = good;
    bad.replace(from, fourth.offset - from, fourth.offset - from, '\0');
    ASSERT_THAT(ReadImage(bad).status, HasReason(ErrorReason::kCorruption)) << from;
  }
}

TEST(LogReaderTest, ARecordMissingBetweenIntactOnesEndsTheLogWhereverTheSecondBegins) {
  LogImage image(8 * kLogBlockSize);
  const Place first = image.AddCached("one");
  const Place second = image.AddCached("two");
  image.AddCached("three");
  image.Add("synced, in the next block");
  std::string bytes = image.Bytes();
  ASSERT_EQ(ReadImage(bytes).payloads.size(), 4u);
  // The last two are intact, and nobody was told that they are durable.
  bytes.replace(second.offset, second.limit - second.offset, second.limit - second.offset, '\0');
  ReadResult read = ReadImage(bytes);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one"));
  EXPECT_EQ(read.ending, LogEnding::kTorn);
  EXPECT_EQ(read.end.size, first.limit);
  // Both of the block: the synced one does not follow the first, and says so.
  bytes.replace(second.offset, 2 * kLogBlockSize - second.offset, 2 * kLogBlockSize - second.offset,
                '\0');
  read = ReadImage(bytes);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one"));
  EXPECT_EQ(read.end.size, first.limit);
}

TEST(LogReaderTest, EveryTearOfASharedTailKeepsTheRecordsBeforeIt) {
  for (const char left_over : {'\0', 'L'}) {
    LogImage image(8 * kLogBlockSize);
    std::vector<uint64_t> limits;
    for (int i = 0; i < 12; ++i) {
      limits.push_back(image.AddCached(std::string(static_cast<size_t>(100 + 77 * i), 'x')).limit);
    }
    const std::string good = image.Bytes();
    for (uint64_t cut = kLogBlockSize; cut < limits.back(); ++cut) {
      std::string torn = good.substr(0, cut);
      torn.resize(good.size(), left_over);
      const ReadResult read = ReadImage(torn);
      ASSERT_OK(read.status) << cut;
      // A record's last up to 7 bytes are zeroes anyway.
      const auto whole = static_cast<size_t>(
          std::count_if(limits.begin(), limits.end(), [&](uint64_t limit) { return limit <= cut; }));
      ASSERT_GE(read.payloads.size(), whole) << cut;
      ASSERT_LE(read.payloads.size(), whole + 1) << cut;
      ASSERT_EQ(read.end.size, read.payloads.empty() ? kLogBlockSize
                                                     : limits[read.payloads.size() - 1]);
    }
  }
}

TEST(LogReaderTest, AFlippedBitAnywhereInAClosedLogWithASuccessorIsDamage) {
  LogImage image(5 * kLogBlockSize);
  image.Add("one");
  image.Add("two");
  LogReaderOptions options;
  options.final_end = image.Close();
  const std::string good = image.Bytes();
  ASSERT_OK(ReadImage(good, options).status);
  for (uint64_t at = 0; at < options.final_end->size; ++at) {
    std::string bad = good;
    bad[at] ^= 0x10;
    ASSERT_THAT(ReadImage(bad, options).status, StatusIs(absl::StatusCode::kDataLoss)) << at;
  }
}

TEST(LogReaderTest, AnIntactRecordBehindAMissingUnsyncedOneIsATornTail) {
  LogImage image(kBlocks16);
  const Place first = image.Add("one");
  image.Reserve(3);  // and never written
  image.Add("later");  // its synced_size ends before the missing one
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one"));
  EXPECT_EQ(read.ending, LogEnding::kTorn);
  EXPECT_EQ(read.end.size, first.limit);
}

// Looking for what follows reads the file once, not once for each record found.
TEST(LogReaderTest, ATornStartOfALongRunOfUnsyncedRecordsIsJudgedInFewReads) {
  constexpr size_t kSize = size_t{4} << 20;
  LogImage image(kSize);
  const Place first = image.AddCached(std::string(100, 'x'));
  size_t records = 1;
  while (image.log().Fits(100)) {
    image.AddCached(std::string(100, 'x'));
    ++records;
  }
  ASSERT_GT(records, 20'000u);
  std::string bytes = image.Bytes();
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(first.offset), 1000, '\0');
  MemoryFileSystem memory({.track_unsynced = false});
  auto file = memory.Create(kImagePath);
  ASSERT_OK(file);
  ASSERT_OK((*file)->Write(0, {AsBytes(bytes)}));
  FaultInjectingFileSystem counting(memory);
  const ReadResult read = ReadLog(counting, kImagePath);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, IsEmpty());
  EXPECT_EQ(read.ending, LogEnding::kTorn);
  EXPECT_LT(counting.count(FileOperation::kRead), 32u);
}

TEST(LogReaderTest, ALaterHeaderIsBelievedThoughItsPayloadIsTorn) {
  LogImage image(kBlocks16);
  const Place first = image.Add("one");
  const Place last = image.Add(std::string(6000, 'x'), LogSync::kBuffered);
  std::string bytes = image.Bytes();
  bytes[first.offset + kRecordHeaderSize] ^= 1;
  bytes.replace(last.offset + kLogBlockSize, kLogBlockSize, kLogBlockSize, '\0');
  EXPECT_THAT(ReadImage(bytes).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the record at offset 8192")));
}

TEST(LogReaderTest, WhatOthersKnowOfTheLogMakesAShorterOneDamage) {
  LogImage image(kBlocks16);
  image.Add("one");
  const Place last = image.Add("two", LogSync::kBuffered);
  std::string bytes = image.Bytes();
  LogReaderOptions final_known;
  final_known.final_end = LogEnd{.size = last.limit, .last_sequence = {102}};
  LogReaderOptions synced_known;
  synced_known.synced_size_min = last.limit;
  for (const LogReaderOptions& options : {final_known, synced_known}) {
    const ReadResult read = ReadImage(bytes, options);
    ASSERT_OK(read.status);
    EXPECT_THAT(read.payloads, ElementsAre("one", "two"));
  }
  EXPECT_EQ(ReadImage(bytes, final_known).ending, LogEnding::kFinal);
  bytes[last.offset + kRecordHeaderSize] ^= 1;
  EXPECT_OK(ReadImage(bytes).status);
  EXPECT_THAT(ReadImage(bytes, final_known).status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ReadImage(bytes, synced_known).status, StatusIs(absl::StatusCode::kDataLoss));
  bytes.resize(last.offset);
  EXPECT_OK(ReadImage(bytes).status);
  EXPECT_THAT(ReadImage(bytes, final_known).status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ReadImage(bytes, synced_known).status, StatusIs(absl::StatusCode::kDataLoss));
}

TEST(LogReaderTest, StopsWhereTheNextLogSaysThoughRecordsFollow) {
  LogImage image(kBlocks16);
  const Place first = image.Add("one");
  image.Add("found torn by an earlier recovery");
  LogReaderOptions options;
  options.final_end = LogEnd{.size = first.limit, .last_sequence = {101}};
  const ReadResult read = ReadImage(image.Bytes(), options);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one"));
  EXPECT_EQ(read.ending, LogEnding::kFinal);
  options.final_end = LogEnd{.size = first.limit + 1, .last_sequence = {101}};
  EXPECT_THAT(ReadImage(image.Bytes(), options).status, StatusIs(absl::StatusCode::kDataLoss))
      << "not the end of a record";
  options.final_end = LogEnd{.size = first.limit, .last_sequence = {100}};
  EXPECT_THAT(ReadImage(image.Bytes(), options).status, StatusIs(absl::StatusCode::kDataLoss))
      << "numbers beyond the last one";
}

TEST(LogReaderTest, AnotherNumberOrKindThanAskedIsDamage) {
  LogImage image(kBlocks16);
  LogReaderOptions options;
  options.number = FileNumber{34};
  EXPECT_OK(ReadImage(image.Bytes(), options).status);
  options.number = FileNumber{35};
  EXPECT_THAT(ReadImage(image.Bytes(), options).status, StatusIs(absl::StatusCode::kDataLoss));
  options = {};
  options.kind = LogKind::kManifest;
  EXPECT_THAT(ReadImage(image.Bytes(), options).status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ReadImage("short").status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ReadImage(std::string(kLogBlockSize, '\0')).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a log file")));
}

// A client that backs up the log's folder into the store writes whole images of records as values,
// at block boundaries, with the salt of this very file.
TEST(LogReaderTest, RecordImagesInValuesArePayloadAndNothingElse) {
  LogImage image(64 * kLogBlockSize);
  image.Add("one");
  image.Add("two");
  const std::string records = image.Bytes().substr(kLogBlockSize, 2 * kLogBlockSize);
  const std::string value = std::string(kLogBlockSize - kRecordHeaderSize, 'f') + records + records;
  const Place place = image.Add(value, LogSync::kBuffered);
  ASSERT_EQ(place.limit - place.offset, 5 * kLogBlockSize);
  ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one", "two", value));
  // Without the header in front of it the value is no more than a torn flush.
  std::string torn = image.Bytes();
  torn.replace(place.offset, kLogBlockSize, kLogBlockSize, '\0');
  read = ReadImage(torn);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("one", "two"));
  EXPECT_EQ(read.ending, LogEnding::kUnclosed);
}

TEST(LogReaderTest, RecordsOfTheFilesLastLifeEndTheLog) {
  LogImage last_life(kBlocks16, ImageHeader(/*salt=*/1));
  for (int i = 0; i < 10; ++i) last_life.Add("old");
  LogImage image(kBlocks16, ImageHeader(/*salt=*/2));  // the same number even
  const Place place = image.Add("new");
  std::string bytes = image.Bytes();
  bytes.replace(place.limit, std::string::npos, last_life.Bytes().substr(place.limit));
  const ReadResult read = ReadImage(bytes);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("new"));
  EXPECT_EQ(read.ending, LogEnding::kUnclosed);
}

TEST(LogReaderTest, IntactRecordsWhoseNumbersDoNotGrowAreDamage) {
  LogImage image(kBlocks16);
  const Place first = image.Add("one");
  std::string bytes = image.Bytes();
  std::vector<uint8_t> header(kRecordHeaderSize);
  const uint32_t seed = RecordSeed(ImageHeader(), 2 * kLogBlockSize);
  EncodeRecordHeader({.payload_checksum = Crc32c({}, seed),
                      .kind = RecordKind::kClose,
                      .gap = static_cast<uint16_t>(2 * kLogBlockSize - first.limit),
                      .log_number = {34},
                      .synced_size = first.limit,
                      .sequences = {.first = {100}, .last = {100}}},
                     seed, absl::MakeSpan(header));
  bytes.replace(2 * kLogBlockSize, header.size(), std::string(AsText(header)));
  EXPECT_THAT(ReadImage(bytes).status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("grow")));
}

// A file of format version 1, made apart from this code; every later version must go on to name or
// read it.
TEST(LogReaderTest, TheGoldenFileOfVersionOneIsRead) {
  ASSERT_OK_AND_ASSIGN(const std::string golden, ReadSourceFile("tests/golden/wal_v1.wal"));
  std::string pattern(5000, '\0');
  for (size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<char>(i * 7);
  LogReaderOptions options;
  options.number = FileNumber{34};
  const ReadResult read = ReadImage(golden, options);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("hello", pattern));
  EXPECT_EQ(read.ending, LogEnding::kClosed);
  EXPECT_EQ(read.end, (LogEnd{.size = 5 * kLogBlockSize, .last_sequence = {1003}}));
}

// Noise in any place gives a value or a Status; with noise behind good records these are kept.
TEST(LogReaderTest, NoiseNeverPassesForARecord) {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    LogImage image(kBlocks16);
    const size_t records = random.Uniform(4);
    for (size_t i = 0; i < records; ++i) image.Add(RandomBytes(random, 1 + random.Uniform(9000)));
    const uint64_t size = image.log().size();
    std::string bytes = image.Bytes().substr(0, size);
    bytes += RandomBytes(random, random.Uniform(20000));
    const ReadResult read = ReadImage(bytes);
    ASSERT_OK(read.status) << "round " << round;
    EXPECT_EQ(read.payloads.size(), records) << "round " << round;
    EXPECT_EQ(read.end.size, size) << "round " << round;
  }
}

}  // namespace
}  // namespace firn
