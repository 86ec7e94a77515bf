#include "compaction/levels.h"

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sstable/internal_key.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SegmentPtr Segment(uint64_t number, absl::string_view smallest, absl::string_view largest,
                   uint64_t sequence = 1) {
  SegmentMeta meta;
  meta.number = {number};
  meta.size = 100;
  meta.entry_count = 10;
  meta.smallest = EncodeInternalKey({.user_key = smallest, .sequence = {sequence}});
  meta.largest = EncodeInternalKey({.user_key = largest, .sequence = {sequence}});
  meta.sequence_min = {sequence};
  meta.sequence_max = {sequence};
  return std::make_shared<const SegmentMeta>(meta);
}

std::vector<uint64_t> NumbersOf(const std::vector<SegmentPtr>& segments) {
  std::vector<uint64_t> numbers;
  for (const SegmentPtr& segment : segments) numbers.push_back(segment->number.value);
  return numbers;
}

TEST(LevelsTest, Level0IsSortedNewestFirstAndOthersByKey) {
  ASSERT_OK_AND_ASSIGN(const Levels levels,
                       Levels().Apply({.added = {{LevelIndex{0}, Segment(1, "a", "m", 5)},
                                                 {LevelIndex{0}, Segment(3, "b", "c", 7)},
                                                 {LevelIndex{0}, Segment(2, "n", "z", 5)},
                                                 {LevelIndex{1}, Segment(4, "p", "q")},
                                                 {LevelIndex{1}, Segment(5, "d", "e")}}}));
  EXPECT_THAT(NumbersOf(levels.level0()), ElementsAre(3, 2, 1));
  EXPECT_THAT(NumbersOf(levels.level({1})), ElementsAre(5, 4));
  EXPECT_EQ(levels.deepest(), LevelIndex{1});
  EXPECT_EQ(levels.segment_count(), 5);
  EXPECT_EQ(levels.bytes({0}), 300);
  EXPECT_EQ(levels.total_bytes(), 500);
  EXPECT_EQ(levels.entry_count(), 50);
  EXPECT_EQ(levels.ApproximateBytes({.smallest = "b", .largest = "d"}), 300);
}

TEST(LevelsTest, AnEditMakesANewValueAndLeavesTheOld) {
  ASSERT_OK_AND_ASSIGN(const Levels before,
                       Levels().Apply({.added = {{LevelIndex{0}, Segment(1, "a", "b")}}}));
  // A move: the same number removed and added.
  ASSERT_OK_AND_ASSIGN(const Levels after, before.Apply({.added = {{LevelIndex{3}, Segment(1, "a", "b")}},
                                                         .removed = {FileNumber{1}}}));
  EXPECT_THAT(NumbersOf(before.level0()), ElementsAre(1));
  EXPECT_THAT(after.level0(), IsEmpty());
  EXPECT_THAT(NumbersOf(after.level({3})), ElementsAre(1));
  EXPECT_EQ(after.deepest(), LevelIndex{3});
}

TEST(LevelsTest, EditsThatCannotBeAreRefused) {
  ASSERT_OK_AND_ASSIGN(const Levels levels,
                       Levels().Apply({.added = {{LevelIndex{1}, Segment(1, "b", "d")}}}));
  const auto refuses = [&](const LevelsEdit& edit, const char* what) {
    EXPECT_THAT(levels.Apply(edit),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  refuses({.removed = {FileNumber{9}}}, "segment 9: removed, but not there");
  refuses({.added = {{LevelIndex{1}, Segment(2, "d", "e")}}}, "overlaps segment 1 on level 1");
  refuses({.added = {{LevelIndex{7}, Segment(2, "x", "y")}}}, "level: expected below 7, found 7");
  refuses({.added = {{LevelIndex{2}, Segment(1, "x", "y")}}}, "stands twice");
  refuses({.added = {{LevelIndex{2}, Segment(2, "y", "x")}}}, "smallest key is above");
  SegmentMeta meta = *Segment(2, "x", "y");
  meta.smallest = "short";
  refuses({.added = {{LevelIndex{2}, std::make_shared<const SegmentMeta>(meta)}}}, "no internal key");
  meta = *Segment(2, "x", "y");
  meta.entry_count = 0;
  refuses({.added = {{LevelIndex{2}, std::make_shared<const SegmentMeta>(meta)}}}, "no entry");
  meta = *Segment(2, "x", "y");
  meta.sequence_min = {9};
  refuses({.added = {{LevelIndex{2}, std::make_shared<const SegmentMeta>(meta)}}}, "sequence");
}

TEST(LevelsTest, TheTwoEndsOfASegmentAreInsideIt) {
  ASSERT_OK_AND_ASSIGN(const Levels levels,
                       Levels().Apply({.added = {{LevelIndex{1}, Segment(1, "b", "d")},
                                                 {LevelIndex{1}, Segment(2, "f", "f")},
                                                 {LevelIndex{2}, Segment(3, "a", "z")}}}));
  const auto candidate = [&](const char* key) {
    const SegmentMeta* segment = levels.Candidate({1}, key);
    return segment == nullptr ? 0 : segment->number.value;
  };
  EXPECT_EQ(candidate("a"), 0);
  EXPECT_EQ(candidate("b"), 1);
  EXPECT_EQ(candidate("d"), 1);
  EXPECT_EQ(candidate("da"), 0);
  EXPECT_EQ(candidate("f"), 2);
  EXPECT_EQ(candidate("g"), 0);
  EXPECT_TRUE(levels.KeyMayExistBelow({0}, "d"));
  EXPECT_TRUE(levels.KeyMayExistBelow({1}, "e"));
  EXPECT_FALSE(levels.KeyMayExistBelow({2}, "e"));
  EXPECT_THAT(NumbersOf(levels.Overlapping({1}, {.smallest = "d", .largest = "f"})),
              ElementsAre(1, 2));
  EXPECT_THAT(levels.Overlapping({1}, {.smallest = "da", .largest = "e"}), IsEmpty());
  EXPECT_THAT(NumbersOf(levels.Overlapping({1}, {})), ElementsAre(1, 2));
}

TEST(LevelsTest, QueriesAgreeWithLookingAtEverySegment) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto key = [&](uint64_t number) { return std::string(1, static_cast<char>(number)); };
    LevelsEdit edit;
    uint64_t number = 0;
    for (uint64_t begin = random.Uniform(5); begin < 240;) {
      const uint64_t end = begin + random.Uniform(6);
      edit.added.push_back({LevelIndex{2}, Segment(++number, key(begin), key(end))});
      begin = end + 1 + random.Uniform(6);
    }
    for (int i = 0; i < 5; ++i) {
      const uint64_t begin = random.Uniform(200);
      ++number;
      edit.added.push_back({LevelIndex{0}, Segment(number, key(begin),
                                                   key(begin + random.Uniform(40)), number)});
    }
    ASSERT_OK_AND_ASSIGN(const Levels levels, Levels().Apply(edit));
    for (int query = 0; query < 100; ++query) {
      const std::string a = key(random.Uniform(255));
      const std::string b = key(random.Uniform(255));
      UserKeyRange range;
      if (!random.OneIn(4)) range.smallest = a;
      if (!random.OneIn(4)) range.largest = b;
      for (const uint32_t level : {0u, 2u}) {
        std::vector<SegmentPtr> expected;
        for (const SegmentPtr& segment : levels.level({level})) {
          if (Overlaps(*segment, range)) expected.push_back(segment);
        }
        // An empty range (smallest above largest) may stand inside one segment.
        if (!range.smallest || !range.largest || a <= b) {
          EXPECT_EQ(levels.Overlapping({level}, range), expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace firn
