#include "compaction/segment_sink.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sstable/internal_key.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Numbered(int number) {
  std::string digits = std::to_string(number);
  return "key" + std::string(6 - digits.size(), '0') + digits;
}

std::vector<StoredEntry> Numbers(int count) {
  std::vector<StoredEntry> entries;
  for (int i = 0; i < count; ++i) {
    entries.push_back(MakePut(Numbered(i), static_cast<uint64_t>(i) + 1, std::string(50, 'v')));
  }
  return entries;
}

TEST(SegmentSinkTest, CutsTheStreamAtTheTargetSizeAndLosesNothing) {
  SegmentFixture fixture;
  const std::vector<StoredEntry> entries = Numbers(2000);
  ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write(entries, 8 << 10));
  EXPECT_GT(segments.size(), 5);
  std::vector<StoredEntry> read;
  LevelsEdit edit;
  for (const SegmentPtr& segment : segments) {
    EXPECT_LT(segment->size, 24 << 10);
    ASSERT_OK_AND_ASSIGN(const auto part, fixture.Read(*segment));
    read.insert(read.end(), part.begin(), part.end());
    edit.added.push_back({LevelIndex{1}, segment});
  }
  EXPECT_EQ(read, entries);
  EXPECT_OK(Levels().Apply(edit));
}

TEST(SegmentSinkTest, VersionsOfOneKeyStayInOneSegment) {
  SegmentFixture fixture;
  std::vector<StoredEntry> entries = Numbers(10);
  for (uint64_t i = 100; i < 1100; ++i) {
    entries.push_back(MakePut(Numbered(5), i, std::to_string(i) + std::string(100, 'v')));
  }
  ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write(entries, 2 << 10));
  EXPECT_GT(segments.size(), 1);
  LevelsEdit edit;
  for (const SegmentPtr& segment : segments) edit.added.push_back({LevelIndex{1}, segment});
  EXPECT_OK(Levels().Apply(edit)) << "disjoint in user keys";
}

TEST(SegmentSinkTest, ManySmallEntriesAreCutByTheirNumber) {
  SegmentFixture fixture;
  SegmentSinkOptions options = fixture.SinkOptions(1 << 20);
  options.segment_entries_max = 300;
  SegmentSink sink(fixture.file_system, options);
  for (const StoredEntry& entry : Numbers(1000)) ASSERT_OK(sink.Add(entry.key, entry.value));
  ASSERT_OK_AND_ASSIGN(const auto segments, sink.Finish());
  ASSERT_THAT(segments, SizeIs(4));
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(segments[i]->entry_count, i < 3 ? 300u : 100u);
}

TEST(SegmentSinkTest, NothingInNothingOut) {
  SegmentFixture fixture;
  SegmentSink sink(fixture.file_system, fixture.SinkOptions(1000));
  EXPECT_THAT(sink.Finish(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(sink.created(), IsEmpty());
  EXPECT_EQ(sink.bytes_written(), 0);
}

TEST(SegmentSinkTest, FinishedSegmentsSurviveACrash) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SegmentFixture fixture({.seed = seed});
    ASSERT_OK(fixture.file_system.SyncDirectory("."));
    const std::vector<StoredEntry> entries = Numbers(500);
    ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write(entries, 8 << 10));
    fixture.file_system.LoseUnsyncedData();
    std::vector<StoredEntry> read;
    for (const SegmentPtr& segment : segments) {
      ASSERT_OK_AND_ASSIGN(const auto part, fixture.Read(*segment));
      read.insert(read.end(), part.begin(), part.end());
    }
    EXPECT_EQ(read, entries);
  }
}

TEST(SegmentSinkTest, AnErrorSticksAndEveryFileIsNamed) {
  const std::vector<StoredEntry> entries = Numbers(600);
  bool was_hit = true;
  for (uint64_t crash_at = 1; was_hit; ++crash_at) {
    SCOPED_TRACE(crash_at);
    SegmentFixture fixture({.seed = crash_at, .crash_at_operation = crash_at});
    SegmentSink sink(fixture.file_system, fixture.SinkOptions(8 << 10));
    absl::Status status;
    for (const StoredEntry& entry : entries) {
      status = sink.Add(entry.key, entry.value);
      if (!status.ok()) break;
    }
    if (status.ok()) status = sink.Finish().status();
    was_hit = fixture.file_system.crashed();
    EXPECT_EQ(status.ok(), !was_hit);
    if (was_hit) {
      EXPECT_EQ(sink.Add(entries[0].key, "x"), status);
      EXPECT_EQ(sink.Finish().status(), status);
    }
    fixture.file_system.LoseUnsyncedData();
    const auto names = fixture.file_system.List("segments");
    if (!names.ok()) continue;  // the folder itself was not synced
    for (const std::string& name : *names) {
      bool is_named = false;
      for (const FileNumber number : sink.created()) is_named |= name == SegmentFileName(number);
      EXPECT_TRUE(is_named) << name;
    }
  }
}

}  // namespace
}  // namespace firn
