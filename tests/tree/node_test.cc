#include "tree/node.h"

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/map_resolver.h"
#include "tree/label.h"

namespace firn {
namespace {

NodePtr Leaf(absl::string_view key, absl::string_view value, absl::string_view next,
             Epoch epoch = 0) {
  return Node::NewLeaf({.key = key, .value = value, .next = next}, epoch);
}

TEST(NodeTest, ALeafKeepsItsFields) {
  const NodePtr leaf = Leaf("abc", "a value", "def");
  EXPECT_TRUE(leaf->is_leaf());
  EXPECT_EQ(leaf->key(), "abc");
  EXPECT_EQ(leaf->value(), "a value");
  EXPECT_EQ(leaf->next(), "def");
  EXPECT_EQ(leaf->epoch(), 0);
  EXPECT_EQ(ComputeLabel(*leaf), LeafLabel({.key = "abc", .value = "a value", .next = "def"}));
}

TEST(NodeTest, AnInternalNodeKeepsItsFields) {
  Label left;
  left.fill(1);
  Label right;
  right.fill(2);
  const NodePtr node = Node::NewInternal("key", -1, ChildRef(left, 7), ChildRef(right, 8), 3);
  EXPECT_FALSE(node->is_leaf());
  EXPECT_EQ(node->key(), "key");
  EXPECT_EQ(node->balance(), -1);
  EXPECT_EQ(node->left().label(), left);
  EXPECT_EQ(node->left().birth(), 7u);
  EXPECT_EQ(node->right().birth(), 8u);
  EXPECT_FALSE(node->right().resolved());
  EXPECT_EQ(node->epoch(), 3u);
  EXPECT_EQ(ComputeLabel(*node), InternalLabel(-1, left, right));
}

TEST(NodeTest, ReferencesRememberBirthWhetherTheLabelIsKnownOrNot) {
  ChildRef child = ChildRef::WithoutLabel(Leaf("a", "", "b"), (uint64_t{1} << 63) - 1);
  EXPECT_FALSE(child.label_known());
  EXPECT_EQ(child.birth(), (uint64_t{1} << 63) - 1);
  Label label;
  label.fill(9);
  child.set_label(label);
  EXPECT_TRUE(child.label_known());
  EXPECT_EQ(child.birth(), (uint64_t{1} << 63) - 1);
  EXPECT_FALSE(child.Unresolved().resolved());
  EXPECT_EQ(child.Unresolved().label(), label);
  child.forget_label();
  EXPECT_FALSE(child.label_known());
}

TEST(NodeTest, MissingLabelsAreComputedFromTheLeavesUp) {
  const Epoch epoch = NextEpoch();
  const NodePtr inner =
      Node::NewInternal("c", 0, ChildRef::WithoutLabel(Leaf("b", "1", "c", epoch), 0),
                        ChildRef::WithoutLabel(Leaf("c", "2", "d", epoch), 0), epoch);
  ChildRef root = ChildRef::WithoutLabel(
      Node::NewInternal("b", 1, ChildRef::WithoutLabel(Leaf("a", "0", "b", epoch), 0),
                        ChildRef::WithoutLabel(inner, 0), epoch),
      0);
  CompleteLabels(root);
  const Label inner_label = InternalLabel(0, LeafLabel({.key = "b", .value = "1", .next = "c"}),
                                          LeafLabel({.key = "c", .value = "2", .next = "d"}));
  EXPECT_EQ(root.label(),
            InternalLabel(1, LeafLabel({.key = "a", .value = "0", .next = "b"}), inner_label));
  EXPECT_EQ(root.node()->right().label(), inner_label);
}

TEST(NodeTest, ReleasingAVeryDeepTreeDoesNotRecurse) {
  ChildRef spine = ChildRef::WithoutLabel(Leaf("a", "", "b"), 0);
  for (int depth = 0; depth < 1'000'000; ++depth) {
    spine = ChildRef::WithoutLabel(
        Node::NewInternal("", 0, std::move(spine), ChildRef(Label{}, 0), 1), 0);
  }
  CompleteLabels(spine);
  spine = ChildRef();  // a recursion would end the process here
  EXPECT_FALSE(spine.resolved());
}

TEST(NodeTest, SharedSubtreesOutliveTheTreesThatShareThem) {
  const NodePtr shared = Leaf("a", "value", "b");
  {
    const NodePtr first = Node::NewInternal("b", 0, ChildRef::WithoutLabel(shared, 0), ChildRef());
    const NodePtr second = Node::NewInternal("b", 0, ChildRef(), ChildRef::WithoutLabel(shared, 0));
  }
  EXPECT_EQ(shared->value(), "value");
}

TEST(NodeTest, ThreadsMayCopyAndDropReferencesToOneNode) {
  const NodePtr shared = Leaf("a", "value", "b");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([shared] {
      for (int n = 0; n < 10'000; ++n) {
        NodePtr copy = shared;
        NodePtr moved = std::move(copy);
        ASSERT_EQ(moved->key(), "a");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared->value(), "value");
}

TEST(NodeTest, EpochsAreNeverTheSame) {
  const Epoch first = NextEpoch();
  EXPECT_NE(first, 0u);
  EXPECT_GT(NextEpoch(), first);
}

TEST(NodeTest, AnUnresolvedChildWithoutAStoreIsAMissingNode) {
  EXPECT_THAT(LoadNode(ChildRef(Label{}, 0), nullptr), HasReason(ErrorReason::kMissingNode));
  MapResolver resolver({.key_length = 1});
  const ChildRef empty = EmptyTree({.key_length = 1});
  EXPECT_THAT(LoadNode(empty, nullptr), IsOk());
  EXPECT_THAT(LoadNode(empty.Unresolved(), &resolver), StatusIs(absl::StatusCode::kNotFound));
  resolver.Store(empty);
  ASSERT_OK_AND_ASSIGN(const NodePtr loaded, LoadNode(empty.Unresolved(), &resolver));
  EXPECT_EQ(ComputeLabel(*loaded), empty.label());
}

TEST(NodeTest, MemorySizeCountsKeysValuesAndChildren) {
  EXPECT_EQ(Leaf("abc", "12345", "def")->memory_size(), sizeof(Node) + 3 + 3 + 5);
  EXPECT_EQ(Node::NewInternal("abc", 0, ChildRef(), ChildRef())->memory_size(),
            sizeof(Node) + 8 + 2 * sizeof(ChildRef));
}

}  // namespace
}  // namespace firn
