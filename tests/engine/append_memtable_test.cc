#include "engine/append_memtable.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "sstable/sequence_key.h"
#include "tests/support/vector_iterator.h"

namespace firn {
namespace {

std::string Key(uint64_t number) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), number);
  return key;
}

TEST(AppendMemtableTest, AgreesWithAModelWhateverTheGaps) {
  for (const uint64_t gap_max : {uint64_t{1}, uint64_t{3}, uint64_t{1000000}}) {
    Random random(gap_max);
    const auto memtable = std::make_shared<AppendMemtable>();
    std::vector<StoredEntry> model;
    uint64_t number = random.Uniform(10);
    for (uint64_t i = 1; i <= 3000; ++i) {
      number += random.OneIn(100) ? 1'000'000'000 : 1 + random.Uniform(gap_max);
      model.push_back(MakePut(Key(number), i, absl::StrCat("value", i)));
      memtable->Add({i}, EntryKind::kPut, Key(number), model.back().value);
    }
    const auto iterator = memtable->NewIterator();
    VectorIterator expected(model);
    EXPECT_EQ(ReadAll(*iterator), ReadAll(expected));
    for (int i = 0; i < 3000; ++i) {
      std::string key = random.OneIn(2) ? Key(random.Uniform(number + 10))
                                        : std::string(UserKeyOf(model[random.Uniform(3000)].key));
      if (random.OneIn(4)) key.resize(random.Uniform(10), '\xff');
      const uint64_t sequence = random.Uniform(3002);
      const std::string target = EncodeInternalKey({.user_key = key, .sequence = {sequence}});
      iterator->Seek(target);
      expected.Seek(target);
      const auto found = memtable->Get(key, {sequence});
      const bool is_there = expected.Valid() && UserKeyOf(expected.key()) == key;
      ASSERT_EQ(found.has_value(), is_there);
      for (int moves = 0;; ++moves) {
        ASSERT_EQ(iterator->Valid(), expected.Valid());
        if (!expected.Valid() || moves == 3) break;
        ASSERT_EQ(iterator->key(), expected.key());
        ASSERT_EQ(iterator->value(), expected.value());
        const bool back = random.OneIn(2);
        back ? iterator->Prev() : iterator->Next();
        back ? expected.Prev() : expected.Next();
      }
    }
    iterator->SeekToLast();
    EXPECT_EQ(iterator->key(), model.back().key);
  }
}

TEST(AppendMemtableTest, IsEmptyAtFirst) {
  const auto memtable = std::make_shared<AppendMemtable>();
  EXPECT_EQ(memtable->ApproximateMemory(), 0u);
  EXPECT_EQ(memtable->Get(Key(0), kMaxSequenceNumber), std::nullopt);
  const auto iterator = memtable->NewIterator();
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
}

TEST(AppendMemtableTest, ReadersFindEveryPublishedKeyWhileTheWriterAdds) {
  const auto memtable = std::make_shared<AppendMemtable>();
  constexpr uint64_t kKeys = 20000;
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> failures{0};
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kKeys; ++i) {
      memtable->Add({i}, EntryKind::kPut, Key(i), absl::StrCat(i));
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
        const auto found = memtable->Get(Key(some), {sequence});
        if (!found.has_value() || found->value != absl::StrCat(some)) failures.fetch_add(1);
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(failures.load(), 0);
}

TEST(AppendMemtableTest, SearchTargetsOfAnySizeHaveAPlaceAmongTheNumbers) {
  EXPECT_EQ(LoadSequenceKeyAtOrAfter(""), 0u);
  EXPECT_EQ(LoadSequenceKeyAtOrAfter(Key(7)), 7u);
  EXPECT_EQ(LoadSequenceKeyAtOrAfter(Key(7) + "x"), 8u);
  EXPECT_EQ(LoadSequenceKeyAtOrAfter(Key(UINT64_MAX) + "x"), std::nullopt);
  EXPECT_EQ(LoadSequenceKeyAtOrAfter("\x01"), uint64_t{1} << 56);
}

}  // namespace
}  // namespace firn
