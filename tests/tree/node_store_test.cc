#include "tree/node_store.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "firn/database.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"
#include "tree/label.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr TreeNumber kTree = 1;

NodePtr Leaf(int i) {
  const std::string key = absl::StrCat("k", 1000 + i);
  return Node::NewLeaf({.key = key, .value = "value", .next = absl::StrCat("k", 1001 + i)});
}

Instance InstanceOf(const Node& node, uint64_t birth = 1) {
  return {.label = ComputeLabel(node), .tree = kTree, .birth = birth};
}

TEST(NodeCacheTest, KeepsNoMoreNodesThanAllowedWhateverTheBytes) {
  NodeCache cache({.bytes = size_t{64} << 20, .nodes = 100});
  for (int i = 0; i < 1000; ++i) cache.Insert(InstanceOf(*Leaf(i)), Leaf(i));
  EXPECT_EQ(cache.counters().nodes, 100u);
  EXPECT_TRUE(cache.Lookup(InstanceOf(*Leaf(999))));
  EXPECT_FALSE(cache.Lookup(InstanceOf(*Leaf(0))));
}

TEST(NodeCacheTest, KeepsNoMoreBytesThanAllowedWhateverTheNodes) {
  NodeCache cache({.bytes = 64 << 10, .nodes = std::nullopt});
  for (int i = 0; i < 5000; ++i) cache.Insert(InstanceOf(*Leaf(i)), Leaf(i));
  EXPECT_LE(cache.counters().bytes, 64u << 10);
  EXPECT_GT(cache.counters().nodes, 100u);
}

TEST(NodeCacheTest, IsResizedAtOnceInBothForms) {
  NodeCache cache({.bytes = 256 << 10, .nodes = std::nullopt});
  for (int i = 0; i < 5000; ++i) cache.Insert(InstanceOf(*Leaf(i)), Leaf(i));
  const uint64_t many = cache.counters().nodes;
  EXPECT_GT(cache.counters().evictions, 0u);
  EXPECT_EQ(cache.counters().evictions + many, 5000u);
  cache.SetBytes(32 << 10);
  EXPECT_LE(cache.counters().bytes, 32u << 10);
  EXPECT_TRUE(cache.Lookup(InstanceOf(*Leaf(4999)))) << "the newest stay";
  cache.SetBytes(256 << 10);
  for (int i = 0; i < 5000; ++i) cache.Insert(InstanceOf(*Leaf(i)), Leaf(i));
  EXPECT_EQ(cache.counters().nodes, many);
  cache.SetBytes(0);
  EXPECT_FALSE(cache.keeps_anything());
  EXPECT_EQ(cache.counters().nodes, 0u);

  NodeCache counted({.bytes = size_t{64} << 20, .nodes = 100});
  counted.SetBytes(size_t{32} << 20);
  for (int i = 0; i < 1000; ++i) counted.Insert(InstanceOf(*Leaf(i)), Leaf(i));
  EXPECT_EQ(counted.counters().nodes, 100u);
}

TEST(NodeCacheTest, WithALimitOfZeroNothingIsKept) {
  for (const NodeCache::Limits& limits : {NodeCache::Limits{.bytes = 0, .nodes = std::nullopt},
                                          NodeCache::Limits{.bytes = 1 << 20, .nodes = 0}}) {
    NodeCache cache(limits);
    cache.Insert(InstanceOf(*Leaf(1)), Leaf(1));
    EXPECT_FALSE(cache.keeps_anything());
    EXPECT_FALSE(cache.Lookup(InstanceOf(*Leaf(1))));
  }
}

TEST(NodeCacheTest, InstancesOfOneLabelAreApart) {
  NodeCache cache({.bytes = 1 << 20, .nodes = std::nullopt});
  cache.Insert(InstanceOf(*Leaf(1), 1), Leaf(1));
  EXPECT_FALSE(cache.Lookup(InstanceOf(*Leaf(1), 2)));
}

class NodeStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = OpenMemoryDatabase();
    ASSERT_NE(database_, nullptr);
    ASSERT_OK_AND_ASSIGN(nodes_, database_->CreateKeyspace("nodes", {}));
  }
  void Put(const Instance& instance, const Node& node, ChildBirths births = {}) {
    std::string record;
    EncodeNode(node, births, record);
    PutRecord(instance, record);
  }
  void PutRecord(const Instance& instance, const std::string& record) {
    WriteBatch batch;
    batch.Put(nodes_, EncodeInstanceKey(instance), record);
    ASSERT_OK(database_->Write(batch, Durability::kSynced));
  }

  std::unique_ptr<Database> database_;
  Keyspace nodes_;
  NodeCache cache_{{.bytes = 1 << 20, .nodes = std::nullopt}};
  NodeCounters counters_;
};

