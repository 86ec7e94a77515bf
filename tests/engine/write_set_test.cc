#include "engine/write_set.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class WriteSetTest : public ::testing::Test {
 protected:
  WriteSetTest() : store_(memory_, 1) {
    EXPECT_OK(store_.Open());
    a_ = store_.Open("a");
    b_ = store_.Open("b");
  }
  std::string Find(const Keyspace& keyspace, absl::string_view key) {
    const WriteSet::Value* const value = writes_.Find(keyspace, key);
    return value == nullptr ? "(none)" : *value == nullptr ? "(removed)" : **value;
  }

  MemoryFileSystem memory_;
  SteppedStore store_;
  Keyspace a_, b_;
  WriteSet writes_;
};

TEST_F(WriteSetTest, TheLastWriteOfAKeyCounts) {
  writes_.Put(a_, "k", "1");
  writes_.Put(a_, "k", "2");
  writes_.Remove(b_, "k");
  EXPECT_EQ(Find(a_, "k"), "2");
  EXPECT_EQ(Find(b_, "k"), "(removed)");
  EXPECT_EQ(Find(a_, "l"), "(none)");
  EXPECT_EQ(writes_.key_count(), 2u);
  EXPECT_EQ(writes_.bytes(), 2 * 16u + 2 + 1);
  WriteBatch batch;
  writes_.AppendTo(batch);
  EXPECT_EQ(batch.count(), 2u);
  writes_.Clear();
  EXPECT_TRUE(writes_.empty());
  EXPECT_EQ(writes_.bytes(), 0u);
}

TEST_F(WriteSetTest, UndoingBringsBackWhatWasThere) {
  writes_.Put(a_, "k", "before");
  writes_.StartUndoLog();
  writes_.Put(a_, "k", "later");
  const size_t position = writes_.undo_position();
  writes_.Remove(a_, "k");
  writes_.Put(b_, "new", "v");
  writes_.UndoTo(position);
  EXPECT_EQ(Find(a_, "k"), "later");
  EXPECT_EQ(Find(b_, "new"), "(none)");
  writes_.UndoTo(0);
  EXPECT_EQ(Find(a_, "k"), "before");
  EXPECT_EQ(writes_.key_count(), 1u);
  writes_.StopUndoLog();
  EXPECT_EQ(writes_.bytes(), 16u + 1 + 6);
}

// The bytes are what the entries, and those that an undo would bring back, add up to.
TEST_F(WriteSetTest, BehavesLikeAStackOfMaps) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    WriteSet writes;
    using Content = std::map<std::string, std::optional<std::string>>;
    Content now;
    std::vector<std::pair<size_t, Content>> marks;
    for (int step = 0; step < 500; ++step) {
      const std::string key(1, static_cast<char>('a' + random.Uniform(8)));
      switch (random.Uniform(10)) {
        case 0:
          if (marks.empty()) writes.StartUndoLog();
          marks.emplace_back(writes.undo_position(), now);
          break;
        case 1:
          if (marks.empty()) break;
          marks.resize(1 + random.Uniform(marks.size()));
          writes.UndoTo(marks.back().first);
          now = marks.back().second;
          break;
        case 2:
          if (marks.empty()) break;
          marks.resize(random.Uniform(marks.size()));
          if (marks.empty()) writes.StopUndoLog();
          break;
        case 3:
          writes.Remove(a_, key);
          now[key] = std::nullopt;
          break;
        default: {
          const std::string value(random.Uniform(9), 'v');
          writes.Put(a_, key, value);
          now[key] = value;
        }
      }
      ASSERT_EQ(writes.key_count(), now.size());
      size_t bytes = 0;
      for (const auto& [name, value] : now) {
        const WriteSet::Value* const found = writes.Find(a_, name);
        ASSERT_NE(found, nullptr);
        ASSERT_EQ(*found == nullptr, !value.has_value());
        if (value.has_value()) {
          ASSERT_EQ(**found, *value);
        }
        bytes += 16 + name.size() + (value.has_value() ? value->size() : 0);
      }
      ASSERT_GE(writes.bytes(), bytes);
      if (marks.empty()) {
        ASSERT_EQ(writes.bytes(), bytes);
      }
    }
  }
}

}  // namespace
}  // namespace firn
