#include "tree/authenticated_tree.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

const Operation kInsertOne = Operation::Insert(SmallKey(1), "one");
const Operation kInsertTwo = Operation::Insert(SmallKey(2), "two");

TEST(AuthenticatedTreeTest, ANewTreeHasTheEmptyDigestAndNothingElse) {
  TreeFixture fixture;
  const auto view = fixture.tree().view();
  EXPECT_EQ(view->digest(), EmptyTreeDigest(SmallParameters()));
  EXPECT_EQ(view->operation_number(), 0u);
  EXPECT_EQ(view->commit_number(), 0u);
  EXPECT_EQ(view->key_count(), 0u);
  EXPECT_THAT(fixture.tree().LatestCheckpoint(), HasReason(ErrorReason::kNotRetained));
  fixture.Reopen();
  EXPECT_EQ(fixture.tree().view()->digest(), EmptyTreeDigest(SmallParameters()));
}

TEST(AuthenticatedTreeTest, ACommitIsSeenWholeAndOnlyAfterIt) {
  TreeFixture fixture;
  EXPECT_THAT(fixture.tree().Apply(kInsertOne), IsOkAndHolds(OldValue()));
  EXPECT_OK(fixture.tree().Apply(kInsertTwo));
  EXPECT_EQ(fixture.tree().staged_operations(), 2u);
  EXPECT_EQ(fixture.tree().view()->key_count(), 0u);
  EXPECT_THAT(fixture.tree().view()->Get(SmallKey(1)), IsOkAndHolds(OldValue()));
  ASSERT_OK_AND_ASSIGN(const Digest staged, fixture.tree().StagedDigest());
  ASSERT_OK_AND_ASSIGN(const CommitResult result, fixture.tree().Commit({}));
  EXPECT_EQ(result.digest, staged);
  EXPECT_EQ(result.commit_number, 1u);
  EXPECT_EQ(result.first_operation, 1u);
  EXPECT_EQ(result.last_operation, 2u);
  const auto view = fixture.tree().view();
  EXPECT_EQ(view->digest(), result.digest);
  EXPECT_EQ(view->operation_number(), 2u);
  EXPECT_EQ(view->key_count(), 2u);
  EXPECT_THAT(view->Get(SmallKey(1)), IsOkAndHolds(OldValue("one")));
}

TEST(AuthenticatedTreeTest, ADatabaseHasOneOpenTree) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne});
  EXPECT_THAT(AuthenticatedTree::Open(fixture.database(), {}).status(),
              HasReason(ErrorReason::kLocked));
  fixture.Reopen();
  EXPECT_EQ(fixture.tree().view()->key_count(), 1u);
}

TEST(AuthenticatedTreeTest, ACommitThatIsRefusedKeepsNothingOfWhatWasStaged) {
  TreeFixture fixture;
  ASSERT_OK(fixture.tree().Apply(kInsertOne));
  EXPECT_THAT(fixture.tree().Commit({.durability = Durability::kVolatile}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(fixture.tree().staged_operations(), 0u);
  ASSERT_OK(fixture.tree().Apply(kInsertOne)) << "the key is not there";
}

TEST(AuthenticatedTreeTest, MetadataHasALimit) {
  TreeFixture fixture;
  const std::string large((size_t{16} << 20) + 1, 'm');
  EXPECT_THAT(fixture.tree().StageMetadata("k", large), HasReason(ErrorReason::kTooLarge));
  EXPECT_THAT(fixture.tree().MakeCheckpoint({{"k", large}}).status(),
              HasReason(ErrorReason::kTooLarge));
}

TEST(AuthenticatedTreeTest, AFailedOperationHasNoEffectAndSaysWhy) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne});
  ASSERT_OK(fixture.tree().Apply(kInsertTwo));
  ASSERT_OK_AND_ASSIGN(const Digest before, fixture.tree().StagedDigest());
  EXPECT_THAT(fixture.tree().Apply(kInsertOne), HasReason(ErrorReason::kKeyExists));
  EXPECT_THAT(fixture.tree().Apply(Operation::Update(SmallKey(9), "x")),
              HasReason(ErrorReason::kKeyNotFound));
  EXPECT_THAT(fixture.tree().Apply(Operation::Insert("short", "x")),
              HasReason(ErrorReason::kIllegalKey));
  EXPECT_THAT(fixture.tree().Apply(Operation::Insert(std::string(4, '\0'), "x")),
              HasReason(ErrorReason::kIllegalKey));
  EXPECT_THAT(fixture.tree().Apply(Operation::Insert(std::string(4, '\xff'), "x")),
              HasReason(ErrorReason::kIllegalKey));
  EXPECT_THAT(fixture.tree().Apply(Operation::UpdateLongBy(SmallKey(9), -1)),
              ::testing::Not(IsOk()));
  EXPECT_EQ(fixture.tree().StagedDigest().value(), before);
  EXPECT_EQ(fixture.tree().staged_operations(), 1u);
}