TEST_F(NodeStoreTest, LoadsANodeOnceAndThenFromTheCache) {
  Put(InstanceOf(*Leaf(1)), *Leaf(1));
  NodeStore store(nodes_, kTree, Snapshot(), &cache_, &counters_);
  const ChildRef child(ComputeLabel(*Leaf(1)), 1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const NodePtr node, store.Resolve(child));
    EXPECT_EQ(node->value(), "value");
  }
  EXPECT_EQ(counters_.loads.load(), 1u);
  NodeStore uncached(nodes_, kTree, Snapshot(), nullptr, &counters_);
  EXPECT_OK(uncached.Resolve(child));
  EXPECT_EQ(counters_.loads.load(), 2u);
}

TEST_F(NodeStoreTest, AMissingNodeIsNamedAndNeverMadeUp) {
  NodeStore store(nodes_, kTree, Snapshot(), &cache_, &counters_);
  const Label label = ComputeLabel(*Leaf(1));
  EXPECT_THAT(store.Resolve(ChildRef(label, 3)),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(LabelToHex(label)), HasSubstr("checkpoint 3"))));
  EXPECT_THAT(store.Resolve(ChildRef(label, 3)), HasReason(ErrorReason::kMissingNode));
}

TEST_F(NodeStoreTest, ANodeThatDoesNotHashToItsLabelIsRefused) {
  const Label label = ComputeLabel(*Leaf(1));
  Put({.label = label, .tree = kTree, .birth = 1}, *Leaf(2));
  NodeStore store(nodes_, kTree, Snapshot(), &cache_, &counters_);
  EXPECT_THAT(
      store.Resolve(ChildRef(label, 1)),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr(LabelToHex(label)), HasSubstr(LabelToHex(ComputeLabel(*Leaf(2)))))));
  EXPECT_THAT(store.Resolve(ChildRef(label, 1)), HasReason(ErrorReason::kLabelMismatch));
}

TEST_F(NodeStoreTest, ARecordThatCannotBeReadIsRefused) {
  const Label label = ComputeLabel(*Leaf(1));
  PutRecord({.label = label, .tree = kTree, .birth = 1}, "\x55garbage");
  NodeStore store(nodes_, kTree, Snapshot(), &cache_, &counters_);
  EXPECT_THAT(store.Resolve(ChildRef(label, 1)), HasReason(ErrorReason::kSerialization));
}

TEST_F(NodeStoreTest, ASnapshotSeesOnlyItsOwnTime) {
  const Snapshot before = database_->TakeSnapshot();
  Put(InstanceOf(*Leaf(1)), *Leaf(1));
  NodeStore store(nodes_, kTree, before, nullptr, &counters_);
  EXPECT_THAT(store.Resolve(ChildRef(ComputeLabel(*Leaf(1)), 1)),
              HasReason(ErrorReason::kMissingNode));
}

TEST_F(NodeStoreTest, AnErrorIsGivenThePathToItsNode) {
  const ChildRef left(ComputeLabel(*Leaf(1)), 1);
  const ChildRef right(ComputeLabel(*Leaf(2)), 1);
  const NodePtr root = Node::NewInternal(Leaf(2)->key(), 0, left, right);
  const ChildRef root_ref(ComputeLabel(*root), 1);
  Put(InstanceOf(*root), *root, {.left = 1, .right = 1});
  Put(InstanceOf(*Leaf(1)), *Leaf(1));
  NodeStore store(nodes_, kTree, Snapshot(), &cache_, &counters_);
  const absl::Status missing = store.Resolve(right).status();
  EXPECT_THAT(WithPath(missing, root_ref, Leaf(2)->key(), store),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(LabelToHex(root_ref.label())), HasSubstr("path R"))));
  EXPECT_THAT(WithPath(missing, root_ref, Leaf(2)->key(), store),
              HasReason(ErrorReason::kMissingNode));
  const absl::Status other = absl::NotFoundError("x");
  EXPECT_EQ(WithPath(other, root_ref, "k", store), other);
}

}  // namespace
}  // namespace firn
