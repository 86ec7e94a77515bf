#include "engine/transaction_iterator.h"

#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

// The sets of a transaction without the transaction.
class FakeView final : public TransactionView {
 public:
  absl::Status CheckReadable() const override { return readable; }
  const WriteSet& writes() const override { return own; }
  ReadSet* reads_to_check() override { return notes ? &reads : nullptr; }

  WriteSet own;
  ReadSet reads;
  bool notes = true;
  absl::Status readable;
};

class TransactionIteratorTest : public ::testing::Test {
 protected:
  TransactionIteratorTest() : store_(memory_, 1), view_(std::make_shared<FakeView>()) {
    EXPECT_OK(store_.Open());
    notes_ = store_.Open("notes");
  }
  std::unique_ptr<TransactionIterator> New(std::string begin = "",
                                           std::optional<std::string> limit = std::nullopt) {
    return std::make_unique<TransactionIterator>(
        view_, notes_, notes_.NewIterator({.begin = begin, .limit = limit}), begin, limit);
  }
  static std::string At(const Iterator& iterator) {
    if (!iterator.Valid()) return iterator.status().ok() ? "(end)" : "(error)";
    return absl::StrCat(iterator.key(), "=", iterator.value());
  }
  // The ranges noted so far, as one line.
  std::string Ranges() const {
    std::string line;
    for (const RangeRead& range : view_->reads.ranges()) {
      absl::StrAppend(&line, "[", range.begin, ",", range.limit.value_or("~"), ")");
    }
    for (char& c : line) c = c == '\0' ? '+' : c;
    return line;
  }

  MemoryFileSystem memory_;
  SteppedStore store_;
  Keyspace notes_;
  std::shared_ptr<FakeView> view_;
};

TEST_F(TransactionIteratorTest, OwnWritesStandOverTheSnapshotInBothDirections) {
  for (const char* const key : {"b", "d", "f"}) ASSERT_OK(store_.Put("notes", key, "old"));
  view_->own.Put(notes_, "a", "new");
  view_->own.Put(notes_, "d", "new");
  view_->own.Remove(notes_, "f");
  view_->own.Remove(notes_, "c");
  const auto iterator = New();
  std::string forward, backward;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) forward += At(*iterator) + " ";
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) backward += At(*iterator) + " ";
  EXPECT_EQ(forward, "a=new b=old d=new ");
  EXPECT_EQ(backward, "d=new b=old a=new ");
}

TEST_F(TransactionIteratorTest, ShowsWritesMadeAfterIt) {
  ASSERT_OK(store_.Put("notes", "b", "old"));
  const auto iterator = New();
  iterator->SeekToFirst();
  view_->own.Put(notes_, "c", "later");
  view_->own.Put(notes_, "a", "before");
  view_->own.Remove(notes_, "b");
  EXPECT_EQ(At(*iterator), "b=old") << "its views live until it moves";
  iterator->Next();
  EXPECT_EQ(At(*iterator), "c=later");
  iterator->Prev();
  EXPECT_EQ(At(*iterator), "a=before");
}

TEST_F(TransactionIteratorTest, NotesNoMoreThanItWalkedOver) {
  for (const char* const key : {"b", "d", "f", "h"}) ASSERT_OK(store_.Put("notes", key, "v"));
  const auto iterator = New("a", "m");
  iterator->Seek("c");
  EXPECT_EQ(Ranges(), "[c,d+)");
  iterator->Next();
  EXPECT_EQ(Ranges(), "[c,f+)");
  iterator->Prev();
  EXPECT_EQ(Ranges(), "[c,f+)");
  iterator->Prev();
  EXPECT_EQ(Ranges(), "[b,f+)");
  iterator->Prev();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_EQ(Ranges(), "[a,f+)");
  iterator->SeekToLast();
  EXPECT_EQ(Ranges(), "[a,f+)[h,m)");
  iterator->Next();
  EXPECT_EQ(Ranges(), "[a,f+)[h,m)");
  iterator->SeekForPrev("e");
  EXPECT_EQ(Ranges(), "[a,f+)[h,m)[d,e+)");
  iterator->Seek("x");
  EXPECT_EQ(At(*iterator), "(end)");
}