TEST(AuthenticatedTreeTest, DiscardForgetsOperationsAndMetadata) {
  TreeFixture fixture;
  const Digest committed = fixture.Commit({kInsertOne}).digest;
  ASSERT_OK(fixture.tree().Apply(kInsertTwo));
  ASSERT_OK(fixture.tree().StageMetadata("position", "7"));
  fixture.tree().Discard();
  EXPECT_EQ(fixture.tree().StagedDigest().value(), committed);
  EXPECT_EQ(fixture.Commit({}).last_operation, 1u);
  EXPECT_FALSE(fixture.tree().GetMetadata("position").value().has_value());
}

TEST(AuthenticatedTreeTest, ReopeningRestoresDigestValuesAndNumbers) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne, kInsertTwo});
  const Digest digest = fixture.Commit({Operation::Remove(SmallKey(1))}).digest;
  fixture.Reopen();
  const auto view = fixture.tree().view();
  EXPECT_EQ(view->digest(), digest);
  EXPECT_EQ(view->operation_number(), 3u);
  EXPECT_EQ(view->commit_number(), 2u);
  EXPECT_EQ(view->key_count(), 1u);
  EXPECT_THAT(view->Get(SmallKey(1)), IsOkAndHolds(OldValue()));
  EXPECT_THAT(view->Get(SmallKey(2)), IsOkAndHolds(OldValue("two")));
  EXPECT_EQ(fixture.tree().statistics().operations_replayed, 3u);
  EXPECT_EQ(fixture.Commit({kInsertOne}).first_operation, 4u);
}

