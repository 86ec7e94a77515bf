#include "compaction/garbage_collector.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sstable/internal_key.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vector_iterator.h"

namespace firn {
namespace {

using ::testing::ElementsAre;

std::vector<StoredEntry> Collect(std::vector<StoredEntry> entries,
                                 std::vector<SequenceNumber> snapshots, bool may_exist_below) {
  GarbageCollector collector(
      NewVectorIterator(std::move(entries)),
      {.snapshots = std::move(snapshots),
       .key_may_exist_below = [=](absl::string_view) { return may_exist_below; }});
  std::vector<StoredEntry> passed = ReadAll(collector);
  EXPECT_OK(collector.status());
  return passed;
}

TEST(GarbageCollectorTest, WithoutSnapshotsOnlyTheNewestVersionPasses) {
  EXPECT_THAT(Collect({MakePut("a", 1, "x"), MakePut("a", 2, "y"), MakePut("b", 3, "z")}, {}, true),
              ElementsAre(MakePut("a", 2, "y"), MakePut("b", 3, "z")));
}

TEST(GarbageCollectorTest, AVersionThatASnapshotSeesPasses) {
  const std::vector<StoredEntry> entries = {MakePut("a", 1, "x"), MakePut("a", 4, "y"),
                                            MakePut("a", 6, "z")};
  EXPECT_THAT(Collect(entries, {{4}}, true), ElementsAre(MakePut("a", 6, "z"), MakePut("a", 4, "y")));
  EXPECT_THAT(Collect(entries, {{3}, {5}}, true),
              ElementsAre(MakePut("a", 6, "z"), MakePut("a", 4, "y"), MakePut("a", 1, "x")));
  EXPECT_THAT(Collect(entries, {{0}}, true), ElementsAre(MakePut("a", 6, "z")));
}

TEST(GarbageCollectorTest, ATombstoneStaysWhileItHidesSomething) {
  const std::vector<StoredEntry> entries = {MakePut("a", 1, "x"), MakeTombstone("a", 2)};
  EXPECT_THAT(Collect(entries, {}, true), ElementsAre(MakeTombstone("a", 2)));
  EXPECT_THAT(Collect(entries, {}, false), ElementsAre());
  // A snapshot below it still sees the put, which it hides from everyone else.
  EXPECT_THAT(Collect(entries, {{1}}, false),
              ElementsAre(MakeTombstone("a", 2), MakePut("a", 1, "x")));
}

TEST(GarbageCollectorTest, CountsWhatItDropped) {
  GarbageCollector collector(
      NewVectorIterator({MakePut("a", 1, "x"), MakePut("a", 2, "y"), MakeTombstone("b", 3),
                         MakePut("b", 1, "x"), MakePut("c", 4, "z")}),
      {.key_may_exist_below = [](absl::string_view) { return false; }});
  EXPECT_EQ(ReadAll(collector).size(), 2);
  EXPECT_EQ(collector.counts().passed, 2);
  EXPECT_EQ(collector.counts().shadowed, 2);
  EXPECT_EQ(collector.counts().tombstones, 1);
}

TEST(GarbageCollectorTest, ErrorsOfTheSourceAndMalformedKeysEndTheStream) {
  const auto below = [](absl::string_view) { return true; };
  GarbageCollector failing(std::make_unique<VectorIterator>(
                               std::vector<StoredEntry>{MakePut("a", 1, "x")},
                               absl::DataLossError("block")),
                           {.key_may_exist_below = below});
  EXPECT_EQ(ReadAll(failing).size(), 1);
  EXPECT_THAT(failing.status(), StatusIs(absl::StatusCode::kDataLoss));
  StoredEntry bad = MakePut("b", 1, "x");
  bad.key[1] = '\x07';
  GarbageCollector malformed(NewVectorIterator({MakePut("a", 1, "x"), bad}),
                             {.key_may_exist_below = below});
  EXPECT_EQ(ReadAll(malformed).size(), 1);
  EXPECT_THAT(malformed.status(), HasReason(ErrorReason::kCorruption));
}

// Key -> the entry that a reader at `sequence` finds.
std::map<std::string, StoredEntry> VisibleAt(std::vector<StoredEntry> entries,
                                             SequenceNumber sequence) {
  std::sort(entries.begin(), entries.end(), InKeyOrder);
  std::map<std::string, StoredEntry> visible;
  for (const StoredEntry& entry : entries) {
    if (SequenceOf(entry.key) <= sequence) {
      visible.emplace(std::string(UserKeyOf(entry.key)), entry);
    }
  }
  return visible;
}

std::map<std::string, std::string> ValuesAt(std::vector<StoredEntry> entries,
                                            SequenceNumber sequence) {
  std::map<std::string, std::string> values;
  for (const auto& [key, entry] : VisibleAt(std::move(entries), sequence)) {
    if (KindOf(entry.key) == EntryKind::kPut) values[key] = entry.value;
  }
  return values;
}

struct Case {
  std::vector<StoredEntry> below;   // older than all of `entries`
  std::vector<StoredEntry> entries;
  std::vector<SequenceNumber> readers;  // snapshots, then "now"
};

Case RandomCase(Random& random) {
  Case c;
  const uint64_t below_count = random.Uniform(20);
  const uint64_t count = random.Uniform(80);
  for (uint64_t i = 1; i <= below_count + count; ++i) {
    const std::string key = RandomKey(random, 1);
    const StoredEntry entry =
        random.OneIn(3) ? MakeTombstone(key, i) : MakePut(key, i, std::to_string(i));
    (i <= below_count ? c.below : c.entries).push_back(entry);
  }
  std::set<SequenceNumber> snapshots;
  for (uint64_t n = random.Uniform(5); n > 0; --n) {
    snapshots.insert({random.Uniform(below_count + count + 2)});
  }
  c.readers.assign(snapshots.begin(), snapshots.end());
  c.readers.push_back(kMaxSequenceNumber);
  return c;
}

// The model keeps everything. No reader can tell the difference, and nothing stays that no reader
// needs.
TEST(GarbageCollectorTest, NoReaderMissesAnythingAndNothingElseStays) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Case c = RandomCase(random);
    const auto exists_below = [&](absl::string_view key) {
      return std::any_of(c.below.begin(), c.below.end(), [&](const StoredEntry& entry) {
        return UserKeyOf(entry.key) == key;
      });
    };
    GarbageCollector collector(
        NewVectorIterator(c.entries),
        {.snapshots = {c.readers.begin(), std::prev(c.readers.end())},
         .key_may_exist_below = exists_below});
    const std::vector<StoredEntry> passed = ReadAll(collector);

    std::vector<StoredEntry> all = c.below;
    all.insert(all.end(), c.entries.begin(), c.entries.end());
    std::vector<StoredEntry> kept = c.below;
    kept.insert(kept.end(), passed.begin(), passed.end());
    std::set<std::string> needed;
    for (const SequenceNumber reader : c.readers) {
      ASSERT_EQ(ValuesAt(kept, reader), ValuesAt(all, reader)) << "at " << reader.value;
      for (const auto& [key, entry] : VisibleAt(c.entries, reader)) {
        const bool hides_nothing = KindOf(entry.key) == EntryKind::kTombstone &&
                                   SequenceOf(entry.key) <= c.readers.front() &&
                                   !exists_below(key);
        if (!hides_nothing) needed.insert(entry.key);
      }
    }
    for (const StoredEntry& entry : passed) {
      ASSERT_TRUE(needed.contains(entry.key)) << SequenceOf(entry.key).value;
    }
    ASSERT_EQ(passed.size(), needed.size());
  }
}

}  // namespace
}  // namespace firn
