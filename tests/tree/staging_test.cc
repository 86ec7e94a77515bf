#include "tree/staging.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"
#include "tree/record_store.h"

namespace firn {
namespace {

StagedOperation Staged(const Operation& operation, OldValue old, Effect effect) {
  StagedOperation staged{.operation = operation, .old_value = std::move(old), .effect = effect};
  if (effect == Effect::kStore) staged.new_value = operation.value;
  return staged;
}

TEST(StagingTest, LogsAnUpsertAsWhatItDid) {
  const Operation upsert = Operation::InsertOrUpdate("k", "v");
  EXPECT_EQ(LoggedKind(Staged(upsert, std::nullopt, Effect::kStore)), OperationKind::kInsert);
  EXPECT_EQ(LoggedKind(Staged(upsert, "old", Effect::kStore)), OperationKind::kUpdate);
  const Operation remove = Operation::RemoveIfExists("k");
  EXPECT_EQ(LoggedKind(Staged(remove, "old", Effect::kRemove)), OperationKind::kRemove);
  EXPECT_EQ(LoggedKind(Staged(remove, std::nullopt, Effect::kNone)),
            OperationKind::kRemoveIfExists);
}

TEST(StagingTest, CountsKeysAndLoggedOperations) {
  Staging staging;
  EXPECT_TRUE(staging.empty());
  staging.Add(Staged(Operation::Insert("a", "1"), std::nullopt, Effect::kStore));
  staging.Add(Staged(Operation::Lookup("a"), "1", Effect::kNone));
  staging.Add(Staged(Operation::Update("a", "2"), "1", Effect::kStore));
  EXPECT_EQ(staging.key_difference(), 1);
  EXPECT_EQ(staging.logged_operations(), 2u);
  staging.Add(Staged(Operation::Remove("a"), "2", Effect::kRemove));
  staging.Add(Staged(Operation::Remove("b"), "9", Effect::kRemove));
  EXPECT_EQ(staging.key_difference(), -1);
  staging.Clear();
  EXPECT_TRUE(staging.empty());
  EXPECT_EQ(staging.key_difference(), 0);
}

// The records as key -> (rank, value).
std::map<std::string, std::pair<uint64_t, std::string>> RecordsOf(TreeFixture& fixture) {
  std::map<std::string, std::pair<uint64_t, std::string>> found;
  const Keyspace records = fixture.database().OpenKeyspace("records").value();
  const auto rows = NewRecordIterator(records, kOnlyTree, "", "", Snapshot());
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    const RecordView record = DecodeRecord(rows->value()).value();
    found[std::string(DecodeRecordKey(kOnlyTree, rows->key()).value())] = {
        record.rank, std::string(record.value)};
  }
  return found;
}

TEST(StagingTest, ARecordKeepsItsRankUntilItsKeyIsInsertedAnew) {
  TreeFixture fixture;
  const std::string a = SmallKey(1);
  const std::string b = SmallKey(2);
  fixture.Commit({Operation::Insert(a, "1"), Operation::Insert(b, "1")});
  fixture.Commit({Operation::Update(b, "2"), Operation::Update(b, "3")});
  EXPECT_EQ(RecordsOf(fixture).at(b), (std::pair<uint64_t, std::string>{2, "3"}));
  fixture.Commit({Operation::Remove(b), Operation::Insert(b, "4"), Operation::Update(b, "5")});
  EXPECT_EQ(RecordsOf(fixture).at(b), (std::pair<uint64_t, std::string>{6, "5"}));
  fixture.Commit(
      {Operation::Insert(SmallKey(3), "x"), Operation::Remove(SmallKey(3)), Operation::Remove(a)});
  EXPECT_EQ(RecordsOf(fixture).size(), 1u);
}

TEST(StagingTest, ARemovalIsMarkedForEver) {
  TreeFixture fixture;
  const auto removed = [&fixture] {
    const Keyspace metadata = fixture.database().OpenKeyspace("metadata").value();
    return GetRow(metadata, RemovedKey(kOnlyTree), {}).value().has_value();
  };
  fixture.Commit({Operation::Insert(SmallKey(1), "1"), Operation::RemoveIfExists(SmallKey(2))});
  EXPECT_FALSE(removed());
  fixture.Commit({Operation::Remove(SmallKey(1))});
  EXPECT_TRUE(removed());
}

TEST(StagingTest, AKeyOfTheTreeWithoutARecordFailsTheCommit) {
  TreeFixture fixture;
  fixture.Commit({Operation::Insert(SmallKey(1), "1")});
  WriteBatch batch;
  batch.Remove(fixture.database().OpenKeyspace("records").value(),
               EncodeRecordKey(kOnlyTree, SmallKey(1)));
  fixture.Write(batch);
  ASSERT_OK(fixture.tree().Apply(Operation::Update(SmallKey(1), "2")));
  EXPECT_THAT(fixture.tree().Commit({}), HasReason(ErrorReason::kStateMismatch));
}

}  // namespace
}  // namespace firn
