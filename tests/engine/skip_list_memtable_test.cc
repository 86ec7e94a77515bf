#include "engine/skip_list_memtable.h"

#include "gtest/gtest.h"

namespace firn {
namespace {

// The rest is memtable_test.cc's.
TEST(SkipListMemtableTest, AnIteratorShowsNewerEntriesAsTheyCome) {
  const auto memtable = std::make_shared<SkipListMemtable>();
  memtable->Add({1}, EntryKind::kPut, "a", "1");
  const auto iterator = memtable->NewIterator();
  iterator->SeekToFirst();
  memtable->Add({2}, EntryKind::kPut, "b", "2");
  iterator->Next();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(UserKeyOf(iterator->key()), "b");
}

}  // namespace
}  // namespace firn
