#include "sstable/segment_writer.h"

#include "absl/strings/str_cat.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class OrderedSegmentWriterTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(const SegmentOptions& options = {}) {
    return SegmentWriter::Create(file_system_, "s", options, FileNumber{7}, 99);
  }
  MemoryFileSystem file_system_;
};

TEST_F(OrderedSegmentWriterTest, TellsTheManifestWhatItWrote) {
  Model model = {{Key("a", 9), "1"},
                 {Key("a", 3), "0"},
                 {Key("b", 20, EntryKind::kTombstone), ""},
                 {Key("c", 4), "3"}};
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, WriteSegment(file_system_, "s", model));
  EXPECT_EQ(meta.number, FileNumber{7});
  EXPECT_EQ(meta.id, 0x0123456789abcdefu);
  EXPECT_EQ(meta.entry_count, 4u);
  EXPECT_EQ(meta.smallest, Key("a", 9));
  EXPECT_EQ(meta.largest, Key("c", 4));
  EXPECT_EQ(meta.sequence_min, SequenceNumber{3});
  EXPECT_EQ(meta.sequence_max, SequenceNumber{20});
  EXPECT_EQ(meta.size, ReadAll(file_system_, "s").size());
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system_, "s", meta, nullptr));
  EXPECT_EQ(reader->properties().tombstone_count, 1u);
  EXPECT_EQ(reader->properties().user_key_count, 3u);
  EXPECT_EQ(reader->properties().raw_value_size, 3u);
}

TEST_F(OrderedSegmentWriterTest, TheContentIsDurableWhenFinishReturns) {
  Random random(12);
  const Model model = RandomModel(random, 2000, 300);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system_, "s", model, {.write_buffer_size = 10000}));
  ASSERT_OK(file_system_.SyncDirectory("."));  // the name is the caller's
  const std::string written = ReadAll(file_system_, "s");
  file_system_.LoseUnsyncedData();
  EXPECT_EQ(ReadAll(file_system_, "s"), written);
  EXPECT_EQ(written.size(), meta.size);
}

TEST_F(OrderedSegmentWriterTest, WritesTheSameFileWhateverTheBuffer) {
  Random random(13);
  const Model model = RandomModel(random, 500, 3000);
  std::string first;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{1} << 20}) {
    const std::string path = absl::StrCat("s", size);
    EXPECT_OK(WriteSegment(file_system_, path, model, {.write_buffer_size = size}));
    const std::string written = ReadAll(file_system_, path);
    if (first.empty()) first = written;
    EXPECT_EQ(written, first) << size;
  }
}

TEST_F(OrderedSegmentWriterTest, RefusesEntriesOutOfOrderAndStaysFailed) {
  for (const std::string& second : {Key("b", 5), Key("b", 6), Key("a", 1), std::string("short")}) {
    ASSERT_OK_AND_ASSIGN(auto writer, Create());
    ASSERT_OK(writer->Add(Key("b", 5), "1"));
    EXPECT_THAT(writer->Add(second, "2"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 1")));
    EXPECT_THAT(writer->Add(Key("z", 5), "3"), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(writer->Finish().status(), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_OK(writer->Abandon());
    EXPECT_THAT(file_system_.Stat("s").status(), StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_F(OrderedSegmentWriterTest, BlocksKeepToTheirSizeExceptForOneLargeEntry) {
  Model model;
  for (int i = 0; i < 1000; ++i) {
    model[Key(absl::StrCat(1000 + i), 5)] =
        std::string(static_cast<size_t>(i % 7 == 0 ? 3000 : 40), 'v');
  }
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system_, "s", model,
                                    {.block_size = 1024, .compression = CompressionKind::kNone}));
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system_, "s", meta, nullptr));
  for (const SegmentBlock& block : reader->Blocks()) {
    EXPECT_TRUE(block.handle.size <= 1024 || (block.handle.size > 3000 && block.handle.size < 3100))
        << block.handle.size;
  }
}

TEST_F(OrderedSegmentWriterTest, CompressesBlocksAboveTheThresholdThatShrink) {
  const auto size = [this](const std::string& value, const SegmentOptions& options) {
    const auto meta = WriteSegment(file_system_, "s", {{Key("a", 1), value}}, options);
    EXPECT_OK(meta);
    EXPECT_OK(file_system_.RemoveFile("s"));
    return meta.ok() ? meta->size : 0;
  };
  Random random(14);
  const std::string noise = RandomBytes(random, 4000);
  const std::string calm(4000, 'a');
  EXPECT_LT(size(calm, {}), 600u);
  EXPECT_GT(size(noise, {}), 4000u);
  EXPECT_GT(size(calm, {.compression = CompressionKind::kNone}), 4000u);
  EXPECT_GT(size(calm, {.compression_threshold = 5000}), 4000u);
}

TEST_F(OrderedSegmentWriterTest, ValuesOfMegabytesComeBack) {
  Random random(15);
  const std::string large = RandomBytes(random, size_t{5} << 20);
  ASSERT_OK_AND_ASSIGN(
      const SegmentMeta meta,
      WriteSegment(file_system_, "s",
                   {{Key("a", 1), "small"}, {Key("b", 1), large}, {Key("c", 1), "small"}}));
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system_, "s", meta, nullptr));
  ASSERT_OK_AND_ASSIGN(const auto found, reader->Get("b", kMaxSequenceNumber));
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->value == large);
  EXPECT_TRUE(reader->Verify().problems.empty());
}

TEST_F(OrderedSegmentWriterTest, EveryFailedOperationIsReportedAndNoBadSegmentIsBelieved) {
  Random random(16);
  const Model model = RandomModel(random, 300, 300);
  for (uint64_t crash_at = 0;; ++crash_at) {
    MemoryFileSystem file_system({.seed = crash_at, .crash_at_operation = crash_at});
    const auto meta = WriteSegment(file_system, "s", model, {.write_buffer_size = 4000});
    const bool was_hit = file_system.crashed();
    EXPECT_EQ(meta.ok(), !was_hit) << crash_at;
    if (!was_hit) break;
    file_system.LoseUnsyncedData();
    const auto found = SegmentReader::ReadMeta(file_system, "s");
    if (found.ok()) {  // the last sync: done, but not acknowledged
      ASSERT_OK_AND_ASSIGN(const auto reader,
                           SegmentReader::Open(file_system, "s", *found, nullptr));
      EXPECT_TRUE(reader->Verify().problems.empty());
    }
    ASSERT_LT(crash_at, 1000u);
  }
}

}  // namespace
}  // namespace firn