TEST(AuthenticatedTreeTest, ParametersAreFixedAndAMismatchIsRefused) {
  TreeFixture fixture;
  fixture.options().parameters = TreeParameters{.key_length = 5, .value_length = std::nullopt};
  EXPECT_THAT(fixture.OpenTreeAgain(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key length 4")));
  fixture.options().parameters = TreeParameters{.key_length = 4, .value_length = 8};
  EXPECT_THAT(fixture.OpenTreeAgain(), StatusIs(absl::StatusCode::kInvalidArgument));
  fixture.options().parameters.reset();
  ASSERT_OK_AND_ASSIGN(const auto tree, fixture.OpenTreeAgain());
  EXPECT_EQ(tree->parameters(), SmallParameters());
}

TEST(AuthenticatedTreeTest, TheDatabasesIdentityDecidesTheParametersOfANewTree) {
  Options database_options;
  database_options.identity = TreeIdentity({.key_length = 20, .value_length = 8});
  MemoryMachine machine;
  ASSERT_OK_AND_ASSIGN(const auto database, machine.Open(database_options));
  TreeOptions other;
  other.parameters = TreeParameters{};
  EXPECT_THAT(AuthenticatedTree::Open(*database, other),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto tree, AuthenticatedTree::Open(*database, {}));
  EXPECT_EQ(tree->parameters(), (TreeParameters{.key_length = 20, .value_length = 8}));
}

TEST(AuthenticatedTreeTest, TheModeDecidesWhetherATreeIsMade) {
  const auto database = OpenMemoryDatabase();
  ASSERT_NE(database, nullptr);
  TreeOptions options = ManualOptions();
  options.mode = OpenMode::kOpenExisting;
  EXPECT_THAT(AuthenticatedTree::Open(*database, options), HasReason(ErrorReason::kNotAStore));
  options.mode = OpenMode::kCreateNew;
  EXPECT_OK(AuthenticatedTree::Open(*database, options));
  EXPECT_THAT(AuthenticatedTree::Open(*database, options),
              StatusIs(absl::StatusCode::kAlreadyExists));
  options.mode = OpenMode::kOpenExisting;
  EXPECT_OK(AuthenticatedTree::Open(*database, options));
}

TEST(AuthenticatedTreeTest, OptionsOutOfRangeAreRefusedByName) {
  const auto database = OpenMemoryDatabase();
  ASSERT_NE(database, nullptr);
  TreeOptions options;
  options.allowed = 8;
  EXPECT_THAT(AuthenticatedTree::Open(*database, options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("allowed")));
  options.allowed.reset();
  options.parameters = TreeParameters{.key_length = 0, .value_length = std::nullopt};
  EXPECT_THAT(AuthenticatedTree::Open(*database, options),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AuthenticatedTreeTest, AnUnexpectedDigestIsRefusedAtOpen) {
  TreeFixture fixture;
  const Digest digest = fixture.Commit({kInsertOne}).digest;
  fixture.options().expected_digest = EmptyTreeDigest(SmallParameters());
  EXPECT_THAT(fixture.OpenTreeAgain(), HasReason(ErrorReason::kStateMismatch));
  fixture.options().expected_digest = digest;
  EXPECT_OK(fixture.OpenTreeAgain());
}

TEST(AuthenticatedTreeTest, FlagsRefuseWhatTheyDoNotAllow) {
  TreeOptions options = ManualOptions();
  options.allowed = kAllowInsert | kAllowUpdate;
  TreeFixture fixture(options);
  const std::string eight("\0\0\0\0\0\0\0\3", 8);
  fixture.Commit({Operation::Insert(SmallKey(1), eight)});
  EXPECT_THAT(fixture.tree().Apply(Operation::Remove(SmallKey(1))),
              HasReason(ErrorReason::kOperationRefused));
  EXPECT_THAT(fixture.tree().Apply(Operation::RemoveIfExists(SmallKey(1))),
              HasReason(ErrorReason::kOperationRefused));
  EXPECT_THAT(fixture.tree().Apply(Operation::UpdateLongBy(SmallKey(1), -3)),
              HasReason(ErrorReason::kOperationRefused));
  EXPECT_OK(fixture.tree().Apply(Operation::RemoveIfExists(SmallKey(2))));  // removes nothing
  EXPECT_OK(fixture.tree().Apply(Operation::UpdateLongBy(SmallKey(1), -2)));
  fixture.options().allowed = kAllowAll;
  EXPECT_THAT(fixture.OpenTreeAgain(), StatusIs(absl::StatusCode::kInvalidArgument));
  fixture.options().allowed.reset();
  ASSERT_OK_AND_ASSIGN(const auto tree, fixture.OpenTreeAgain());
  EXPECT_EQ(tree->allowed(), kAllowInsert | kAllowUpdate);
}

TEST(AuthenticatedTreeTest, ClientDataIsAtomicWithTheCommit) {
  TreeFixture fixture;
  ASSERT_OK_AND_ASSIGN(Keyspace mine, fixture.database().CreateKeyspace("mine", {}));
  WriteBatch extra;
  extra.Put(mine, "row", "1");
  ASSERT_OK(fixture.tree().Apply(kInsertOne));
  ASSERT_OK(fixture.tree().StageMetadata("position", "line 1"));
  CommitOptions options;
  options.extra = &extra;
  ASSERT_OK(fixture.tree().Commit(options));
  EXPECT_EQ(fixture.tree().GetMetadata("position").value(), "line 1");
  fixture.Reopen();
  EXPECT_EQ(fixture.tree().GetMetadata("position").value(), "line 1");
  ASSERT_OK_AND_ASSIGN(mine, fixture.database().OpenKeyspace("mine"));
  EXPECT_EQ(mine.Get("row")->view(), "1");
  EXPECT_THAT(fixture.tree().StageMetadata("", "x"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AuthenticatedTreeTest, MetadataAloneIsACommitWithoutANumber) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne});
  ASSERT_OK(fixture.tree().StageMetadata("position", "5"));
  ASSERT_OK_AND_ASSIGN(const CommitResult result, fixture.tree().Commit({}));
  EXPECT_EQ(result.commit_number, 1u);
  EXPECT_GT(result.first_operation, result.last_operation);
  EXPECT_EQ(fixture.tree().GetMetadata("position").value(), "5");
  fixture.Reopen();
  EXPECT_EQ(fixture.tree().view()->commit_number(), 1u);
}

TEST(AuthenticatedTreeTest, ACommitThatFailsLeavesTheLastPublishedTree) {
  TreeFixture fixture;
  const Digest digest = fixture.Commit({kInsertOne}).digest;
  ASSERT_OK_AND_ASSIGN(const Keyspace gone, fixture.database().CreateKeyspace("gone", {}));
  ASSERT_OK(fixture.database().DropKeyspace("gone"));
  WriteBatch extra;
  extra.Put(gone, "row", "1");
  ASSERT_OK(fixture.tree().Apply(kInsertTwo));
  CommitOptions options;
  options.extra = &extra;
  EXPECT_FALSE(fixture.tree().Commit(options).ok());
  EXPECT_EQ(fixture.tree().view()->digest(), digest);
  EXPECT_EQ(fixture.tree().StagedDigest().value(), digest);
  EXPECT_EQ(fixture.tree().staged_operations(), 0u);
  // The next commit works, with the number that the failed one would have had.
  EXPECT_EQ(fixture.Commit({kInsertTwo}).first_operation, 2u);
  EXPECT_EQ(fixture.tree().view()->key_count(), 2u);
}

TEST(AuthenticatedTreeTest, AVolatileCommitIsRefused) {
  TreeFixture fixture;
  CommitOptions options;
  options.durability = Durability::kVolatile;
  EXPECT_THAT(fixture.tree().Commit(options), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AuthenticatedTreeTest, ACommitCanBeProvedLookupsIncluded) {
  TreeFixture fixture;
  const Digest start = fixture.Commit({kInsertOne, kInsertTwo}).digest;
  ASSERT_OK(fixture.tree().Apply(Operation::Lookup(SmallKey(1))));
  ASSERT_OK(fixture.tree().Apply(Operation::Remove(SmallKey(1))));
  ASSERT_OK(fixture.tree().Apply(Operation::Insert(SmallKey(3), "three")));
  CommitOptions options;
  options.proof = WantProof::kYes;
  ASSERT_OK_AND_ASSIGN(const CommitResult result, fixture.tree().Commit(options));
  ASSERT_TRUE(result.proof.has_value());
  ExpectProves(*result.proof, start);
  EXPECT_EQ(result.proof->digest, result.digest);
  EXPECT_EQ(result.proof->operations.size(), 3u);
  EXPECT_EQ(result.last_operation, 4u);  // the lookup was not logged
}

TEST(AuthenticatedTreeTest, LookupsAloneWriteNothing) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne});
  const uint64_t sequence = fixture.database().last_sequence();
  EXPECT_EQ(fixture.Commit({Operation::Lookup(SmallKey(1))}).commit_number, 1u);
  EXPECT_EQ(fixture.database().last_sequence(), sequence);
}

