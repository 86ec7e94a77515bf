#include "engine/version_edit.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/edit_examples.h"
#include "tests/support/golden_reader.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

VersionEdit Full() {
  VersionEdit edit = CreateNotes();
  edit.next_file = FileNumber{900};
  edit.last_sequence = kMaxSequenceNumber;
  edit.added_keyspaces.front().options = {.layout = KeyspaceLayout::kHashed,
                                          .key_width = 44,
                                          .compression = Compression::kNone,
                                          .block_size = 8192,
                                          .compression_threshold = 0,
                                          .filter_bits_per_key = 0};
  edit.dropped_keyspaces = {KeyspaceId{7}, KeyspaceId{8}};
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{6}, ExampleSegment(300, "a", "z", 55)});
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{0}, ExampleSegment(301, "a", "z", 56)});
  edit.added_segments.back().segment.data_block_count = 2;
  edit.added_segments.back().segment.tombstone_count = 1;
  edit.added_segments.back().segment.raw_size = 200;
  edit.added_segments.push_back(
      {KeyspaceId{1}, LevelIndex{3}, AsIngested(ExampleSegment(302, "a", "z", 0), {57})});
  edit.added_segments.push_back(edit.added_segments.back());
  edit.added_segments.back().segment.data_block_count = 1;
  edit.removed_segments.push_back({KeyspaceId{1}, FileNumber{299}});
  edit.flushed.push_back({KeyspaceId{1}, SequenceNumber{1000000}});
  edit.volatile_marks.push_back({KeyspaceId{1}, SequenceNumber{0}});
  edit.volatile_marks.push_back({KeyspaceId{2}, std::nullopt});
  edit.bounds.push_back({KeyspaceId{1}, 77});
  edit.size_limits.push_back({KeyspaceId{1}, {.soft = 5000, .hard = uint64_t{1} << 40}});
  edit.compressions.push_back({KeyspaceId{1}, {Compression::kLz4Hc, 9}});
  return edit;
}

TEST(VersionEdit, ComesBackAsItWas) {
  const std::string encoded = EncodeVersionEdit(Full());
  ASSERT_OK_AND_ASSIGN(const VersionEdit back, DecodeVersionEdit(encoded));
  EXPECT_EQ(EncodeVersionEdit(back), encoded);
  EXPECT_EQ(back.next_file, FileNumber{900});
  EXPECT_EQ(back.added_keyspaces.front().options.layout, KeyspaceLayout::kHashed);
  EXPECT_EQ(back.added_keyspaces.front().options.block_size, 8192u);
  EXPECT_EQ(back.added_segments.front().segment, ExampleSegment(300, "a", "z", 55));
  EXPECT_EQ(back.added_segments[1].segment, Full().added_segments[1].segment);
  EXPECT_EQ(back.added_segments[2].segment, Full().added_segments[2].segment);
  EXPECT_EQ(back.added_segments[3].segment, Full().added_segments[3].segment);
  EXPECT_EQ(back.added_segments[3].segment.ingested_at, SequenceNumber{57});
  EXPECT_EQ(back.volatile_marks[0].since, SequenceNumber{0});
  EXPECT_EQ(back.volatile_marks[1].since, std::nullopt);
  EXPECT_EQ(back.added_keyspaces.front().options.key_width, 44u);
  EXPECT_EQ(back.bounds.front().bound, 77u);
  EXPECT_EQ(back.size_limits.front().limits.soft, 5000u);
  EXPECT_EQ(back.size_limits.front().limits.hard, uint64_t{1} << 40);
  EXPECT_EQ(back.compressions.front().choice, (CompressionChoice{Compression::kLz4Hc, 9}));
  EXPECT_THAT(DecodeVersionEdit(""), IsOk());
}

TEST(VersionEdit, ThePageShowsItsBytes) {
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadGoldenHex("docs/formats/manifest.md", "edit"));
  VersionEdit edit = FlushEdit(ExampleSegment(12, "a", "b", 9));
  edit.next_keyspace = KeyspaceId{2};
  EXPECT_EQ(absl::BytesToHexString(EncodeVersionEdit(edit)), absl::BytesToHexString(page));
  ASSERT_OK_AND_ASSIGN(const std::string limits,
                       ReadGoldenHex("docs/formats/manifest.md", "limits"));
  VersionEdit limit;
  limit.size_limits.push_back({KeyspaceId{1}, {.soft = 256, .hard = 0}});
  EXPECT_EQ(absl::BytesToHexString(EncodeVersionEdit(limit)), absl::BytesToHexString(limits));
}

TEST(VersionEdit, ASegmentSaysHowManyBlocksAndTombstonesItHas) {
  ASSERT_OK_AND_ASSIGN(const std::string page,
                       ReadGoldenHex("docs/formats/manifest.md", "content"));
  VersionEdit edit;
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{0}, ExampleSegment(12, "a", "b", 9)});
  const std::string unsaid = EncodeVersionEdit(edit);
  edit.added_segments.front().segment.data_block_count = 2;
  edit.added_segments.front().segment.tombstone_count = 1;
  const std::string said = EncodeVersionEdit(edit);
  EXPECT_EQ(absl::BytesToHexString(said), absl::BytesToHexString(unsaid + page));
  ASSERT_OK_AND_ASSIGN(const std::string raw, ReadGoldenHex("docs/formats/manifest.md", "raw"));
  edit.added_segments.front().segment.raw_size = 200;
  EXPECT_EQ(absl::BytesToHexString(EncodeVersionEdit(edit)),
            absl::BytesToHexString(unsaid + page + raw));
  EXPECT_THAT(DecodeVersionEdit(raw), StatusIs(absl::StatusCode::kDataLoss,
                                               HasSubstr("raw size of no segment")));
  EXPECT_THAT(DecodeVersionEdit(unsaid + raw), StatusIs(absl::StatusCode::kDataLoss,
                                                        HasSubstr("raw size of no segment")));
}

