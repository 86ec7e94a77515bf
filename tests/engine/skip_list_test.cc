#include "engine/skip_list.h"

#include <atomic>
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include "base/arena.h"
#include "base/coding.h"
#include "base/random.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

// Entries of exactly eight bytes.
struct EightBytes {
  int operator()(const char* entry, absl::string_view target) const {
    return absl::string_view(entry, 8).compare(target);
  }
};
using List = SkipList<EightBytes>;

std::string KeyOf(uint64_t number) {
  std::string key;
  PutBigEndian64(key, number);
  return key;
}
uint64_t NumberOf(const List::Node* node) {
  return LoadBigEndian64(reinterpret_cast<const uint8_t*>(node->entry()));
}
void Insert(List& list, uint64_t number) {
  const List::Fresh fresh = list.Allocate(8);
  std::memcpy(fresh.entry, KeyOf(number).data(), 8);
  list.Insert(fresh, absl::string_view(fresh.entry, 8));
}

TEST(SkipListTest, AnEmptyListFindsNothing) {
  Arena arena;
  const List list(arena, 1);
  EXPECT_EQ(list.First(), nullptr);
  EXPECT_EQ(list.Last(), nullptr);
  EXPECT_EQ(list.FindAtOrAfter(KeyOf(0)), nullptr);
  EXPECT_EQ(list.FindLastBefore(KeyOf(UINT64_MAX)), nullptr);
}

TEST(SkipListTest, FindsWhatASetFinds) {
  Arena arena;
  List list(arena, 2);
  std::set<uint64_t> model;
  Random random(3);
  for (int i = 0; i < 3000; ++i) {
    const uint64_t number = random.Uniform(10000);
    if (model.insert(number).second) Insert(list, number);
  }
  for (uint64_t target = 0; target <= 10001; ++target) {
    const auto after = model.lower_bound(target);
    const List::Node* found = list.FindAtOrAfter(KeyOf(target));
    ASSERT_EQ(found == nullptr, after == model.end()) << target;
    if (found != nullptr) { ASSERT_EQ(NumberOf(found), *after); }
    const List::Node* before = list.FindLastBefore(KeyOf(target));
    ASSERT_EQ(before == nullptr, after == model.begin()) << target;
    if (before != nullptr) { ASSERT_EQ(NumberOf(before), *std::prev(after)); }
  }
  EXPECT_EQ(NumberOf(list.Last()), *model.rbegin());
  auto expected = model.begin();
  for (const List::Node* node = list.First(); node != nullptr; node = List::Next(node)) {
    ASSERT_EQ(NumberOf(node), *expected++);
  }
  EXPECT_EQ(expected, model.end());
}

// Run under TSan, this is the test of the memory orders.
TEST(SkipListTest, ReadersSeeWholeNodesInOrderWhileTheWriterInserts) {
  Arena arena;
  List list(arena, 4);
  constexpr uint64_t kCount = 20000;
  std::atomic<uint64_t> inserted{0};
  std::thread writer([&] {
    for (uint64_t i = 0; i < kCount; ++i) {
      Insert(list, (i * 7919) % kCount);  // 7919 and the count share no factor: each number once
      inserted.store(i + 1, std::memory_order_release);
    }
  });
  std::vector<std::thread> readers;
  std::atomic<uint64_t> failures{0};
  for (uint64_t seed = 0; seed < 2; ++seed) {
    readers.emplace_back([&, seed] {
      Random random(seed);
      while (inserted.load(std::memory_order_acquire) < kCount) {
        const uint64_t known = inserted.load(std::memory_order_acquire);
        if (known == 0) continue;
        const uint64_t number = (random.Uniform(known) * 7919) % kCount;
        const List::Node* node = list.FindAtOrAfter(KeyOf(number));
        if (node == nullptr || NumberOf(node) != number) failures.fetch_add(1);
        uint64_t last = number;
        for (int step = 0; step < 50 && node != nullptr; ++step) {
          node = List::Next(node);
          if (node != nullptr && NumberOf(node) <= last) failures.fetch_add(1);
          if (node != nullptr) last = NumberOf(node);
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
