#include "engine/memtable.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"
#include "tests/support/vector_iterator.h"

namespace firn {
namespace {

// What any keys may be put into; the sequence layout has its own test.
class MemtableTest : public testing::TestWithParam<KeyspaceLayout> {
 protected:
  static std::shared_ptr<Memtable> Create() { return Memtable::Create(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Layouts, MemtableTest,
                         testing::Values(KeyspaceLayout::kOrdered, KeyspaceLayout::kHashed),
                         [](const auto& test) {
                           return test.param == KeyspaceLayout::kOrdered ? "Ordered" : "Hashed";
                         });

TEST_P(MemtableTest, IsEmptyAtFirst) {
  const auto memtable = Create();
  EXPECT_TRUE(memtable->empty());
  EXPECT_EQ(memtable->smallest_sequence(), SequenceNumber{0});
  EXPECT_EQ(memtable->largest_sequence(), SequenceNumber{0});
  EXPECT_EQ(memtable->Get("key", kMaxSequenceNumber), std::nullopt);
  const auto iterator = memtable->NewIterator();
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
}

TEST_P(MemtableTest, AReadSeesTheNewestEntryAtOrBelowItsNumber) {
  const auto memtable = Create();
  memtable->Add({10}, EntryKind::kPut, "key", "old");
  memtable->Add({20}, EntryKind::kTombstone, "key", "");
  memtable->Add({30}, EntryKind::kPut, "key", "new");
  memtable->Add({5}, EntryKind::kPut, "key2", "other");
  EXPECT_EQ(memtable->Get("key", {9}), std::nullopt);
  EXPECT_EQ(memtable->Get("key", {10})->value, "old");
  EXPECT_EQ(memtable->Get("key", {29})->kind, EntryKind::kTombstone);
  EXPECT_EQ(memtable->Get("key", kMaxSequenceNumber)->value, "new");
  EXPECT_EQ(memtable->Get("ke", kMaxSequenceNumber), std::nullopt);
  EXPECT_EQ(memtable->Get("key3", kMaxSequenceNumber), std::nullopt);
  EXPECT_EQ(memtable->smallest_sequence(), SequenceNumber{5});
  EXPECT_EQ(memtable->largest_sequence(), SequenceNumber{30});
  EXPECT_EQ(memtable->entry_count(), 4);
}

TEST_P(MemtableTest, AgreesWithAModelForAnyKeysAndValues) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto memtable = Create();
    std::vector<StoredEntry> model;
    const uint64_t count = 500;
    for (uint64_t i = 1; i <= count; ++i) {
      const std::string key = RandomKey(random, random.OneIn(50) ? 400 : 3);
      if (random.OneIn(4)) {
        model.push_back(MakeTombstone(key, i));
        memtable->Add({i}, EntryKind::kTombstone, key, "");
      } else {
        model.push_back(MakePut(key, i, RandomValue(random, random.OneIn(100) ? 100000 : 200)));
        memtable->Add({i}, EntryKind::kPut, key, model.back().value);
      }
    }
    const auto iterator = memtable->NewIterator();
    VectorIterator expected(model);
    EXPECT_EQ(ReadAll(*iterator), ReadAll(expected));

    iterator->SeekToLast();
    expected.SeekToLast();
    for (uint64_t i = 0; i < 3000; ++i) {
      const uint64_t move = random.Uniform(8);
      if (move == 0 || !expected.Valid()) {
        const std::string target = EncodeInternalKey(
            {.user_key = RandomKey(random, 3), .sequence = {random.Uniform(count + 2)}});
        iterator->Seek(target);
        expected.Seek(target);
      } else if (move < 4) {
        iterator->Next();
        expected.Next();
      } else {
        iterator->Prev();
        expected.Prev();
      }
      ASSERT_EQ(iterator->Valid(), expected.Valid());
      if (!expected.Valid()) continue;
      ASSERT_EQ(iterator->key(), expected.key());
      ASSERT_EQ(iterator->value(), expected.value());
      const absl::string_view key = UserKeyOf(expected.key());
      const auto found = memtable->Get(key, SequenceOf(expected.key()));
      ASSERT_TRUE(found.has_value());
      ASSERT_EQ(found->value, expected.value());
      ASSERT_EQ(found->kind, KindOf(expected.key()));
    }
  }
}

TEST_P(MemtableTest, ManyAtOnceAreTheSameAsOneByOne) {
  Random random(3);
  const auto one = Create();
  const auto many = Create();
  uint64_t sequence = 0;
  for (int batch = 0; batch < 50; ++batch) {
    std::vector<std::string> keys(random.Uniform(100));
    for (std::string& key : keys) key = RandomKey(random, 4);
    std::vector<MemtableEntry> entries;
    for (const std::string& key : keys) {
      entries.push_back({{++sequence}, EntryKind::kPut, key, key});
      one->Add({sequence}, EntryKind::kPut, key, key);
    }
    many->AddMany(entries);
  }
  EXPECT_EQ(many->entry_count(), one->entry_count());
  EXPECT_EQ(many->smallest_sequence(), one->smallest_sequence());
  EXPECT_EQ(many->largest_sequence(), one->largest_sequence());
  EXPECT_EQ(ReadAll(*many->NewIterator()), ReadAll(*one->NewIterator()));
}

TEST_P(MemtableTest, CountsItsMemory) {
  const auto memtable = Create();
  const size_t before = memtable->ApproximateMemory();
  EXPECT_LT(before, 1024);
  for (uint64_t i = 1; i <= 1000; ++i) {
    memtable->Add({i}, EntryKind::kPut, absl::StrCat("key", i), std::string(100, 'v'));
  }
  const size_t grown = memtable->ApproximateMemory() - before;
  EXPECT_GT(grown, 1000 * 110);
  EXPECT_LT(grown, 1000 * 200);
}

TEST_P(MemtableTest, AnIteratorKeepsItsMemtable) {
  auto memtable = Create();
  memtable->Add({1}, EntryKind::kPut, "key", "value");
  const auto iterator = memtable->NewIterator();
  memtable.reset();
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->value(), "value");
}

TEST_P(MemtableTest, ReadersAtAPublishedNumberSeeAllOfItWhileTheWriterAdds) {
  const auto memtable = Create();
  constexpr uint64_t kRounds = 4000;
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> failures{0};
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kRounds; ++i) {
      // Two keys that must always agree at a published number.
      memtable->Add({2 * i - 1}, EntryKind::kPut, "left", absl::StrCat(i));
      memtable->Add({2 * i}, EntryKind::kPut, "right", absl::StrCat(i));
      published.store(2 * i, std::memory_order_release);
    }
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (true) {
        const uint64_t sequence = published.load(std::memory_order_acquire);
        if (sequence == 0) continue;
        const auto left = memtable->Get("left", {sequence});
        const auto right = memtable->Get("right", {sequence});
        if (!left || !right || left->value != right->value ||
            left->value != absl::StrCat(sequence / 2)) {
          failures.fetch_add(1);
        }
        if (sequence == 2 * kRounds) return;
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failures.load(), 0);
}

}  // namespace
}  // namespace firn
