#include "engine/read_set.h"

#include "gtest/gtest.h"

namespace firn {
namespace {

constexpr KeyspaceId kA{1}, kB{2};

TEST(ReadSetTest, NotesEachKeyOnceAndEachKeyspaceForItself) {
  ReadSet reads;
  reads.AddPoint(kA, "k");
  reads.AddPoint(kA, "k");
  reads.AddPoint(kB, "k");
  ASSERT_EQ(reads.points().size(), 2u);
  EXPECT_EQ(reads.points()[1]->keyspace, kB);
  EXPECT_EQ(reads.bytes(), 2 * 65u);
}

TEST(ReadSetTest, ForgetsWhatCameAfterAMark) {
  ReadSet reads;
  reads.AddPoint(kA, "before");
  reads.AddRange({kA, "a", "b"});
  const ReadSet::Mark mark = reads.mark();
  const size_t bytes = reads.bytes();
  const uint64_t epoch = reads.epoch();
  reads.AddPoint(kA, "after");
  reads.AddPoint(kA, "before");  // noted already: it stays
  reads.AddRange({kA, "x", std::nullopt});
  reads.ForgetSince(mark);
  ASSERT_EQ(reads.points().size(), 1u);
  EXPECT_EQ(reads.points()[0]->key, "before");
  EXPECT_EQ(reads.ranges().size(), 1u);
  EXPECT_EQ(reads.bytes(), bytes);
  EXPECT_NE(reads.epoch(), epoch);
  reads.AddPoint(kA, "after");
  EXPECT_EQ(reads.points().size(), 2u) << "it can be noted again";
  reads.Clear();
  EXPECT_TRUE(reads.empty());
  EXPECT_EQ(reads.bytes(), 0u);
}

TEST(ReadSetTest, ARangeOnlyGrows) {
  ReadSet reads;
  const size_t range = reads.AddRange({kA, "f", "h"});
  reads.WidenRange(range, "g", "g");
  EXPECT_EQ(reads.ranges()[range].begin, "f");
  EXPECT_EQ(reads.ranges()[range].limit, "h");
  reads.WidenRange(range, "eee", "k");
  EXPECT_EQ(reads.ranges()[range].begin, "eee");
  EXPECT_EQ(reads.ranges()[range].limit, "k");
  EXPECT_EQ(reads.bytes(), 64u + 3 + 1);
  reads.WidenRange(range, "g", std::nullopt);
  reads.WidenRange(range, "g", "z");
  EXPECT_EQ(reads.ranges()[range].limit, std::nullopt);
}

}  // namespace
}  // namespace firn
