#include "tree/recovery.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"
#include "tree/checkpoint.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Ten commits of two operations each, a checkpoint after the sixth.
class RecoveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 1; i <= 10; ++i) {
      fixture_.Commit({Operation::Insert(SmallKey(i), std::to_string(i)),
                       Operation::InsertOrUpdate(SmallKey(1), "again")});
      if (i == 6) {
        ASSERT_OK(fixture_.tree().MakeCheckpoint());
      }
    }
    digest_ = fixture_.tree().view()->digest();
    operations_ = fixture_.database().OpenKeyspace("operations").value();
    nodes_ = fixture_.database().OpenKeyspace("nodes").value();
  }
  LogEntry Entry(uint64_t number) {
    const absl::StatusOr<PinnedValue> row = operations_.Get(EncodeOperationKey(number));
    EXPECT_OK(row);
    return DecodeLogEntry(number, row->view()).value();
  }
  void Replace(uint64_t number, const LogEntry& entry) {
    std::string record;
    EncodeLogEntry(entry, record);
    SetOperation(number, record);
  }
  void Remove(uint64_t number) {
    SetOperation(number, std::nullopt);
  }
  void SetOperation(uint64_t number, const std::optional<std::string>& record) {
    fixture_.SetOperation(EncodeOperationKey(number), record);
    operations_ = fixture_.database().OpenKeyspace("operations").value();
  }

  TreeFixture fixture_;
  Digest digest_;
  Keyspace operations_;
  Keyspace nodes_;
};

TEST_F(RecoveryTest, ReplaysOnlyWhatFollowsTheNewestCheckpoint) {
  ASSERT_OK_AND_ASSIGN(const auto tree, fixture_.OpenTreeAgain());
  EXPECT_EQ(tree->view()->digest(), digest_);
  EXPECT_EQ(tree->statistics().operations_replayed, 8u);
  EXPECT_EQ(tree->view()->key_count(), 10u);
}

TEST_F(RecoveryTest, AMissingOperationIsAGapNamedByNumber) {
  Remove(15);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kSequenceGap));
  EXPECT_THAT(fixture_.OpenTreeAgain(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("operation 15")));
}

TEST_F(RecoveryTest, ALogThatEndsBeforeItsCheckpointIsAGap) {
  for (uint64_t number = 12; number <= 20; ++number) Remove(number);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kSequenceGap));
}

TEST_F(RecoveryTest, ALogThatEndsWithinACommitIsAGap) {
  Remove(20);
  EXPECT_THAT(fixture_.OpenTreeAgain(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("within a commit")));
}

TEST_F(RecoveryTest, AnOtherValueIsNoticedByTheDigestOfItsCommit) {
  LogEntry entry = Entry(15);
  entry.value = "forged";
  Replace(15, entry);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kStateMismatch));
  EXPECT_THAT(
      fixture_.OpenTreeAgain(),
      StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("operation 16"), HasSubstr("digest"))));
}

TEST_F(RecoveryTest, AnOtherPreviousValueIsNoticed) {
  LogEntry entry = Entry(16);
  entry.previous_value = "forged";
  Replace(16, entry);
  EXPECT_THAT(fixture_.OpenTreeAgain(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("operation 16")));
}

TEST_F(RecoveryTest, AnOperationThatCannotBeReplayedIsNamed) {
  LogEntry entry = Entry(15);
  entry.kind = OperationKind::kInsert;
  entry.key = SmallKey(1);
  Replace(15, entry);
  EXPECT_THAT(fixture_.OpenTreeAgain(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("operation 15")));
  entry.value.reset();
  Replace(15, entry);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kSerialization));
}

TEST_F(RecoveryTest, ACommitEndWithoutADigestIsRefused) {
  LogEntry entry = Entry(16);
  entry.digest_after.reset();
  Replace(16, entry);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kStateMismatch));
}

TEST_F(RecoveryTest, ACheckpointThatDisagreesWithItsOperationIsRefused) {
  LogEntry entry = Entry(12);
  entry.digest_after = EmptyTreeDigest(SmallParameters());
  Replace(12, entry);
  EXPECT_THAT(fixture_.OpenTreeAgain(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checkpoint 1")));
}

TEST_F(RecoveryTest, AMissingRootIsNamed) {
  const Checkpoint checkpoint = fixture_.tree().LatestCheckpoint().value();
  WriteBatch batch;
  batch.Remove(nodes_, EncodeInstanceKey({.label = checkpoint.digest.label(),
                                          .tree = kOnlyTree,
                                          .birth = checkpoint.root_birth}));
  fixture_.Write(batch);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kMissingNode));
}

TEST_F(RecoveryTest, ABegunCheckpointIsMadeAtItsCommitBeforeTheRestIsReplayed) {
  // As if a crash had come after commit 8 and before the checkpoint's record.
  const Digest at_eight = *Entry(16).digest_after;
  Checkpoint begun;
  begun.id = 2;
  begun.time_ms = 77;
  begun.digest = at_eight;
  begun.root_birth = 2;
  begun.last_operation = 16;
  begun.commit_number = 8;
  begun.node_count = 17;
  begun.metadata = {{"kept", "yes"}};
  WriteBatch batch;
  batch.Put(fixture_.database().OpenKeyspace("checkpoints").value(),
            EncodeCheckpointKey({.state = CheckpointState::kBegun, .id = 2}),
            EncodeCheckpoint(begun));
  fixture_.Write(batch);
  {
    ASSERT_OK_AND_ASSIGN(const auto tree, fixture_.OpenTreeAgain());
    EXPECT_EQ(tree->view()->digest(), digest_);
    ASSERT_OK_AND_ASSIGN(const Checkpoint made, tree->GetCheckpoint(2));
    EXPECT_EQ(made.digest, at_eight);
    EXPECT_EQ(made.metadata.at("kept"), "yes");
    ASSERT_OK_AND_ASSIGN(const TreeVerifyReport report,
                         tree->VerifyTree(TreeVerifyLevel::kAllCheckpoints));
    EXPECT_TRUE(report.clean()) << report.damage[0];
  }
  ASSERT_OK_AND_ASSIGN(const auto again, fixture_.OpenTreeAgain());
  EXPECT_EQ(again->statistics().operations_replayed, 4u);
}

TEST_F(RecoveryTest, ABegunCheckpointThatTheLogDoesNotReachIsRefused) {
  Checkpoint begun;
  begun.id = 2;
  begun.last_operation = 30;
  begun.commit_number = 15;
  WriteBatch batch;
  batch.Put(fixture_.database().OpenKeyspace("checkpoints").value(),
            EncodeCheckpointKey({.state = CheckpointState::kBegun, .id = 2}),
            EncodeCheckpoint(begun));
  fixture_.Write(batch);
  EXPECT_THAT(fixture_.OpenTreeAgain(), HasReason(ErrorReason::kSequenceGap));
}

}  // namespace
}  // namespace firn
