#include "sstable/sequence_segment_writer.h"

#include "tests/sstable/sequence_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class SequenceSegmentWriterTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(const SegmentOptions& options) {
    return SegmentWriter::Create(file_system_, "s", options, FileNumber{7}, 1);
  }
  MemoryFileSystem file_system_;
};

TEST_F(SequenceSegmentWriterTest, WhatIsNoSequenceIsRefused) {
  struct Entry {
    std::string key;
    const char* why;
  };
  for (const Entry& entry :
       {Entry{Key("short", 9), "internal key of 13 bytes"},
        Entry{Key(SequenceUserKey(9), 9, EntryKind::kTombstone), "no put"},
        Entry{SequenceInternalKey(5, {9}), "not above"},
        Entry{SequenceInternalKey(4, {9}), "not above"}, Entry{"", "internal key of 0 bytes"}}) {
    ASSERT_OK_AND_ASSIGN(const auto writer, Create(SequenceOptions()));
    ASSERT_OK(writer->Add(SequenceInternalKey(5, {5}), "x"));
    const absl::Status refused = writer->Add(entry.key, "y");
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(entry.why)));
    EXPECT_EQ(writer->Add(SequenceInternalKey(6, {6}), "z"), refused) << "the error sticks";
    EXPECT_EQ(writer->Finish().status(), refused);
    ASSERT_OK(writer->Abandon());
  }
}

TEST_F(SequenceSegmentWriterTest, BlocksAreCutAtTheirSize) {
  SegmentOptions options = SequenceOptions(1000);
  options.compression = CompressionKind::kNone;
  ASSERT_OK_AND_ASSIGN(const auto writer, Create(options));
  EXPECT_EQ(writer->EstimatedSize(), 0u);
  for (uint64_t i = 0; i < 100; ++i) {
    ASSERT_OK(writer->Add(SequenceInternalKey(100 + i, {i + 1}), std::string(98, 'v')));
  }
  ASSERT_OK(writer->Add(SequenceInternalKey(200, {101}), std::string(5000, 'v')));
  EXPECT_GT(writer->EstimatedSize(), 100 * 98u + 5000);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, writer->Finish());
  const auto reader = OpenSequence(file_system_, "s", meta);
  ASSERT_NE(reader, nullptr);
  // Nine of 98 + 2 bytes fit beside the tail; the large one has a block of its own.
  EXPECT_EQ(reader->Blocks().size(), 12u + 1);
  EXPECT_EQ(meta.entry_count, 101u);
  EXPECT_EQ(meta.smallest, SequenceInternalKey(100, {1}));
  EXPECT_EQ(meta.largest, SequenceInternalKey(200, {101}));
  EXPECT_EQ(meta.sequence_min, SequenceNumber{1});
  EXPECT_EQ(meta.sequence_max, SequenceNumber{101});
}

TEST_F(SequenceSegmentWriterTest, ASegmentWithoutEntriesIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto writer, Create(SequenceOptions()));
  EXPECT_THAT(writer->Finish().status(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace firn
