#include "engine/hash_memtable.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/vector_iterator.h"

namespace firn {
namespace {

// What it has in common with others is in memtable_test.cc.

TEST(HashMemtableTest, AFlushTakesEntriesInTheOrderInWhichTheyCame) {
  const auto memtable = std::make_shared<HashMemtable>();
  std::vector<StoredEntry> expected;
  Random random(1);
  for (uint64_t i = 1; i <= 1000; ++i) {
    const std::string key = absl::StrCat(random.Uniform(300));
    expected.push_back(MakePut(key, i, absl::StrCat(i)));
    memtable->Add({i}, EntryKind::kPut, key, absl::StrCat(i));
  }
  const auto iterator = memtable->NewFlushIterator();
  std::vector<StoredEntry> found;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    found.push_back({std::string(iterator->key()), std::string(iterator->value())});
  }
  EXPECT_EQ(found, expected);
}

TEST(HashMemtableTest, VersionsThatComeOutOfOrderAreFoundByTheirNumbers) {
  const auto memtable = std::make_shared<HashMemtable>();
  for (const uint64_t sequence : {30u, 10u, 50u, 20u, 40u}) {
    memtable->Add({sequence}, EntryKind::kPut, "key", absl::StrCat(sequence));
  }
  EXPECT_EQ(memtable->Get("key", {9}), std::nullopt);
  for (uint64_t sequence = 10; sequence < 60; ++sequence) {
    EXPECT_EQ(memtable->Get("key", {sequence})->value, absl::StrCat(sequence / 10 * 10));
  }
}

TEST(HashMemtableTest, AReservedTableGrowsNoMoreAndKeepsWhatItHad) {
  const auto memtable = std::make_shared<HashMemtable>();
  for (uint64_t i = 1; i <= 1000; ++i) memtable->Add({i}, EntryKind::kPut, absl::StrCat(i), "");
  memtable->Reserve(50'000);
  memtable->Reserve(10);  // a smaller guess changes nothing
  memtable->Add({1001}, EntryKind::kPut, "1001", "");
  const size_t before = memtable->ApproximateMemory();
  for (uint64_t i = 1002; i <= 51'000; ++i) {
    memtable->Add({i}, EntryKind::kPut, absl::StrCat(i), "");
  }
  EXPECT_LT(memtable->ApproximateMemory() - before, 50'000u * 64) << "entries, and no table";
  for (uint64_t i = 1; i <= 51'000; ++i) {
    ASSERT_TRUE(memtable->Get(absl::StrCat(i), {60'000}).has_value()) << i;
  }
}

TEST(HashMemtableTest, AnIteratorStaysAsItWasAndALaterOneHasTheRest) {
  const auto memtable = std::make_shared<HashMemtable>();
  Random random(2);
  std::vector<StoredEntry> model;
  for (int round = 0; round < 20; ++round) {
    const auto before = memtable->NewIterator();
    const std::vector<StoredEntry> expected = model;
    for (int i = 0; i < 30; ++i) {
      const std::string key = absl::StrCat(random.Uniform(100));
      model.push_back(MakePut(key, model.size() + 1, key));
      memtable->Add({model.size()}, EntryKind::kPut, key, key);
    }
    VectorIterator old_model(expected);
    EXPECT_EQ(ReadAll(*before), ReadAll(old_model));
    VectorIterator new_model(model);
    EXPECT_EQ(ReadAll(*memtable->NewIterator()), ReadAll(new_model));
  }
}

TEST(HashMemtableTest, ManyLookupsFindWhatEachFindsAlone) {
  Random random(71);
  for (int round = 0; round < 30; ++round) {
    const auto memtable = std::make_shared<HashMemtable>();
    const uint64_t count = 1 + random.Uniform(3000);
    for (uint64_t i = 1; i <= count; ++i) {
      const bool is_tombstone = random.OneIn(8);
      memtable->Add({i}, is_tombstone ? EntryKind::kTombstone : EntryKind::kPut,
                    absl::StrCat("key", random.Uniform(count)), is_tombstone ? "" : absl::StrCat(i));
    }
    std::vector<std::string> keys(random.Uniform(200));
    std::vector<SegmentLookup> lookups(keys.size());
    std::vector<SegmentLookup*> pointers;
    for (size_t i = 0; i < keys.size(); ++i) {
      keys[i] = absl::StrCat("key", random.Uniform(2 * count));
      lookups[i].user_key = keys[i];
      pointers.push_back(&lookups[i]);
    }
    const SequenceNumber sequence{random.Uniform(count + 1)};
    memtable->GetMany(pointers, sequence);
    for (const SegmentLookup& lookup : lookups) {
      const auto alone = memtable->Get(lookup.user_key, sequence);
      ASSERT_EQ(lookup.found.has_value(), alone.has_value()) << lookup.user_key;
      if (!alone.has_value()) continue;
      EXPECT_EQ(lookup.found->value, alone->value);
      EXPECT_EQ(lookup.found->kind, alone->kind);
      EXPECT_EQ(lookup.found->pin, memtable);
    }
  }
}

TEST(HashMemtableTest, ReadersFindEveryPublishedKeyWhileTheTableGrows) {
  const auto memtable = std::make_shared<HashMemtable>();
  constexpr uint64_t kKeys = 20000;
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> failures{0};
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kKeys; ++i) {
      memtable->Add({i}, EntryKind::kPut, absl::StrCat("key", i), absl::StrCat(i));
      published.store(i, std::memory_order_release);
    }
  });
  std::vector<std::thread> readers;
  for (uint64_t seed = 0; seed < 2; ++seed) {
    readers.emplace_back([&, seed] {
      Random random(seed);
      for (uint64_t sequence = 0; sequence < kKeys;) {
        sequence = published.load(std::memory_order_acquire);
        if (sequence == 0) continue;
        const uint64_t some = 1 + random.Uniform(sequence);
        const auto found = memtable->Get(absl::StrCat("key", some), {sequence});
        if (!found.has_value() || found->value != absl::StrCat(some)) failures.fetch_add(1);
        if (random.OneIn(500)) {
          const auto iterator = memtable->NewIterator();
          uint64_t count = 0;
          for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++count;
          if (count < sequence) failures.fetch_add(1);
        }
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failures.load(), 0);
}

}  // namespace
}  // namespace firn
