#include "firn/table.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "firn/database.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using Names = Table<uint64_t, std::string>;

class TableTest : public ::testing::Test {
 protected:
  TableTest() {
    Options options;
    options.storage = Storage::kMemory;
    database_ = Database::Open("store", options).value();
    names_.emplace(database_->CreateKeyspace("names", {}).value());
  }
  std::unique_ptr<Transaction> Begin() { return database_->BeginTransaction({}).value(); }
  void Insert(const std::map<uint64_t, std::string>& rows) {
    const auto transaction = Begin();
    for (const auto& [key, value] : rows) EXPECT_OK(names_->Insert(*transaction, key, value));
    EXPECT_OK(transaction->Commit(Durability::kBuffered));
  }
  static std::map<uint64_t, std::string> All(Names::Rows rows) {
    std::map<uint64_t, std::string> all;
    for (; rows.Valid(); rows.Next()) all[rows.key().value()] = rows.value().value();
    EXPECT_OK(rows.status());
    return all;
  }

  std::unique_ptr<Database> database_;
  std::optional<Names> names_;
};

TEST_F(TableTest, RowsAreReadThroughGuards) {
  Insert({{7, "alice"}, {8, ""}});
  const auto guard = names_->Get(7);
  ASSERT_OK(guard);
  ASSERT_TRUE(guard->has_value());
  EXPECT_EQ((*guard)->bytes(), "alice");
  EXPECT_THAT((*guard)->value(), IsOkAndHolds("alice"));
  EXPECT_TRUE(names_->Get(8)->has_value()) << "empty is not absent";
  EXPECT_FALSE(names_->Get(9)->has_value());
}

TEST_F(TableTest, AGuardLivesThroughFlushAndCompaction) {
  Insert({{7, "alice"}});
  const auto guard = names_->Get(7).value();
  Insert({{7, "bob"}});
  ASSERT_OK(database_->Compact(names_->keyspace(), "", ""));
  Insert({{7, "carol"}});
  ASSERT_OK(database_->Compact(names_->keyspace(), "", ""));
  EXPECT_EQ(guard->bytes(), "alice");
}

// What the earlier interface did not do: both bounds, and pending changes, count in a range.
TEST_F(TableTest, ARangeHonoursBothBoundsAndPendingChanges) {
  Insert({{1, "a"}, {2, "b"}, {300, "c"}, {70'000, "d"}});
  const auto transaction = Begin();
  ASSERT_OK(names_->Insert(*transaction, 3, "new"));
  ASSERT_OK(names_->Remove(*transaction, 2));
  ASSERT_OK(names_->Insert(*transaction, 300, "changed"));
  EXPECT_EQ(All(names_->Range(*transaction, 2, 70'000)),
            (std::map<uint64_t, std::string>{{3, "new"}, {300, "changed"}}));
  EXPECT_EQ(All(names_->Range(2, 70'000)),
            (std::map<uint64_t, std::string>{{2, "b"}, {300, "c"}}));
  EXPECT_EQ(All(names_->Range(std::nullopt, std::nullopt, transaction->snapshot())).size(), 4u);
  EXPECT_TRUE(All(names_->Range(5, 5)).empty());
  EXPECT_TRUE(All(names_->Range(9, 5)).empty());
  auto rows = names_->Range(*transaction, std::nullopt, std::nullopt);
  rows.SeekToLast();
  EXPECT_THAT(rows.key(), IsOkAndHolds(70'000u));
  rows.Seek(4);
  EXPECT_EQ(rows.value_bytes(), "changed");
  rows.Prev();
  EXPECT_THAT(rows.key(), IsOkAndHolds(3u));
  EXPECT_EQ((*names_->Get(*transaction, 3))->bytes(), "new");
}

TEST_F(TableTest, CompareAndSetChangesARowOnlyIfItIsAsExpected) {
  Insert({{1, "a"}});
  const auto transaction = Begin();
  EXPECT_THAT(names_->CompareAndSet(*transaction, 1, "b", "c"), IsOkAndHolds(false));
  EXPECT_THAT(names_->CompareAndSet(*transaction, 1, std::nullopt, "c"), IsOkAndHolds(false));
  EXPECT_THAT(names_->CompareAndSet(*transaction, 2, "a", "c"), IsOkAndHolds(false));
  EXPECT_EQ(transaction->write_count(), 0u);
  EXPECT_THAT(names_->CompareAndSet(*transaction, 1, "a", "b"), IsOkAndHolds(true));
  EXPECT_THAT(names_->CompareAndSet(*transaction, 2, std::nullopt, "new"), IsOkAndHolds(true));
  EXPECT_THAT(names_->CompareAndSet(*transaction, 1, "b", std::nullopt), IsOkAndHolds(true));
  ASSERT_OK(transaction->Commit(Durability::kBuffered));
  EXPECT_EQ(All(names_->Range(std::nullopt, std::nullopt)),
            (std::map<uint64_t, std::string>{{2, "new"}}));
}

TEST_F(TableTest, ACompareThatFailedIsStillChecked) {
  Insert({{1, "a"}});
  const auto transaction = Begin();
  EXPECT_THAT(names_->CompareAndSet(*transaction, 1, "b", "c"), IsOkAndHolds(false));
  ASSERT_OK(names_->Insert(*transaction, 9, "it was not b"));
  Insert({{1, "b"}});
  EXPECT_THAT(transaction->Commit(), HasReason(ErrorReason::kConflict));
}

TEST_F(TableTest, ForeignBytesAreAnErrorOfTheirRow) {
  WriteBatch batch;
  batch.Put(names_->keyspace(), "short", "v");
  ASSERT_OK(database_->Write(batch, Durability::kBuffered));
  const auto rows = names_->Range(std::nullopt, std::nullopt);
  ASSERT_TRUE(rows.Valid());
  EXPECT_THAT(rows.key().status(), HasReason(ErrorReason::kSerialization));
  const Table<std::string, int64_t> numbers(names_->keyspace());
  EXPECT_THAT((*numbers.Get("short"))->value(), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK(database_->DropKeyspace("names"));
  EXPECT_THAT(names_->Get(1).status(), HasReason(ErrorReason::kKeyspaceDropped));
}

}  // namespace
}  // namespace firn
