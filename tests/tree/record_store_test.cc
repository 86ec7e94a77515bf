#include "tree/record_store.h"

#include <string>

#include "firn/database.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"

namespace firn {
namespace {

TEST(RecordStoreTest, KeepsRankAndValueEmptyOnesIncluded) {
  for (const TreeRecord& record : {TreeRecord{.rank = 0, .value = ""}, TreeRecord{.rank = 300, .value = "v"},
                               TreeRecord{.rank = UINT64_MAX, .value = std::string(1000, '\0')}}) {
    const std::string row = EncodeRecord(record);
    ASSERT_OK_AND_ASSIGN(const RecordView view, DecodeRecord(row));
    EXPECT_EQ(view.rank, record.rank);
    EXPECT_EQ(view.value, record.value);
  }
  EXPECT_THAT(DecodeRecord(""), HasReason(ErrorReason::kSerialization));
  EXPECT_THAT(DecodeRecord("\xff"), HasReason(ErrorReason::kSerialization));
}

TEST(RecordStoreTest, KeysBeginWithTheTree) {
  const std::string row_key = EncodeRecordKey(1, "key");
  EXPECT_EQ(row_key, std::string("\0\0\0\1key", 7));
  EXPECT_THAT(DecodeRecordKey(1, row_key), IsOkAndHolds(absl::string_view("key")));
  EXPECT_THAT(DecodeRecordKey(2, row_key), HasReason(ErrorReason::kSerialization));
  EXPECT_THAT(DecodeRecordKey(1, "abc"), HasReason(ErrorReason::kSerialization));
}

TEST(RecordStoreTest, IteratesOneTreeWithinItsBounds) {
  const std::unique_ptr<Database> database = OpenMemoryDatabase();
  ASSERT_NE(database, nullptr);
  ASSERT_OK_AND_ASSIGN(const Keyspace records, database->CreateKeyspace("records", {}));
  WriteBatch batch;
  for (const TreeNumber tree : {TreeNumber{1}, TreeNumber{2}}) {
    for (const char* key : {"a", "b", "c"}) {
      batch.Put(records, EncodeRecordKey(tree, key), EncodeRecord({.rank = tree, .value = key}));
    }
  }
  ASSERT_OK(database->Write(batch, Durability::kSynced));
  const auto keys = [&records](absl::string_view begin, absl::string_view limit) {
    std::string found;
    const auto rows = NewRecordIterator(records, 1, begin, limit, Snapshot());
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      const absl::string_view key = DecodeRecordKey(1, rows->key()).value();
      found.append(key.data(), key.size());
    }
    return found;
  };
  EXPECT_EQ(keys("", ""), "abc");
  EXPECT_EQ(keys("b", ""), "bc");
  EXPECT_EQ(keys("", "b"), "a");
  EXPECT_EQ(GetRecord(records, 2, "b", Snapshot()).value()->rank, 2u);
  EXPECT_FALSE(GetRecord(records, 3, "b", Snapshot()).value().has_value());
}

}  // namespace
}  // namespace firn
