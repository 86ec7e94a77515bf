#include "sstable/hashed_segment_writer.h"

#include "base/hash.h"
#include "tests/sstable/hashed_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class HashedSegmentWriterTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(const SegmentOptions& options) {
    return SegmentWriter::Create(file_system_, absl::StrCat("s", ++files_), options, FileNumber{1},
                                 77);
  }
  MemoryFileSystem file_system_;
  int files_ = 0;
};

TEST_F(HashedSegmentWriterTest, TheMetaTellsRangeAndNumbersOfWhatCameInAnyOrder) {
  Random random(40);
  const Model model = RandomHashedModel(random, 700, 20);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, WriteHashed(file_system_, "s", Shuffled(random, model),
                                                           HashedOptions(20)));
  EXPECT_EQ(meta.smallest, model.begin()->first);
  EXPECT_EQ(meta.largest, model.rbegin()->first);
  EXPECT_EQ(meta.entry_count, 700u);
  EXPECT_EQ(meta.sequence_min.value, 1u);
  EXPECT_EQ(meta.sequence_max.value, 700u);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta read, SegmentReader::ReadMeta(file_system_, "s"));
  EXPECT_EQ(read, meta);
}

TEST_F(HashedSegmentWriterTest, RecordsStandInTheOrderOfArrivalInExtentsOfTheBlockSize) {
  Random random(41);
  const Model model = RandomHashedModel(random, 300, 8, 1000);
  const Arrivals arrivals = Shuffled(random, model);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteHashed(file_system_, "s", arrivals, HashedOptions(8, 512)));
  const auto reader = OpenHashed(file_system_, "s", meta);
  Arrivals read;
  bool large_one_alone = false;
  for (const SegmentBlock& block : reader->Blocks()) {
    const size_t before = read.size();
    ASSERT_OK_AND_ASSIGN(const size_t raw_size,
                         reader->VisitBlock(block.handle, [&](auto key, auto value) {
                           read.emplace_back(key, value);
                           return true;
                         }));
    if (raw_size > 512) {
      EXPECT_EQ(read.size() - before, 1u);
      large_one_alone = true;
    }
  }
  EXPECT_TRUE(large_one_alone);
  EXPECT_EQ(read, arrivals);
}

TEST_F(HashedSegmentWriterTest, OptionsOutOfRangeAreRefused) {
  for (const uint32_t width : {0u, 7u, 65u}) {
    EXPECT_THAT(Create(HashedOptions(width)).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key_width")));
  }
}

TEST_F(HashedSegmentWriterTest, KeysOfAnotherWidthAndNoKeysAreRefusedAndThatSticks) {
  ASSERT_OK_AND_ASSIGN(auto writer, Create(HashedOptions(9)));
  ASSERT_OK(writer->Add(Key("123456789", 1), "v"));
  EXPECT_THAT(writer->Add(Key("1234567890", 2), "v"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("10 bytes instead of 9")));
  EXPECT_THAT(writer->Add(Key("123456789", 3), "v"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(writer->Finish().status(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_OK(writer->Abandon());
  ASSERT_OK_AND_ASSIGN(auto other, Create(HashedOptions(9)));
  EXPECT_THAT(other->Add("short", "v"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no internal key")));
}

TEST_F(HashedSegmentWriterTest, ASegmentWithoutRecordsIsRefused) {
  ASSERT_OK_AND_ASSIGN(auto writer, Create(HashedOptions(9)));
  EXPECT_THAT(writer->Finish().status(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(HashedSegmentWriterTest, ExtentsBeyondWhatALocationCanNameAreRefused) {
  // 16 MiB blocks leave 11 bits: 2048 extents, here of one record each.
  ASSERT_OK_AND_ASSIGN(auto output, SegmentOutput::Create(file_system_, "to", {}, 99));
  HashedSegmentWriter writer(std::move(output), HashedOptions(8, size_t{16} << 20), FileNumber{8});
  for (uint64_t sequence = 1; sequence <= 2049; ++sequence) {
    std::string key;
    PutFixed64(key, HashInteger(sequence));
    ExtentBuilder builder;
    builder.Add({.user_key = key, .sequence = SequenceNumber{sequence}}, "value");
    const ByteSpan raw = builder.Finish();
    auto copy = NewBlockMemory(raw.size());
    std::copy(raw.begin(), raw.end(), copy.get());
    ASSERT_OK_AND_ASSIGN(const auto extent, Extent::Create(std::move(copy), raw.size()));
    const absl::Status status = writer.AddExtent(*extent, raw, CompressionKind::kNone);
    if (sequence <= 2048) {
      ASSERT_OK(status);
    } else {
      EXPECT_THAT(status,
                  StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2048 extents")));
    }
  }
}

TEST_F(HashedSegmentWriterTest, CopiedExtentsBecomePartOfTheSegment) {
  Random random(42);
  const Model model = RandomHashedModel(random, 500, 12);
  const Arrivals arrivals = Shuffled(random, model);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteHashed(file_system_, "from", arrivals, HashedOptions(12)));
  const auto reader = OpenHashed(file_system_, "from", meta);

  const SegmentOptions options = HashedOptions(12);
  ASSERT_OK_AND_ASSIGN(
      auto output, SegmentOutput::Create(file_system_, "to", {.compression_threshold = 100}, 99));
  HashedSegmentWriter writer(std::move(output), options, FileNumber{8});
  const std::string own_key = Key(std::string(12, 'o'), 9000);
  ASSERT_OK(writer.Add(own_key, "own"));
  for (uint32_t i = 0; i < reader->extent_count(); ++i) {
    std::string stored;
    ASSERT_OK(reader->ReadStored(i, 1, stored));
    ASSERT_OK_AND_ASSIGN(const auto extent, reader->DecodeExtent(i, AsBytes(stored)));
    const size_t size = reader->ExtentHandle(i).size;
    ASSERT_OK(writer.AddExtent(*extent, AsBytes(stored).subspan(0, size),
                               static_cast<CompressionKind>(stored[size + 1])));
  }
  ASSERT_OK_AND_ASSIGN(const SegmentMeta copied, writer.Finish());
  EXPECT_EQ(copied.entry_count, 501u);
  const auto copy = OpenHashed(file_system_, "to", copied);
  EXPECT_THAT(copy->Verify().problems, testing::IsEmpty());
  Model read;
  const auto iterator = copy->NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    read[std::string(iterator->key())] = std::string(iterator->value());
  }
  EXPECT_OK(iterator->status());
  Model expected = model;
  expected[own_key] = "own";
  EXPECT_EQ(read, expected);
}

TEST_F(HashedSegmentWriterTest, AnExtentOfLargerBlocksThanLocationsReachIsRefused) {
  Random random(43);
  const Arrivals arrivals = Shuffled(random, RandomHashedModel(random, 100, 12));
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteHashed(file_system_, "from", arrivals, HashedOptions(12, 4096)));
  const auto reader = OpenHashed(file_system_, "from", meta);
  ASSERT_OK_AND_ASSIGN(auto output, SegmentOutput::Create(file_system_, "to", {}, 99));
  HashedSegmentWriter writer(std::move(output), HashedOptions(12, 256), FileNumber{8});
  std::string stored;
  ASSERT_OK(reader->ReadStored(0, 1, stored));
  ASSERT_OK_AND_ASSIGN(const auto extent, reader->DecodeExtent(0, AsBytes(stored)));
  EXPECT_THAT(writer.AddExtent(*extent, AsBytes(stored), CompressionKind::kNone),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("begins at")));
}

}  // namespace
}  // namespace firn