TEST(AuthenticatedTreeTest, CheckpointsAreMadeByNumberTimeMemoryAndEveryCommit) {
  uint64_t now = 1000;
  struct Case {
    CheckpointPolicy policy;
    CheckpointReason reason;
  };
  for (const Case& one :
       {Case{{.operations = 3, .milliseconds = 0, .dirty_bytes = 0}, CheckpointReason::kOperations},
        Case{{.operations = 0, .milliseconds = 50, .dirty_bytes = 0}, CheckpointReason::kTime},
        Case{{.operations = 0, .milliseconds = 0, .dirty_bytes = 1500},
             CheckpointReason::kDirtyBytes},
        Case{{.operations = 0, .milliseconds = 0, .dirty_bytes = 0, .every_commit = true},
             CheckpointReason::kEveryCommit}}) {
    TreeOptions options = ManualOptions();
    options.checkpoints = one.policy;
    options.now_milliseconds = [&now] { return now; };
    TreeFixture fixture(options);
    uint64_t commits = 0;
    std::optional<uint64_t> made;
    for (; !made.has_value() && commits < 100; ++commits) {
      now += 20;
      made = fixture.Commit({Operation::Insert(SmallKey(commits), "value")}).checkpoint;
    }
    ASSERT_EQ(made, 1u);
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, fixture.tree().GetCheckpoint(1));
    EXPECT_EQ(checkpoint.reason, one.reason);
    EXPECT_EQ(checkpoint.last_operation, commits);
    EXPECT_EQ(checkpoint.node_count, 2 * commits + 1);
    EXPECT_EQ(checkpoint.digest, fixture.tree().view()->digest());
    if (one.reason == CheckpointReason::kEveryCommit) {
      EXPECT_EQ(commits, 1u);
    } else {
      EXPECT_GE(commits, 3u);
    }
    EXPECT_EQ(fixture.tree().statistics().dirty_nodes, 0u);
  }
}

