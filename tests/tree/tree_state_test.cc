#include "tree/tree_state.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"

namespace firn {
namespace {

class TreeStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = OpenMemoryDatabase();
    ASSERT_NE(database_, nullptr);
    ASSERT_OK_AND_ASSIGN(const TreeKeyspaces keyspaces,
                         OpenTreeKeyspaces(*database_, {}));
    store_ = std::make_shared<TreeStore>(
        *database_, keyspaces, StoredTree{.parameters = SmallParameters(), .allowed = kAllowAll},
        NodeCache::Limits{.bytes = 1 << 20, .nodes = std::nullopt}, /*its_reserved=*/0);
    state_ = std::make_unique<TreeState>(store_);
  }
  void Insert(uint64_t i, const std::string& value) {
    ASSERT_OK(state_->prover().Apply(Operation::Insert(SmallKey(i), value)));
    const LogPosition before = state_->position();
    state_->EndBatch(
        {.operation = before.operation + 1, .commit = before.commit + 1, .keys = before.keys + 1});
  }

  std::unique_ptr<Database> database_;
  std::shared_ptr<TreeStore> store_;
  std::unique_ptr<TreeState> state_;
};

TEST_F(TreeStateTest, BeginsWithTheEmptyTreeAllDirty) {
  EXPECT_EQ(state_->digest(), EmptyTreeDigest(SmallParameters()));
  EXPECT_EQ(state_->ledger().dirty_nodes(), 1u);
  EXPECT_FALSE(state_->latest_checkpoint().has_value());
}

TEST_F(TreeStateTest, ACheckpointReleasesTheNodesAndKeepsTheDigest) {
  for (uint64_t i = 1; i <= 50; ++i) Insert(i, "value");
  const Digest digest = state_->digest();
  EXPECT_EQ(state_->ledger().dirty_nodes(), 101u);
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       state_->MakeCheckpoint({.time_ms = 5, .metadata = {}}));
  EXPECT_EQ(checkpoint.node_count, 101u);
  EXPECT_EQ(state_->counts().written.nodes, 101u);
  EXPECT_EQ(state_->digest(), digest);
  EXPECT_FALSE(state_->root().resolved());
  EXPECT_EQ(state_->ledger().dirty_nodes(), 0u);
  EXPECT_THAT(state_->prover().Find(SmallKey(7)), IsOkAndHolds(OldValue("value")));
  TreeState again(store_, checkpoint);
  EXPECT_EQ(again.digest(), digest);
  EXPECT_EQ(again.position().keys, 50u);
  EXPECT_THAT(again.prover().Find(SmallKey(50)), IsOkAndHolds(OldValue("value")));
}

TEST_F(TreeStateTest, ACheckpointWritesOnlyWhatChanged) {
  for (uint64_t i = 1; i <= 200; ++i) Insert(i, "value");
  ASSERT_OK(state_->MakeCheckpoint({.metadata = {}}));
  const uint64_t before = state_->counts().written.nodes;
  Insert(1000, "new");
  ASSERT_OK(state_->MakeCheckpoint({.metadata = {}}));
  const uint64_t written = state_->counts().written.nodes - before;
  EXPECT_GE(written, 9u);   // a path, the new leaf and its parent
  EXPECT_LE(written, 20u);  // and no more
  EXPECT_EQ(state_->counts().written.deaths, written - 2);
}

TEST_F(TreeStateTest, ABegunCheckpointOfAnotherTreeIsRefused) {
  Insert(1, "value");
  Checkpoint begun;
  begun.id = 1;
  begun.digest = EmptyTreeDigest(SmallParameters());
  begun.last_operation = 1;
  begun.commit_number = 1;
  begun.root_birth = 1;
  EXPECT_THAT(state_->FinishCheckpoint(begun), HasReason(ErrorReason::kStateMismatch));
}

}  // namespace
}  // namespace firn
