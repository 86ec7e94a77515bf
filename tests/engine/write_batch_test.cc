#include "firn/write_batch.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/types.h"
#include "engine/batch_format.h"
#include "firn/database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class WriteBatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.storage = Storage::kMemory;
    ASSERT_OK_AND_ASSIGN(database_, Database::Open("store", options));
    ASSERT_OK_AND_ASSIGN(left_, database_->CreateKeyspace("left", {}));
    ASSERT_OK_AND_ASSIGN(right_, database_->CreateKeyspace("right", {}));
  }

  // Keyspace id and "key=value", or "-key".
  static std::vector<std::pair<uint32_t, std::string>> EntriesOf(const WriteBatch& batch) {
    std::vector<std::pair<uint32_t, std::string>> entries;
    EXPECT_OK(ForEachEntry(AsBytes(batch.encoded()), [&](const BatchEntry& entry) {
      const std::string key(entry.key);
      entries.emplace_back(entry.keyspace.value, entry.kind == EntryKind::kTombstone
                                                     ? "-" + key
                                                     : key + "=" + std::string(entry.value));
      return absl::OkStatus();
    }));
    return entries;
  }

  std::unique_ptr<Database> database_;
  Keyspace left_;
  Keyspace right_;
};

TEST_F(WriteBatchTest, HoldsEntriesOfAllKeyspacesInOrder) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.Put(left_, "a", "1");
  batch.Remove(right_, "a");
  batch.Put(left_, "a", "");
  EXPECT_EQ(batch.count(), 3);
  EXPECT_EQ(batch.encoded_size(), batch.encoded().size());
  EXPECT_THAT(EntriesOf(batch), ElementsAre(Pair(left_.id(), "a=1"), Pair(right_.id(), "-a"),
                                            Pair(left_.id(), "a=")));
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.encoded_size(), 0);
}

TEST_F(WriteBatchTest, AppendsAnotherBatchEvenItself) {
  WriteBatch batch;
  batch.Put(left_, "a", "1");
  WriteBatch other;
  other.Remove(left_, "b");
  batch.Append(other);
  batch.Append(batch);
  EXPECT_EQ(batch.count(), 4);
  EXPECT_THAT(EntriesOf(batch), ElementsAre(Pair(left_.id(), "a=1"), Pair(left_.id(), "-b"),
                                            Pair(left_.id(), "a=1"), Pair(left_.id(), "-b")));
}

TEST_F(WriteBatchTest, AnEmptyHandleIsFoundOutByWrite) {
  WriteBatch batch;
  batch.Put(Keyspace(), "a", "1");
  EXPECT_THAT(database_->Write(batch, Durability::kSynced),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(WriteBatchTest, WhatIsOverItsLimitIsNotKeptAndTheBatchIsRefused) {
  const std::string large((size_t{32} << 20) + 1, 'v');
  WriteBatch batch;
  batch.Put(left_, "a", "1");
  const size_t size = batch.encoded_size();
  batch.Put(left_, "b", large);
  batch.Put(left_, absl::string_view(large).substr(0, kKeySizeMax + 1), "v");
  batch.Remove(left_, absl::string_view(large).substr(0, kKeySizeMax + 1));
  EXPECT_EQ(batch.encoded_size(), size);
  EXPECT_EQ(batch.count(), 4u);
  WriteBatch around;
  around.Append(batch);
  for (const WriteBatch* const refused : {&batch, &around}) {
    EXPECT_THAT(database_->Write(*refused, Durability::kSynced), HasReason(ErrorReason::kTooLarge));
  }
  EXPECT_THAT(left_.Get("a"), StatusIs(absl::StatusCode::kNotFound));
  batch.Clear();
  batch.Put(left_, "a", "2");
  EXPECT_OK(database_->Write(batch, Durability::kSynced));
}

TEST_F(WriteBatchTest, LaterEntriesWinOverEarlierOnes) {
  WriteBatch batch;
  batch.Put(left_, "a", "1");
  batch.Put(left_, "a", "2");
  batch.Put(left_, "b", "1");
  batch.Remove(left_, "b");
  ASSERT_OK(database_->Write(batch, Durability::kSynced));
  ASSERT_OK_AND_ASSIGN(const PinnedValue value, left_.Get("a"));
  EXPECT_EQ(value.view(), "2");
  EXPECT_THAT(left_.Get("b"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace firn
