#include "tree/operation_log.h"

#include <memory>
#include <string>
#include <vector>

#include "firn/database.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr TreeNumber kTree = 1;

class OperationLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = OpenMemoryDatabase();
    ASSERT_NE(database_, nullptr);
    ASSERT_OK_AND_ASSIGN(operations_, database_->CreateKeyspace("operations", {}));
    ASSERT_OK_AND_ASSIGN(indexes_, database_->CreateKeyspace("indexes", {}));
    log_ = std::make_unique<OperationLog>(operations_, indexes_);
  }

  // Operations [first, first + keys.size()), all at `time_ms`.
  void Append(uint64_t first, uint64_t time_ms, const std::vector<std::string>& keys) {
    WriteBatch batch;
    for (size_t i = 0; i < keys.size(); ++i) {
      LogEntry entry;
      entry.tree = kTree;
      entry.time_ms = time_ms;
      entry.key = keys[i];
      log_->Append(first + i, entry, batch);
    }
    log_->AppendTimeRun({.tree = kTree, .time_ms = time_ms, .first = first, .count = keys.size()},
                        batch);
    ASSERT_OK(database_->Write(batch, Durability::kSynced));
  }

  OperationLog::Visitor Into(std::vector<uint64_t>& numbers) {
    return [&numbers](uint64_t number, const LogEntry&) -> absl::StatusOr<bool> {
      numbers.push_back(number);
      return true;
    };
  }
  std::vector<uint64_t> Between(uint64_t first, uint64_t last) {
    std::vector<uint64_t> numbers;
    EXPECT_OK(log_->Read(first, last, Snapshot(), Into(numbers)));
    return numbers;
  }
  std::vector<uint64_t> AtTimes(uint64_t begin, uint64_t limit) {
    std::vector<uint64_t> numbers;
    EXPECT_OK(
        log_->ReadByTime(kTree, {.begin_ms = begin, .limit_ms = limit}, Snapshot(), Into(numbers)));
    return numbers;
  }
  std::vector<uint64_t> OfKey(const std::string& key) {
    std::vector<uint64_t> numbers;
    EXPECT_OK(log_->ReadByKey(kTree, key, Snapshot(), Into(numbers)));
    return numbers;
  }

  std::unique_ptr<Database> database_;
  Keyspace operations_;
  Keyspace indexes_;
  std::unique_ptr<OperationLog> log_;
};

TEST_F(OperationLogTest, AnEmptyLogEndsAtZero) {
  EXPECT_THAT(log_->LastNumber(Snapshot()), IsOkAndHolds(0u));
  EXPECT_TRUE(Between(0, UINT64_MAX).empty());
  EXPECT_THAT(log_->Get(1, Snapshot()), HasReason(ErrorReason::kNotRetained));
}

TEST_F(OperationLogTest, ReadsBothEndsOfARangeAndOnlyWhatIsThere) {
  Append(1, 10, {"a", "b", "c", "d"});
  EXPECT_THAT(log_->LastNumber(Snapshot()), IsOkAndHolds(4u));
  EXPECT_THAT(Between(2, 3), ElementsAre(2, 3));
  EXPECT_THAT(Between(1, UINT64_MAX), ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(Between(3, 2).empty());
  EXPECT_TRUE(Between(5, 9).empty());
}

TEST_F(OperationLogTest, TimesAreHalfOpenAndSortBeforeNumbers) {
  Append(1, 20, {"a", "b"});
  Append(3, 10, {"c"});  // the clock went back
  Append(4, 30, {"d"});
  EXPECT_THAT(AtTimes(0, UINT64_MAX), ElementsAre(3, 1, 2, 4));
  EXPECT_THAT(AtTimes(10, 20), ElementsAre(3));
  EXPECT_THAT(AtTimes(20, 31), ElementsAre(1, 2, 4));
  EXPECT_TRUE(AtTimes(20, 20).empty());
}

TEST_F(OperationLogTest, AKeyIsNotMistakenForItsPrefixOrForAnotherTrees) {
  Append(1, 10, {"k", "kk", "k", ""});
  EXPECT_THAT(OfKey("k"), ElementsAre(1, 3));
  EXPECT_THAT(OfKey("kk"), ElementsAre(2));
  EXPECT_THAT(OfKey(""), ElementsAre(4));
  EXPECT_TRUE(OfKey("x").empty());
  std::vector<uint64_t> numbers;
  EXPECT_OK(log_->ReadByKey(2, "k", Snapshot(), Into(numbers)));
  EXPECT_TRUE(numbers.empty());
}

TEST_F(OperationLogTest, AVisitorMayStop) {
  Append(1, 10, {"a", "a", "a"});
  int calls = 0;
  const auto once = [&calls](uint64_t, const LogEntry&) -> absl::StatusOr<bool> {
    ++calls;
    return false;
  };
  EXPECT_OK(log_->Read(1, 3, Snapshot(), once));
  EXPECT_OK(log_->ReadByTime(kTree, {.begin_ms = 0, .limit_ms = 99}, Snapshot(), once));
  EXPECT_OK(log_->ReadByKey(kTree, "a", Snapshot(), once));
  EXPECT_EQ(calls, 3);
}

TEST_F(OperationLogTest, AnIndexRowThatLeadsNowhereIsDamage) {
  Append(1, 10, {"a", "b"});
  WriteBatch batch;
  batch.Remove(operations_, EncodeOperationKey(2));
  ASSERT_OK(database_->Write(batch, Durability::kSynced));
  std::vector<uint64_t> numbers;
  EXPECT_THAT(log_->ReadByKey(kTree, "b", Snapshot(), Into(numbers)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("operation 2")));
  EXPECT_THAT(log_->ReadByTime(kTree, {.begin_ms = 0, .limit_ms = 99}, Snapshot(), Into(numbers)),
              HasReason(ErrorReason::kSequenceGap));
}

TEST_F(OperationLogTest, ASnapshotDoesNotSeeLaterEntries) {
  Append(1, 10, {"a"});
  const Snapshot before = database_->TakeSnapshot();
  Append(2, 10, {"a"});
  EXPECT_THAT(log_->LastNumber(before), IsOkAndHolds(1u));
  std::vector<uint64_t> numbers;
  EXPECT_OK(log_->ReadByKey(kTree, "a", before, Into(numbers)));
  EXPECT_THAT(numbers, ElementsAre(1));
}

}  // namespace
}  // namespace firn
