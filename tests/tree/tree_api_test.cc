// The reading calls of the public class: log, history, metadata, checkpoints.

#include <string>
#include <vector>

#include "firn/authenticated_tree.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"

namespace firn {
namespace {

using ::testing::ElementsAre;

std::vector<uint64_t> NumbersOf(const absl::StatusOr<std::vector<LoggedOperation>>& operations) {
  EXPECT_OK(operations);
  std::vector<uint64_t> numbers;
  if (!operations.ok()) return numbers;
  for (const LoggedOperation& operation : *operations) numbers.push_back(operation.number);
  return numbers;
}

// Three commits at times 100, 200 and 150.
void Fill(TreeFixture& fixture, Digest* after_second = nullptr) {
  const std::vector<std::vector<Operation>> commits = {
      {Operation::Insert(SmallKey(1), "a"), Operation::InsertOrUpdate(SmallKey(2), "b")},
      {Operation::InsertOrUpdate(SmallKey(1), "c"), Operation::Lookup(SmallKey(2)),
       Operation::RemoveIfExists(SmallKey(2))},
      {Operation::RemoveIfExists(SmallKey(2)), Operation::UpdateLongBy(SmallKey(3), 5)}};
  const uint64_t times[] = {100, 200, 150};
  for (size_t i = 0; i < commits.size(); ++i) {
    for (const Operation& operation : commits[i]) EXPECT_OK(fixture.tree().Apply(operation));
    CommitOptions options;
    options.time_ms = times[i];
    const absl::StatusOr<CommitResult> result = fixture.tree().Commit(options);
    ASSERT_OK(result);
    if (i == 1 && after_second != nullptr) *after_second = result->digest;
  }
}

TEST(TreeApiTest, TheLogTellsWhatWasDoneWithPreviousValues) {
  TreeFixture fixture;
  Digest after_second;
  Fill(fixture, &after_second);
  ASSERT_OK_AND_ASSIGN(const std::vector<LoggedOperation> log,
                       fixture.tree().GetOperations(1, UINT64_MAX, 100));
  ASSERT_EQ(log.size(), 6u);
  std::vector<OperationKind> kinds;
  for (const LoggedOperation& operation : log) kinds.push_back(operation.operation.kind);
  EXPECT_THAT(kinds, ElementsAre(OperationKind::kInsert, OperationKind::kInsert,
                                 OperationKind::kUpdate, OperationKind::kRemove,
                                 OperationKind::kRemoveIfExists, OperationKind::kUpdateLongBy));
  EXPECT_EQ(log[2].previous_value, OldValue("a"));
  EXPECT_EQ(log[2].operation.value, "c");
  EXPECT_EQ(log[3].previous_value, OldValue("b"));
  EXPECT_EQ(log[5].operation.delta, 5);
  EXPECT_FALSE(log[2].digest.has_value());
  EXPECT_EQ(log[3].digest, after_second);
  EXPECT_TRUE(log[3].ends_commit);
  EXPECT_EQ(log[3].commit_number, 2u);
  EXPECT_EQ(log[3].time_ms, 200u);
}

TEST(TreeApiTest, EveryOperationHasADigestWhereThatWasAskedFor) {
  TreeOptions options = ManualOptions();
  options.digests = DigestPolicy::kPerOperation;
  TreeFixture each(options);
  TreeFixture last;
  Fill(each);
  Fill(last);
  EXPECT_EQ(each.tree().view()->digest(), last.tree().view()->digest());
  TreeModel model;
  ASSERT_OK_AND_ASSIGN(const std::vector<LoggedOperation> log,
                       each.tree().GetOperations(1, UINT64_MAX, 100));
  for (const LoggedOperation& operation : log) {
    ASSERT_OK(model.Apply(operation.operation));
    EXPECT_EQ(operation.digest, model.digest()) << operation.number;
  }
  each.Reopen();  // recovery compares each of them
  EXPECT_EQ(each.tree().view()->digest(), model.digest());
}

TEST(TreeApiTest, OperationsAreFoundByNumberTimeAndKey) {
  TreeFixture fixture;
  Fill(fixture);
  EXPECT_THAT(NumbersOf(fixture.tree().GetOperations(2, 4, 100)), ElementsAre(2, 3, 4));
  EXPECT_THAT(NumbersOf(fixture.tree().GetOperations(2, 4, 2)), ElementsAre(2, 3));
  EXPECT_THAT(NumbersOf(fixture.tree().GetOperations(2, 4, 0)), ElementsAre());
  EXPECT_THAT(NumbersOf(fixture.tree().GetOperationsByTime(100, 200, 100)),
              ElementsAre(1, 2, 5, 6));
  EXPECT_THAT(NumbersOf(fixture.tree().History(SmallKey(2), 100)), ElementsAre(2, 4, 5));
  EXPECT_THAT(NumbersOf(fixture.tree().History(SmallKey(2), 1)), ElementsAre(2));
  EXPECT_THAT(NumbersOf(fixture.tree().History(SmallKey(8), 100)), ElementsAre());
}

TEST(TreeApiTest, OperationsWithTimesOfTheirOwnAreFoundByThose) {
  TreeFixture fixture;
  const std::optional<uint64_t> times[] = {300, 300, std::nullopt, 100, 300};
  for (uint64_t i = 0; i < 5; ++i) {
    ASSERT_OK(fixture.tree().Apply(Operation::Lookup(SmallKey(i + 1)), 7));
    ASSERT_OK(fixture.tree().Apply(Operation::Insert(SmallKey(i + 1), "a"), times[i]));
  }
  CommitOptions options;
  options.time_ms = 200;
  ASSERT_OK(fixture.tree().Commit(options));
  EXPECT_THAT(NumbersOf(fixture.tree().GetOperationsByTime(0, 1000, 100)),
              ElementsAre(4, 3, 1, 2, 5));
  EXPECT_THAT(NumbersOf(fixture.tree().GetOperationsByTime(200, 300, 100)), ElementsAre(3));
  ASSERT_OK_AND_ASSIGN(const std::vector<LoggedOperation> late,
                       fixture.tree().GetOperationsByTime(300, 301, 100));
  for (const LoggedOperation& operation : late) EXPECT_EQ(operation.time_ms, 300u);
  EXPECT_EQ(late.size(), 3u);
}

TEST(TreeApiTest, CheckpointsAreListedAndOpened) {
  TreeFixture fixture;
  EXPECT_THAT(fixture.tree().GetCheckpoint(1), HasReason(ErrorReason::kNotRetained));
  Fill(fixture);
  ASSERT_OK_AND_ASSIGN(const Checkpoint first, fixture.tree().MakeCheckpoint());
  fixture.Commit({Operation::Update(SmallKey(1), "later")});
  ASSERT_OK(fixture.tree().MakeCheckpoint());
  ASSERT_OK_AND_ASSIGN(const std::vector<Checkpoint> list, fixture.tree().ListCheckpoints());
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, 2u);
  ASSERT_OK_AND_ASSIGN(const auto old, fixture.tree().ViewAtCheckpoint(1));
  EXPECT_EQ(old->digest(), first.digest);
  EXPECT_THAT(old->Get(SmallKey(1)), IsOkAndHolds(OldValue("c")));
  EXPECT_THAT(fixture.tree().view()->Get(SmallKey(1)), IsOkAndHolds(OldValue("later")));
  EXPECT_THAT(fixture.tree().ViewAtCheckpoint(3), HasReason(ErrorReason::kNotRetained));
}

}  // namespace
}  // namespace firn
