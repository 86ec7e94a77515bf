#include "engine/recent_writes.h"

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

constexpr KeyspaceId kA{1}, kB{2};

TEST(RecentWritesTest, KnowsTheLastWriteOfAKey) {
  RecentWrites recent(1 << 20);
  recent.Start({10});
  recent.Add(kA, "k", {11});
  recent.Add(kA, "k", {15});
  recent.Add(kB, "other", {16});
  EXPECT_EQ(recent.floor(kA), SequenceNumber{10});
  EXPECT_TRUE(recent.WasWritten(kA, "k", {10}));
  EXPECT_TRUE(recent.WasWritten(kA, "k", {14}));
  EXPECT_FALSE(recent.WasWritten(kA, "k", {15}));
  EXPECT_FALSE(recent.WasWritten(kA, "other", {10}));
  EXPECT_FALSE(recent.WasWritten(kB, "k", {10}));
}

TEST(RecentWritesTest, FindsWritesInARangeAndNoneAtItsLimit) {
  RecentWrites recent(1 << 20);
  recent.Start({0});
  recent.Add(kA, "b", {1});
  recent.Add(kA, "d", {2});
  EXPECT_EQ(recent.FindWritten(kA, "a", "c", {0}), "b");
  EXPECT_EQ(recent.FindWritten(kA, "b", "b", {0}), std::nullopt);
  EXPECT_EQ(recent.FindWritten(kA, "c", "d", {0}), std::nullopt);
  EXPECT_EQ(recent.FindWritten(kA, "c", std::nullopt, {0}), "d");
  EXPECT_EQ(recent.FindWritten(kA, "", "c", {1}), std::nullopt);
  EXPECT_EQ(recent.FindWritten(kB, "", std::nullopt, {0}), std::nullopt);
  EXPECT_EQ(recent.FindWritten(kA, "d", "a", {0}), std::nullopt) << "an inverted range";
}

TEST(RecentWritesTest, UnlistedWritesRaiseTheFloorOfTheirKeyspaceAlone) {
  RecentWrites recent(1 << 20);
  recent.Start({10});
  recent.Add(kA, "k", {11});
  recent.Add(kB, "k", {12});
  recent.ForgetThrough(kA, {20});
  EXPECT_EQ(recent.floor(kA), SequenceNumber{20});
  EXPECT_EQ(recent.floor(kB), SequenceNumber{10});
  EXPECT_FALSE(recent.WasWritten(kA, "k", {20}));
  recent.Add(kA, "k", {21});
  EXPECT_TRUE(recent.WasWritten(kA, "k", {20}));
  EXPECT_TRUE(recent.WasWritten(kB, "k", {11}));
}

TEST(RecentWritesTest, StoppingForgetsAllAndStartingAgainRaisesTheFloor) {
  RecentWrites recent(1 << 20);
  recent.Start({0});
  recent.Add(kA, "k", {1});
  recent.Stop();
  EXPECT_FALSE(recent.recording());
  EXPECT_EQ(recent.bytes(), 0u);
  recent.Start({9});
  EXPECT_EQ(recent.floor(kA), SequenceNumber{9});
  EXPECT_FALSE(recent.WasWritten(kA, "k", {9}));
}

TEST(RecentWritesTest, ForgetsWhatNobodyAsksFor) {
  RecentWrites recent(1 << 20);
  recent.Start({0});
  recent.Add(kA, "old", {1});
  recent.Add(kA, "again", {2});
  recent.MayForget({2});
  recent.Add(kA, "again", {3});
  EXPECT_EQ(recent.floor(kA), SequenceNumber{2});
  EXPECT_FALSE(recent.WasWritten(kA, "old", {2}));
  EXPECT_TRUE(recent.WasWritten(kA, "again", {2}));
}

TEST(RecentWritesTest, ABulkLoadCostsItsOwnKeyspaceTheOldWritesAndNoOther) {
  RecentWrites recent(64 << 10);
  recent.Start({0});
  recent.Add(kB, "account", {1});
  for (uint64_t i = 2; i < 5000; ++i) recent.Add(kA, "node" + std::to_string(i), {i});
  EXPECT_LE(recent.bytes(), size_t{64} << 10);
  EXPECT_GT(recent.floor(kA), SequenceNumber{1000});
  EXPECT_EQ(recent.floor(kB), SequenceNumber{0});
  EXPECT_TRUE(recent.WasWritten(kB, "account", {0}));
}

// Against a list of all writes: above its floor each answer is right.
TEST(RecentWritesTest, AnswersLikeAListOfAllWrites) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    RecentWrites recent(seed % 2 == 0 ? 1 << 20 : 4 << 10);
    std::vector<std::pair<KeyspaceId, std::string>> all = {{}};  // by sequence number
    recent.Start({0});
    const auto draw_key = [&] { return std::string(1, static_cast<char>('a' + random.Uniform(20))); };
    for (int step = 0; step < 1000; ++step) {
      if (random.OneIn(100)) {
        recent.Stop();
        recent.Start({all.size() - 1});
      }
      if (random.OneIn(20)) recent.MayForget({random.Uniform(all.size())});
      const KeyspaceId keyspace{1 + static_cast<uint32_t>(random.Uniform(2))};
      all.emplace_back(keyspace, draw_key());
      recent.Add(keyspace, all.back().second, {all.size() - 1});

      const KeyspaceId asked{1 + static_cast<uint32_t>(random.Uniform(2))};
      const uint64_t floor = recent.floor(asked).value;
      const SequenceNumber after{floor + random.Uniform(all.size() - floor)};
      const std::string key = draw_key(), begin = draw_key(), limit = draw_key();
      bool written = false, in_range = false;
      for (uint64_t i = after.value + 1; i < all.size(); ++i) {
        if (all[i].first != asked) continue;
        written = written || all[i].second == key;
        in_range = in_range || (all[i].second >= begin && all[i].second < limit);
      }
      ASSERT_EQ(recent.WasWritten(asked, key, after), written);
      const auto found = recent.FindWritten(asked, begin, limit, after);
      ASSERT_EQ(found.has_value(), in_range);
      if (found.has_value()) {
        ASSERT_TRUE(recent.WasWritten(asked, *found, after));
        ASSERT_TRUE(*found >= begin && *found < limit);
      }
    }
  }
}

}  // namespace
}  // namespace firn