TEST(AuthenticatedTreeTest, ACheckpointOnDemandIsMadeOncePerState) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne});
  ASSERT_OK_AND_ASSIGN(const Checkpoint first, fixture.tree().MakeCheckpoint({{"why", "test"}}));
  EXPECT_EQ(first.id, 1u);
  EXPECT_EQ(first.metadata.at("why"), "test");
  EXPECT_EQ(fixture.tree().MakeCheckpoint()->id, 1u);
  ASSERT_OK(fixture.tree().Apply(kInsertTwo));
  EXPECT_THAT(fixture.tree().MakeCheckpoint(), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(fixture.tree().Commit({}));
  EXPECT_EQ(fixture.tree().MakeCheckpoint()->id, 2u);
  fixture.Reopen();
  EXPECT_EQ(fixture.tree().statistics().operations_replayed, 0u);
  EXPECT_EQ(fixture.tree().LatestCheckpoint()->id, 2u);
}

TEST(AuthenticatedTreeTest, AnOpenViewKeepsItsRootWhileTheTreeGoesOn) {
  TreeFixture fixture;
  fixture.Commit({kInsertOne});
  const auto old = fixture.tree().view();
  const Digest digest = old->digest();
  for (uint64_t i = 2; i < 60; ++i) {
    fixture.Commit(
        {Operation::Insert(SmallKey(i), "x"), Operation::Update(SmallKey(1), std::to_string(i))});
    if (i % 10 == 0) {
      ASSERT_OK(fixture.tree().MakeCheckpoint());
    }
  }
  EXPECT_EQ(old->digest(), digest);
  EXPECT_THAT(old->Get(SmallKey(1)), IsOkAndHolds(OldValue("one")));
  EXPECT_THAT(old->Get(SmallKey(2)), IsOkAndHolds(OldValue()));
  ASSERT_OK_AND_ASSIGN(const TreeProof proof, old->Prove({SmallKey(1), SmallKey(2)}));
  ExpectProves(proof, digest);
  EXPECT_EQ(proof.old_values, (std::vector<OldValue>{OldValue("one"), OldValue()}));
}

}  // namespace
}  // namespace firn
