#include "tools/vector_tree.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(VectorTreeTest, RollsBackToAnyBatchThatEverEnded) {
  const TreeParameters parameters{.key_length = 1};
  const std::unique_ptr<VectorTree> tree = NewMemoryVectorTree(parameters);
  ASSERT_OK_AND_ASSIGN(const Digest empty, tree->digest());
  EXPECT_EQ(empty, EmptyTreeDigest(parameters));
  ASSERT_THAT(tree->Apply(Operation::Insert("a", "1")), IsOk());
  ASSERT_THAT(tree->EndBatch(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Digest first, tree->digest());
  ASSERT_THAT(tree->Apply(Operation::Insert("b", "2")), IsOk());
  ASSERT_THAT(tree->EndBatch(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Digest second, tree->digest());
  ASSERT_THAT(tree->Rollback(0), IsOk());
  EXPECT_THAT(tree->digest(), IsOkAndHolds(empty));
  ASSERT_THAT(tree->Rollback(2), IsOk());
  EXPECT_THAT(tree->digest(), IsOkAndHolds(second));
  ASSERT_THAT(tree->Rollback(1), IsOk());
  EXPECT_THAT(tree->digest(), IsOkAndHolds(first));
  EXPECT_THAT(tree->Rollback(3), HasReason(ErrorReason::kInvalidArgument));
}

TEST(VectorTreeTest, SaysWhichLabelsABatchTakesOutAndBringsIn) {
  const std::unique_ptr<VectorTree> tree = NewMemoryVectorTree({.key_length = 1});
  ASSERT_THAT(tree->Apply(Operation::Insert("a", "1")), IsOk());
  ASSERT_OK_AND_ASSIGN(const VectorTree::Difference difference, tree->BatchDifference());
  EXPECT_EQ(difference.gone.size(), 1u);   // the only leaf had another next
  EXPECT_EQ(difference.added.size(), 3u);  // two leaves and their parent
}

}  // namespace
}  // namespace firn