TEST_F(TransactionIteratorTest, NotesAnewAfterTheReadsWereForgotten) {
  for (const char* const key : {"b", "d", "f"}) ASSERT_OK(store_.Put("notes", key, "v"));
  const auto iterator = New();
  iterator->SeekToFirst();
  view_->reads.ForgetSince({});
  iterator->Next();
  EXPECT_EQ(Ranges(), "[b+,d+)");
  view_->notes = false;
  iterator->Next();
  EXPECT_EQ(Ranges(), "[b+,d+)");
}

TEST_F(TransactionIteratorTest, EndsWithItsTransaction) {
  ASSERT_OK(store_.Put("notes", "b", "v"));
  const auto iterator = New();
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  view_->readable = absl::FailedPreconditionError("ended");
  EXPECT_EQ(At(*iterator), "(error)");
  iterator->Seek("a");
  EXPECT_EQ(At(*iterator), "(error)");
}

// Every move, at random, over random bounds, while the transaction goes on writing.
TEST_F(TransactionIteratorTest, BehavesLikeAMap) {
  using Map = std::map<std::string, std::string>;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto draw_key = [&] { return std::string(1, static_cast<char>('a' + random.Uniform(12))); };
    WriteBatch batch;
    for (char key = 'a'; key <= 'l'; ++key) batch.Remove(notes_, std::string(1, key));
    Map all;
    for (uint64_t i = random.Uniform(10); i > 0; --i) {
      const std::string key = draw_key();
      batch.Put(notes_, key, "old");
      all[key] = "old";
    }
    ASSERT_OK(store_->Write(batch, Durability::kBuffered));
    view_ = std::make_shared<FakeView>();
    const std::string begin = random.OneIn(2) ? "" : draw_key();
    const std::optional<std::string> limit =
        random.OneIn(2) ? std::nullopt : std::optional<std::string>(draw_key());
    const auto iterator = New(begin, limit);
    std::string at;  // the key it shows
    for (int step = 0; step < 200; ++step) {
      const std::string key = draw_key();
      if (random.OneIn(4)) {
        if (random.OneIn(3)) {
          view_->own.Remove(notes_, key);
          all.erase(key);
        } else {
          view_->own.Put(notes_, key, absl::StrCat("own", step));
          all[key] = absl::StrCat("own", step);
        }
        continue;
      }
      Map shown(all.lower_bound(begin), all.end());
      if (limit.has_value()) shown.erase(shown.lower_bound(*limit), shown.end());
      if (limit.has_value() && *limit <= begin) shown.clear();
      // The first one after, or the last one before, where it is to go.
      Map::const_iterator expected = shown.end();
      const auto last_before = [&](Map::const_iterator behind) {
        return behind == shown.begin() ? shown.end() : std::prev(behind);
      };
      const bool was_valid = iterator->Valid();
      switch (random.Uniform(was_valid ? 8 : 4)) {
        case 0:
          iterator->SeekToFirst();
          expected = shown.begin();
          break;
        case 1:
          iterator->SeekToLast();
          expected = last_before(shown.end());
          break;
        case 2:
          iterator->Seek(key);
          expected = shown.lower_bound(key);
          break;
        case 3:
          iterator->SeekForPrev(key);
          expected = last_before(shown.upper_bound(key));
          break;
        case 4:
        case 5:
          iterator->Next();
          expected = shown.upper_bound(at);
          break;
        default:
          iterator->Prev();
          expected = last_before(shown.lower_bound(at));
      }
      ASSERT_OK(iterator->status());
      ASSERT_EQ(At(*iterator),
                expected == shown.end() ? "(end)"
                                        : absl::StrCat(expected->first, "=", expected->second));
      if (iterator->Valid()) at = std::string(iterator->key());
    }
  }
}

}  // namespace
}  // namespace firn
