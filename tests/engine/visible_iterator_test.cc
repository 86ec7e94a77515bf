#include "engine/visible_iterator.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "engine/memtable.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vector_iterator.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<Iterator> Visible(std::vector<StoredEntry> entries, uint64_t sequence,
                                  std::string begin = "",
                                  std::optional<std::string> limit = std::nullopt) {
  VisibleIteratorParts parts;
  parts.source = NewVectorIterator(std::move(entries));
  parts.sequence = {sequence};
  parts.begin = std::move(begin);
  parts.limit = std::move(limit);
  return NewVisibleIterator(std::move(parts));
}

Pairs Forward(Iterator& iterator) {
  Pairs pairs;
  for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
    pairs.emplace_back(iterator.key(), iterator.value());
  }
  EXPECT_OK(iterator.status());
  return pairs;
}

Pairs Backward(Iterator& iterator) {
  Pairs pairs;
  for (iterator.SeekToLast(); iterator.Valid(); iterator.Prev()) {
    pairs.emplace(pairs.begin(), iterator.key(), iterator.value());
  }
  EXPECT_OK(iterator.status());
  return pairs;
}

TEST(VisibleIteratorTest, ShowsTheNewestVisibleVersionAndHidesTombstones) {
  const std::vector<StoredEntry> entries = {
      MakePut("a", 1, "a1"), MakePut("a", 4, "a4"),  MakePut("b", 2, "b2"), MakeTombstone("b", 3),
      MakePut("c", 9, "c9"), MakeTombstone("d", 5), MakePut("d", 6, "d6")};
  EXPECT_THAT(Forward(*Visible(entries, 2)), ElementsAre(std::pair("a", "a1"), std::pair("b", "b2")));
  EXPECT_THAT(Forward(*Visible(entries, 5)), ElementsAre(std::pair("a", "a4")));
  EXPECT_THAT(Backward(*Visible(entries, 8)),
              ElementsAre(std::pair("a", "a4"), std::pair("d", "d6")));
  EXPECT_THAT(Forward(*Visible(entries, 0)), IsEmpty());
  EXPECT_THAT(Backward(*Visible({}, 5)), IsEmpty());
}

TEST(VisibleIteratorTest, KeysWithThousandsOfVersionsAreLeftBySeeks) {
  std::vector<StoredEntry> entries = {MakePut("a", 1, "a"), MakePut("z", 2, "z")};
  for (uint64_t i = 3; i < 3000; ++i) entries.push_back(MakePut("hot", i, std::to_string(i)));
  for (const uint64_t sequence : {2u, 3u, 10u, 12u, 1500u, 2999u}) {
    Pairs expected = {{"a", "a"}, {"z", "z"}};
    if (sequence >= 3) expected.insert(expected.begin() + 1, {"hot", std::to_string(sequence)});
    EXPECT_EQ(Forward(*Visible(entries, sequence)), expected);
    EXPECT_EQ(Backward(*Visible(entries, sequence)), expected);
  }
  entries.push_back(MakeTombstone("hot", 3000));
  EXPECT_THAT(Forward(*Visible(entries, 3000)), ElementsAre(std::pair("a", "a"), std::pair("z", "z")));
  EXPECT_THAT(Backward(*Visible(entries, 3000)), ElementsAre(std::pair("a", "a"), std::pair("z", "z")));
}

TEST(VisibleIteratorTest, AnErrorOfTheSourceEndsTheWalkAndIsReported) {
  VisibleIteratorParts parts;
  parts.source = std::make_unique<VectorIterator>(std::vector<StoredEntry>{MakePut("a", 1, "x")},
                                                  absl::DataLossError("block"));
  parts.sequence = {5};
  const auto iterator = NewVisibleIterator(std::move(parts));
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  iterator->Next();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_THAT(iterator->status(), StatusIs(absl::StatusCode::kDataLoss));
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
}

TEST(VisibleIteratorTest, AMalformedKeyIsAnError) {
  for (const bool forward : {true, false}) {
    StoredEntry bad = MakePut("b", 1, "x");
    bad.key[1] = '\x09';  // the kind
    const auto iterator = Visible({MakePut("a", 1, "x"), bad, MakePut("c", 1, "x")}, 5);
    if (forward) {
      for (iterator->SeekToFirst(); iterator->Valid();) iterator->Next();
    } else {
      for (iterator->SeekToLast(); iterator->Valid();) iterator->Prev();
    }
    EXPECT_THAT(iterator->status(), StatusIs(absl::StatusCode::kDataLoss));
    iterator->SeekToFirst();
    EXPECT_FALSE(iterator->Valid());
  }
}

