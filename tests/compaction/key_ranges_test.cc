#include "compaction/key_ranges.h"

#include <set>

#include "gtest/gtest.h"
#include "sstable/merging_iterator.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(KeyRangesTest, RangesCoverAllKeysAndHoldEachVersionOnce) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SegmentFixture fixture;
    std::vector<SegmentPtr> segments;
    std::vector<StoredEntry> all;
    for (uint64_t i = 0; i < 1 + random.Uniform(4); ++i) {
      std::vector<StoredEntry> entries;
      for (uint64_t j = 0; j < 1 + random.Uniform(400); ++j) {
        entries.push_back(MakePut(RandomKey(random, 3), 1 + i * 1000 + j, RandomKey(random, 30)));
      }
      all.insert(all.end(), entries.begin(), entries.end());
      ASSERT_OK_AND_ASSIGN(const auto written, fixture.Write(entries, 2000));
      segments.insert(segments.end(), written.begin(), written.end());
    }
    const size_t parts = 1 + random.Uniform(6);
    ASSERT_OK_AND_ASSIGN(const std::vector<KeyRange> ranges,
                         SplitByBytes(segments, parts, fixture.directory));
    ASSERT_FALSE(ranges.empty());
    EXPECT_LE(ranges.size(), parts);
    EXPECT_EQ(ranges.front().begin, "");
    EXPECT_FALSE(ranges.back().limit.has_value());
    std::vector<StoredEntry> found;
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (i > 0) {
        EXPECT_EQ(ranges[i].begin, ranges[i - 1].limit);
      }
      const auto iterator = NewRangeIterator(NewVectorIterator(all), ranges[i]);
      const std::vector<StoredEntry> part = ReadAll(*iterator);
      EXPECT_OK(iterator->status());
      found.insert(found.end(), part.begin(), part.end());
    }
    VectorIterator expected(all);
    EXPECT_EQ(found, ReadAll(expected));
  }
}

TEST(KeyRangesTest, PartsOfUniformKeysAreAboutEven) {
  Random random(3);
  SegmentFixture fixture;
  std::vector<StoredEntry> entries;
  for (uint64_t i = 1; i <= 4000; ++i) {
    entries.push_back(MakePut(RandomBytes(random, 8), i, RandomBytes(random, 40)));
  }
  ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write(entries, 1 << 20));
  ASSERT_OK_AND_ASSIGN(const std::vector<KeyRange> ranges,
                       SplitByBytes(segments, 4, fixture.directory));
  ASSERT_EQ(ranges.size(), 4u);
  for (const KeyRange& range : ranges) {
    const auto iterator = NewRangeIterator(NewVectorIterator(entries), range);
    const size_t count = ReadAll(*iterator).size();
    EXPECT_GT(count, 700u);
    EXPECT_LT(count, 1300u);
  }
}

TEST(KeyRangesTest, AMissingSegmentIsAnError) {
  SegmentFixture fixture;
  ASSERT_OK_AND_ASSIGN(const auto segments, fixture.Write({MakePut("a", 1, "x")}, 1 << 20));
  ASSERT_OK(fixture.file_system.RemoveFile(fixture.directory.PathOf(segments[0]->number)));
  EXPECT_THAT(SplitByBytes(segments, 2, fixture.directory).status(),
              HasReason(ErrorReason::kMissingFile));
  EXPECT_OK(SplitByBytes(segments, 1, fixture.directory).status());  // nothing to ask
}

}  // namespace
}  // namespace firn
