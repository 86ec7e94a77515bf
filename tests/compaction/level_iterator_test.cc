#include "compaction/level_iterator.h"

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "sstable/sequence_key.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(LevelIteratorTest, WithoutSegmentsItIsEmpty) {
  SegmentFixture fixture;
  const auto iterator = NewLevelIterator({}, fixture.directory, {});
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  iterator->Seek(EncodeInternalKey({.user_key = "a", .sequence = {1}}));
  EXPECT_FALSE(iterator->Valid());
  EXPECT_OK(iterator->status());
}

// A sequence keyspace of an older build: its first segments are ordered ones.
TEST(LevelIteratorTest, ReadsSegmentsOfTwoLayoutsAsOne) {
  SegmentFixture fixture;
  std::vector<SegmentPtr> segments;
  std::vector<StoredEntry> all;
  uint64_t number = 1;
  for (const SegmentLayout layout : {SegmentLayout::kOrdered, SegmentLayout::kSequence}) {
    SegmentSinkOptions options = fixture.SinkOptions(1 << 20);
    options.segment.layout = layout;
    SegmentSink sink(fixture.file_system, options);
    for (int i = 0; i < 100; ++i, ++number) {
      all.push_back({SequenceInternalKey(number, {number}), std::to_string(number)});
      ASSERT_OK(sink.Add(all.back().key, all.back().value));
    }
    ASSERT_OK_AND_ASSIGN(const auto written, sink.Finish());
    segments.insert(segments.end(), written.begin(), written.end());
  }
  ASSERT_EQ(segments.size(), 2u);
  const auto iterator = NewLevelIterator(segments, fixture.directory, {});
  VectorIterator expected(all);
  EXPECT_EQ(ReadAll(*iterator), ReadAll(expected));
  for (const StoredEntry& entry : all) {
    iterator->Seek(entry.key);
    ASSERT_TRUE(iterator->Valid());
    EXPECT_EQ(iterator->value(), entry.value);
  }
}

TEST(LevelIteratorTest, ReadsManySegmentsAsOneInBothDirections) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SegmentFixture fixture;
    std::vector<StoredEntry> entries;
    const uint64_t count = 1 + random.Uniform(300);
    for (uint64_t i = 1; i <= count; ++i) {
      entries.push_back(MakePut(RandomKey(random, 4), i, RandomKey(random, 30)));
    }
    ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write(entries, 300));
    const auto iterator = NewLevelIterator(segments, fixture.directory, {});
    VectorIterator expected(entries);
    EXPECT_EQ(ReadAll(*iterator), ReadAll(expected));
    iterator->SeekToLast();
    expected.SeekToLast();
    for (int step = 0; step < 1000; ++step) {
      const uint64_t move = random.Uniform(10);
      if (move == 0) {
        iterator->SeekToFirst();
        expected.SeekToFirst();
      } else if (move == 1) {
        iterator->SeekToLast();
        expected.SeekToLast();
      } else if (move == 2 || !expected.Valid()) {
        const std::string target = EncodeInternalKey(
            {.user_key = RandomKey(random, 4), .sequence = {random.Uniform(count + 2)}});
        iterator->Seek(target);
        expected.Seek(target);
      } else if (move < 6) {
        iterator->Next();
        expected.Next();
      } else {
        iterator->Prev();
        expected.Prev();
      }
      ASSERT_EQ(iterator->Valid(), expected.Valid());
      ASSERT_OK(iterator->status());
      if (!expected.Valid()) continue;
      ASSERT_EQ(iterator->key(), expected.key());
      ASSERT_EQ(iterator->value(), expected.value());
    }
  }
}

TEST(LevelIteratorTest, ASegmentThatIsNotThereIsAnErrorThatStays) {
  SegmentFixture fixture;
  std::vector<StoredEntry> entries;
  for (uint64_t i = 1; i <= 200; ++i) {
    entries.push_back(MakePut(std::string(1, static_cast<char>(i)), i, std::string(20, 'v')));
  }
  ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write(entries, 1000));
  ASSERT_GE(segments.size(), 3);
  ASSERT_OK(fixture.file_system.RemoveFile(fixture.directory.PathOf(segments[1]->number)));
  const auto iterator = NewLevelIterator(segments, fixture.directory, {});
  EXPECT_EQ(ReadAll(*iterator).size(), segments[0]->entry_count);
  EXPECT_THAT(iterator->status(), HasReason(ErrorReason::kMissingFile));
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  const auto backward = NewLevelIterator(segments, fixture.directory, {});
  backward->Seek(segments[2]->smallest);
  ASSERT_TRUE(backward->Valid());
  backward->Prev();
  EXPECT_FALSE(backward->Valid());
  EXPECT_THAT(backward->status(), HasReason(ErrorReason::kMissingFile));
}

}  // namespace
}  // namespace firn