TEST(VisibleIteratorTest, WhatStandsBeforeAMalformedKeyIsShownFirst) {
  for (size_t good = 0; good < 80; ++good) {
    std::vector<StoredEntry> entries;
    for (size_t i = 0; i < 80; ++i) {
      entries.push_back(MakePut(std::string(1, static_cast<char>('!' + i)), 1, "x"));
    }
    entries[good].key[1] = '\x09';  // the kind
    const auto iterator = Visible(entries, 5);
    size_t seen = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      ASSERT_OK(iterator->status());
      ++seen;
    }
    EXPECT_EQ(seen, good);
    EXPECT_THAT(iterator->status(), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(VisibleIteratorTest, ReleasesThePinsAfterTheSource) {
  auto memtable = Memtable::Create();
  memtable->Add({1}, EntryKind::kPut, "a", "x");
  auto pin = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = pin;
  VisibleIteratorParts parts;
  parts.source = memtable->NewIterator();
  parts.sequence = {1};
  parts.pins = {std::move(pin), std::move(memtable)};
  auto iterator = NewVisibleIterator(std::move(parts));
  EXPECT_THAT(Forward(*iterator), ElementsAre(std::pair("a", "x")));
  EXPECT_FALSE(watch.expired());
  iterator.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(VisibleIteratorTest, AnEmptyIteratorCarriesItsStatus) {
  const auto iterator = NewEmptyIterator(absl::FailedPreconditionError("dropped"));
  iterator->SeekToFirst();
  iterator->Next();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_THAT(iterator->status(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A map of what a reader at `sequence` sees within the bounds.
std::map<std::string, std::string> Model(std::vector<StoredEntry> entries, uint64_t sequence,
                                         const std::string& begin,
                                         const std::optional<std::string>& limit) {
  std::sort(entries.begin(), entries.end(), InKeyOrder);
  std::map<std::string, std::string> model;
  std::optional<std::string> decided;
  for (const StoredEntry& entry : entries) {
    const std::string key(UserKeyOf(entry.key));
    if (SequenceOf(entry.key).value > sequence || decided == key) continue;
    decided = key;
    if (key < begin || (limit.has_value() && key >= *limit)) continue;
    if (KindOf(entry.key) == EntryKind::kPut) model[key] = entry.value;
  }
  return model;
}

// Moves at random over iterator and map, and compares after each move.
void WalkAtRandom(Random& random, Iterator& iterator,
                  const std::map<std::string, std::string>& model) {
  auto expected = model.end();
  for (int step = 0; step < 400; ++step) {
    const uint64_t move = random.Uniform(12);
    const std::string target = RandomKey(random, 3);
    if (move == 0) {
      iterator.SeekToFirst();
      expected = model.begin();
    } else if (move == 1) {
      iterator.SeekToLast();
      expected = model.empty() ? model.end() : std::prev(model.end());
    } else if (move == 2) {
      iterator.Seek(target);
      expected = model.lower_bound(target);
    } else if (move == 3) {
      iterator.SeekForPrev(target);
      expected = model.upper_bound(target);
      expected = expected == model.begin() ? model.end() : std::prev(expected);
    } else if (expected == model.end()) {
      continue;
    } else if (move < 8) {
      iterator.Next();
      ++expected;
    } else {
      iterator.Prev();
      expected = expected == model.begin() ? model.end() : std::prev(expected);
    }
    ASSERT_EQ(iterator.Valid(), expected != model.end()) << "step " << step;
    ASSERT_OK(iterator.status());
    if (expected == model.end()) continue;
    ASSERT_EQ(iterator.key(), expected->first);
    ASSERT_EQ(iterator.value(), expected->second);
  }
}

TEST(VisibleIteratorTest, AgreesWithAMapUnderAnyMovesBoundsAndNumbers) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<StoredEntry> entries;
    const uint64_t count = random.Uniform(200);
    const size_t key_size_max = 1 + random.Uniform(3);
    for (uint64_t i = 1; i <= count; ++i) {
      const std::string key = RandomKey(random, key_size_max);
      entries.push_back(random.OneIn(3) ? MakeTombstone(key, i) : MakePut(key, i, RandomKey(random, 9)));
    }
    const std::string begin = random.OneIn(2) ? "" : RandomKey(random, 2);
    std::optional<std::string> limit;
    if (random.OneIn(2)) limit = RandomKey(random, 2);
    const uint64_t sequence = random.Uniform(count + 2);
    const auto iterator = Visible(entries, sequence, begin, limit);
    WalkAtRandom(random, *iterator, Model(entries, sequence, begin, limit));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace firn
