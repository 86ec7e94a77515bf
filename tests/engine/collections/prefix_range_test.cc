#include "firn/prefix_range.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "base/random.h"
#include "firn/composite_key.h"
#include "firn/database.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(PrefixRangeTest, TheSuccessorCountsUpTheLastByteThatCan) {
  EXPECT_EQ(PrefixSuccessor("a"), "b");
  EXPECT_EQ(PrefixSuccessor("a\xff"), "b");
  EXPECT_EQ(PrefixSuccessor("a\xff\xff"), "b");
  EXPECT_EQ(PrefixSuccessor("a\x7f"), "a\x80");
  EXPECT_EQ(PrefixSuccessor("\xff\xff"), std::nullopt);
  EXPECT_EQ(PrefixSuccessor(""), std::nullopt);
}

// Keys of few different bytes, 00 and FF among them: prefixes meet often.
std::string DrawKey(Random& random, uint64_t size_max) {
  constexpr char kBytes[] = {'\x00', '\x01', 'a', '\xfe', '\xff'};
  std::string key;
  for (uint64_t i = random.Uniform(size_max + 1); i > 0; --i) key += kBytes[random.Uniform(5)];
  return key;
}

TEST(PrefixRangeTest, AScanIsWhatAFilterOfAllKeysGivesInBothDirections) {
  Options options;
  options.storage = Storage::kMemory;
  const auto database = Database::Open("store", options).value();
  const Keyspace notes = database->CreateKeyspace("notes", {}).value();
  Random random(7);
  std::set<std::string> all;
  WriteBatch batch;
  for (int i = 0; i < 800; ++i) {
    const std::string key = DrawKey(random, 6);
    all.insert(key);
    batch.Put(notes, key, "v");
  }
  ASSERT_OK(database->Write(batch, Durability::kBuffered));
  for (int i = 0; i < 500; ++i) {
    const std::string prefix = DrawKey(random, 4);
    std::vector<std::string> expected, forward, backward;
    for (const std::string& key : all) {
      if (absl::StartsWith(key, prefix)) expected.push_back(key);
    }
    const auto iterator = notes.NewIterator(PrefixRange(prefix));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      forward.emplace_back(iterator->key());
    }
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
      backward.emplace(backward.begin(), iterator->key());
    }
    ASSERT_OK(iterator->status());
    ASSERT_EQ(forward, expected);
    ASSERT_EQ(backward, expected);
  }
}

TEST(PrefixRangeTest, SelectsTheRowsBelowTheFirstPartsOfACompositeKey) {
  Options options;
  options.storage = Storage::kMemory;
  const auto database = Database::Open("store", options).value();
  const Keyspace rows = database->CreateKeyspace("rows", {}).value();
  for (const auto encode : {EncodeOrderedKey, EncodeLengthPrefixedKey}) {
    WriteBatch batch;
    for (const char* const org : {"a", "aa", "b"}) {
      for (const char* const table : {"t1", "t\xff", ""}) {
        for (const char* const row : {"1", "2"}) batch.Put(rows, encode({org, table, row}), "v");
      }
    }
    ASSERT_OK(database->Write(batch, Durability::kBuffered));
    const auto count = [&](std::vector<absl::string_view> parts) {
      int found = 0;
      const auto iterator = rows.NewIterator(PrefixRange(encode(parts)));
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++found;
      return found;
    };
    EXPECT_EQ(count({"a"}), 6);
    EXPECT_EQ(count({"a", "t\xff"}), 2);
    EXPECT_EQ(count({"a", "t"}), 0);
    EXPECT_EQ(count({"b", "", "2"}), 1);
    batch.Clear();
    const auto iterator = rows.NewIterator();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      batch.Remove(rows, iterator->key());
    }
    ASSERT_OK(database->Write(batch, Durability::kBuffered));
  }
}

}  // namespace
}  // namespace firn