TEST(VersionEdit, ACodecAndItsLevelAreCheckedWhenRead) {
  ASSERT_OK_AND_ASSIGN(const std::string page,
                       ReadGoldenHex("docs/formats/manifest.md", "compression"));
  VersionEdit edit;
  edit.compressions.push_back({KeyspaceId{1}, {Compression::kLz4Hc, 9}});
  EXPECT_EQ(absl::BytesToHexString(EncodeVersionEdit(edit)), absl::BytesToHexString(page));
  edit.compressions.front().choice.level = 13;
  EXPECT_THAT(DecodeVersionEdit(EncodeVersionEdit(edit)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("compression_level")));
  edit.compressions.front().choice = {static_cast<Compression>(9), 0};
  EXPECT_THAT(DecodeVersionEdit(EncodeVersionEdit(edit)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("compression")));
}

TEST(VersionEdit, AnIngestedSegmentSaysWhichNumberItsRecordsHave) {
  ASSERT_OK_AND_ASSIGN(const std::string page,
                       ReadGoldenHex("docs/formats/manifest.md", "ingested"));
  VersionEdit edit;
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{0}, ExampleSegment(12, "a", "b", 9)});
  const std::string unsaid = EncodeVersionEdit(edit);
  edit.added_segments.front().segment.ingested_at = SequenceNumber{9};
  const std::string said = EncodeVersionEdit(edit);
  EXPECT_EQ(absl::BytesToHexString(said), absl::BytesToHexString(unsaid + page));
}

TEST(VersionEdit, EveryTruncationIsRefusedOrAnEdit) {
  const std::string encoded = EncodeVersionEdit(Full());
  for (size_t size = 0; size < encoded.size(); ++size) {
    const auto edit = DecodeVersionEdit(absl::string_view(encoded).substr(0, size));
    if (edit.ok()) {
      EXPECT_EQ(EncodeVersionEdit(*edit), encoded.substr(0, size));
    } else {
      EXPECT_THAT(edit, HasReason(ErrorReason::kSerialization));
      EXPECT_THAT(edit, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("byte ")));
    }
  }
}

TEST(VersionEdit, RefusesWhatNoWriterWrites) {
  const auto refused = [](const std::string& encoded, const char* why) {
    EXPECT_THAT(DecodeVersionEdit(encoded), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(why)));
  };
  refused("\x10", "unknown field 16");
  refused("\x0f\x01", "raw size of no segment");
  refused("\x0e", "no keyspace id");
  refused("\x0d\x01", "the number of no segment");
  refused("\x0c\x01", "content of no segment");
  refused("\x0b", "no keyspace id");
  refused("\x0a", "no keyspace id");
  refused(std::string("\0", 1), "unknown field 0");
  refused("\x01\x05\x01\x06", "twice");
  refused(std::string("\x01\0", 2), "file number 0");
  refused(std::string("\x05\0", 2), "keyspace id 0");
  refused("\x03\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "56 bits");
  VersionEdit edit = CreateNotes();
  edit.added_keyspaces.front().name = "No/Name";
  refused(EncodeVersionEdit(edit), "name");
  edit.added_keyspaces.front() = {KeyspaceId{1}, "x", {.block_size = 3}};
  refused(EncodeVersionEdit(edit), "block_size");
  edit = VersionEdit{};
  SegmentMeta segment = ExampleSegment(5, "b", "a", 1);
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{0}, segment});
  refused(EncodeVersionEdit(edit), "out of order");
  edit.added_segments.front().segment = ExampleSegment(5, "a", "b", 1);
  edit.added_segments.front().segment.largest = "short";
  refused(EncodeVersionEdit(edit), "internal key");
  edit.added_segments.front().segment = ExampleSegment(5, "a", "b", 1);
  edit.added_segments.front().segment.data_block_count = 3;  // of 2 entries
  refused(EncodeVersionEdit(edit), "than entries");
  edit.added_segments.front().segment = ExampleSegment(5, "a", "b", 1);
  refused(EncodeVersionEdit(edit) + "\x0d\x02", "whose numbers differ");
  edit.added_segments.front().segment.data_block_count = 2;
  refused(EncodeVersionEdit(edit) + "\x0c\x01\x01", "content of no segment");
  edit.added_segments.front() = {KeyspaceId{1}, LevelIndex{7}, ExampleSegment(5, "a", "b", 1)};
  refused(EncodeVersionEdit(edit), "level");
}

TEST(VersionEdit, AnyBytesAreAnEditOrAStatus) {
  Random random(5);
  const std::string encoded = EncodeVersionEdit(Full());
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = encoded;
    for (uint64_t n = random.Uniform(4); n < 4; ++n) {
      bytes[random.Uniform(bytes.size())] = static_cast<char>(random.Next());
    }
    const auto edit = DecodeVersionEdit(bytes);
    if (edit.ok()) {
      EXPECT_EQ(EncodeVersionEdit(*edit).size(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace firn
