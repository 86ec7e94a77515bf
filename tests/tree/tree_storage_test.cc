// The named storage tests of the requirements (docs/requirements.md, TST-01 to TST-21), each on disk and in memory.
//
//   TST-01 OpensCreatesAndReopens           TST-12 LargeNodes
//   TST-02 CustomConfiguration              TST-13 ConcurrentAccess
//   TST-03 NodeStorageOperations            TST-14 MissingNodes
//   TST-04 BatchNodeStorage                 TST-15 EdgeCaseRanges
//   TST-05 NodeRangeQueries                 TST-16 SequenceStress
//   TST-06 OperationLogging                 TST-17 CheckpointRollback
//   TST-07 BatchOperationLogging            TST-18 CompressionOfValues
//   TST-08 CheckpointStorage                TST-19 MixedNodeTypes
//   TST-09 MultipleCheckpoints              TST-20 ManySmallOperations
//   TST-10 RecoveryScenario                 TST-21 CleanupAndReinitialise
//   TST-11 SequencePersistence

#include "firn/tree_storage.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"
#include "tree/avl.h"
#include "tree/label.h"
#include "tree/node_codec.h"
#include "tree/prover.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

enum class Where { kDisk, kMemory };

Label Named(uint8_t byte) {
  Label label;
  label.fill(byte);
  return label;
}

// A leaf with a made-up digest, as importers of foreign trees have them.
NodeRecord FakeLeaf(uint8_t digest, const std::string& value = "value") {
  NodeRecord node;
  node.digest = Named(digest);
  node.type = NodeType::kLeaf;
  node.key = "key" + std::to_string(digest);
  node.value = value;
  node.next_key = "next";
  node.time_ms = 1000u + digest;
  return node;
}

OperationRecord SomeOperation(uint64_t sequence) {
  OperationRecord operation;
  operation.sequence = sequence;
  operation.kind = sequence % 2 == 1 ? OperationKind::kInsert : OperationKind::kUpdate;
  operation.time_ms = 5000 + sequence;
  operation.key = "key" + std::to_string(sequence % 7);
  operation.value = "value" + std::to_string(sequence);
  if (sequence % 2 == 0) operation.previous_value = "before";
  return operation;
}

CheckpointRecord SomeCheckpoint(uint64_t id) {
  CheckpointRecord checkpoint;
  checkpoint.id = id;
  checkpoint.time_ms = 9000 + id;
  checkpoint.digest = Digest::From(Named(static_cast<uint8_t>(id)), 4);
  checkpoint.last_sequence = 10 * id;
  checkpoint.node_count = 2 * id + 1;
  checkpoint.metadata = {{"kind", "test"}};
  return checkpoint;
}

class TreeStorageTest : public ::testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    if (GetParam() == Where::kDisk) {
      machine_ = std::make_unique<DiskMachine>();
    } else {
      machine_ = std::make_unique<MemoryMachine>();
    }
    options_.digest_check = DigestCheck::kTrust;
    options_.durability = Durability::kBuffered;
  }
  absl::StatusOr<std::unique_ptr<TreeStorage>> Open() {
    FIRN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, machine_->Open(options_.database));
    return TreeStorage::Open(std::move(database), options_);
  }
  // Closes the storage, if it is open, and opens it again.
  void Reopen() {
    if (storage_ != nullptr) {
      ASSERT_OK(storage_->Close());
    }
    storage_.reset();
    ASSERT_OK_AND_ASSIGN(storage_, Open());
  }

  std::unique_ptr<TestMachine> machine_;
  TreeStorageOptions options_;
  std::unique_ptr<TreeStorage> storage_;
};

INSTANTIATE_TEST_SUITE_P(OnDiskAndInMemory, TreeStorageTest,
                         ::testing::Values(Where::kDisk, Where::kMemory),
                         [](const ::testing::TestParamInfo<Where>& where) {
                           return where.param == Where::kDisk ? "OnDisk" : "InMemory";
                         });

TEST_P(TreeStorageTest, TST01_OpensCreatesAndReopens) {
  Reopen();
  const std::vector<std::string> keyspaces = storage_->database().ListKeyspaces();
  for (const char* name : {"nodes", "operations", "checkpoints", "metadata", "indexes"}) {
    EXPECT_TRUE(std::binary_search(keyspaces.begin(), keyspaces.end(), name)) << name;
  }
  const std::string id = storage_->database().store_id();
  Reopen();
  EXPECT_EQ(storage_->database().store_id(), id);
  EXPECT_EQ(storage_->current_sequence(), 0u);
}

TEST_P(TreeStorageTest, TST02_CustomConfiguration) {
  options_.database.block_cache_size = size_t{512} << 20;
  options_.batch_size = 500;
  options_.compression = Compression::kNone;
  Reopen();
  EXPECT_EQ(storage_->Stats().block_cache_size, size_t{512} << 20);
  EXPECT_EQ(storage_->Stats().batch_size, 500u);
  EXPECT_EQ(storage_->Stats().compression, Compression::kNone);
  options_.compression = Compression::kLz4;
  Reopen();
  EXPECT_EQ(storage_->Stats().compression, Compression::kNone);  // fixed at creation
}

TEST_P(TreeStorageTest, TST03_NodeStorageOperations) {
  Reopen();
  NodeRecord node = FakeLeaf(1);
  node.height = 3;
  ASSERT_OK(storage_->StoreNode(node));
  EXPECT_EQ(storage_->GetNode(node.digest).value(), node);
  NodeRecord later = node;
  later.time_ms = 99999;
  ASSERT_OK(storage_->StoreNode(later));  // stored already: keeps its earlier time
  EXPECT_EQ(storage_->GetNode(node.digest).value(), node);
  EXPECT_EQ(storage_->Stats().nodes_skipped, 1u);
  Reopen();
  EXPECT_EQ(storage_->GetNode(node.digest).value(), node);
}

TEST_P(TreeStorageTest, TST04_BatchNodeStorage) {
  Reopen();
  std::vector<NodeRecord> nodes;
  std::vector<Label> digests;
  for (int i = 0; i < 10'000; ++i) {
    NodeRecord node = FakeLeaf(0);
    node.key = "key" + std::to_string(i);
    node.digest = LeafLabel({.key = *node.key, .value = "", .next = ""});
    digests.push_back(node.digest);
    nodes.push_back(std::move(node));
  }
  ASSERT_OK(storage_->BatchStoreNodes(absl::MakeConstSpan(nodes).subspan(0, 10)));
  ASSERT_OK(storage_->BatchInsertNodes(nodes));
  EXPECT_EQ(storage_->Stats().nodes_stored, 10'000u);
  EXPECT_EQ(storage_->Stats().nodes_skipped, 10u);
  ASSERT_OK_AND_ASSIGN(const auto found, storage_->BatchGetNodes(digests));
  ASSERT_EQ(found.size(), nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) ASSERT_EQ(found[i], nodes[i]) << i;
}

TEST_P(TreeStorageTest, TST05_NodeRangeQueries) {
  Reopen();
  for (const uint8_t digest : std::initializer_list<uint8_t>{3, 1, 5, 2, 4})
    ASSERT_OK(storage_->StoreNode(FakeLeaf(digest)));
  const std::string first(32, '\2');
  const std::string last(32, '\4');
  ASSERT_OK_AND_ASSIGN(const std::vector<NodeRecord> nodes,
                       storage_->GetNodesByDigestRange(first, last, 100));
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(nodes[0], FakeLeaf(2));
  EXPECT_EQ(nodes[1], FakeLeaf(3));
  EXPECT_EQ(nodes[2], FakeLeaf(4));
  EXPECT_EQ(storage_->GetNodesByDigestRange(first, last, 2)->size(), 2u);
  EXPECT_EQ(storage_->GetNodesByDigestRange("\2", "\4", 100)->size(), 3u);  // short bounds
  EXPECT_EQ(storage_->GetNodesByDigestRange("", "", 100)->size(), 5u);
  EXPECT_THAT(storage_->GetNodesByDigestRange(std::string(33, 'x'), "", 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(TreeStorageTest, TST06_OperationLogging) {
  Reopen();
  OperationRecord operation = SomeOperation(1);
  operation.root_before = Digest::From(Named(1), 0);
  operation.root_after = Digest::From(Named(2), 1);
  operation.metadata = {{"origin", "test"}, {"request", std::string("\0\1", 2)}};
  EXPECT_THAT(storage_->LogOperation(operation), IsOkAndHolds(1u));
  ASSERT_OK_AND_ASSIGN(const std::vector<OperationRecord> found, storage_->GetOperations(1, 1, 10));
  EXPECT_EQ(found, std::vector<OperationRecord>{operation});
  EXPECT_EQ(storage_->current_sequence(), 1u);
}

TEST_P(TreeStorageTest, TST07_BatchOperationLogging) {
  Reopen();
  std::vector<OperationRecord> operations;
  for (uint64_t i = 1; i <= 10; ++i) operations.push_back(SomeOperation(i));
  EXPECT_THAT(storage_->BatchLogOperations(operations), IsOkAndHolds(1u));
  EXPECT_EQ(storage_->GetOperations(1, 10, 100).value(), operations);
  // One bad number in the middle: nothing of the batch is logged.
  std::vector<OperationRecord> bad = {SomeOperation(11), SomeOperation(13), SomeOperation(14)};
  EXPECT_THAT(storage_->LogOperations(bad), HasReason(ErrorReason::kSequenceGap));
  EXPECT_EQ(storage_->current_sequence(), 10u);
  EXPECT_TRUE(storage_->GetOperations(11, UINT64_MAX, 100)->empty());
}

TEST_P(TreeStorageTest, TST08_CheckpointStorage) {
  Reopen();
  EXPECT_THAT(storage_->StoreCheckpoint(SomeCheckpoint(1)), IsOkAndHolds(1u));
  EXPECT_EQ(storage_->GetCheckpoint(1).value(), SomeCheckpoint(1));
  EXPECT_FALSE(storage_->GetCheckpoint(2)->has_value());
  EXPECT_OK(storage_->StoreCheckpoint(SomeCheckpoint(1)));  // the same again
  CheckpointRecord other = SomeCheckpoint(1);
  other.node_count = 77;
  EXPECT_THAT(storage_->StoreCheckpoint(other), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(TreeStorageTest, TST09_MultipleCheckpoints) {
  Reopen();
  EXPECT_FALSE(storage_->GetLatestCheckpoint()->has_value());
  for (uint64_t id = 1; id <= 5; ++id) ASSERT_OK(storage_->StoreCheckpoint(SomeCheckpoint(id)));
  EXPECT_EQ(storage_->GetLatestCheckpoint().value(), SomeCheckpoint(5));
  ASSERT_OK_AND_ASSIGN(const std::vector<CheckpointRecord> list, storage_->ListCheckpoints());
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list.front().id, 5u);
  EXPECT_EQ(list.back().id, 1u);
  CheckpointRecord next = SomeCheckpoint(0);
  EXPECT_THAT(storage_->StoreCheckpoint(next), IsOkAndHolds(6u));
}

// Builds the nodes of a tree from records, by digest alone.
class StorageResolver final : public NodeResolver {
 public:
  explicit StorageResolver(const TreeStorage& storage) : storage_(storage) {}
  absl::StatusOr<NodePtr> Resolve(const ChildRef& child) override {
    FIRN_ASSIGN_OR_RETURN(const std::optional<NodeRecord> node, storage_.GetNode(child.label()));
    if (!node.has_value()) {
      return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingNode, "no such node");
    }
    if (node->type == NodeType::kLeaf) {
      return Node::NewLeaf({.key = *node->key, .value = *node->value, .next = *node->next_key});
    }
    return Node::NewInternal(*node->key, node->balance, ChildRef(*node->left, 0),
                             ChildRef(*node->right, 0));
  }

 private:
  const TreeStorage& storage_;
};

// Every node under `child`, as records.
uint32_t AddRecords(const ChildRef& child, std::vector<NodeRecord>& records) {
  const Node& node = *child.node();
  NodeRecord record;
  record.digest = child.label();
  record.key = std::string(node.key());
  record.time_ms = 1;
  if (node.is_leaf()) {
    record.value = std::string(node.value());
    record.next_key = std::string(node.next());
  } else {
    record.type = NodeType::kBranch;
    record.left = node.left().label();
    record.right = node.right().label();
    record.balance = node.balance();
    const uint32_t left = AddRecords(node.left(), records);
    const uint32_t right = AddRecords(node.right(), records);
    record.height = 1 + std::max(left, right);
  }
  records.push_back(record);
  return record.height;
}

constexpr TreeParameters kParameters{.key_length = 8, .value_length = std::nullopt};

std::string TreeKey(int i) { return std::to_string(10'000'000 + i); }

TEST_P(TreeStorageTest, TST10_RecoveryScenario) {
  options_.digest_check = DigestCheck::kVerify;
  Reopen();
  Prover prover(kParameters, EmptyTree(kParameters), 0, nullptr);
  Digest before = prover.digest();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_OK(prover.Apply(Operation::Insert(TreeKey(i * 7919 % 1000), std::to_string(i))));
    OperationRecord operation = SomeOperation(0);
    operation.root_before = before;
    operation.root_after = before = prover.digest();
    ASSERT_OK(storage_->LogOperation(operation));
  }
  std::vector<NodeRecord> records;
  AddRecords(prover.root(), records);
  ASSERT_OK(storage_->BatchStoreNodes(records));
  CheckpointRecord checkpoint = SomeCheckpoint(1);
  checkpoint.digest = prover.digest();
  checkpoint.last_sequence = storage_->current_sequence();
  checkpoint.node_count = records.size();
  ASSERT_OK(storage_->StoreCheckpoint(checkpoint));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto latest, storage_->GetLatestCheckpoint());
  EXPECT_EQ(latest, checkpoint);
  EXPECT_EQ(storage_->GetOperations(1000, 1000, 1)->at(0).root_after, prover.digest());
  // From the root's digest alone: the same tree, with the same proofs.
  StorageResolver resolver(*storage_);
  Prover restored(kParameters, ChildRef(latest->digest.label(), 0), latest->digest.height(),
                  &resolver);
  EXPECT_OK(CheckInvariants({.root = restored.root(), .height = restored.height()}, kParameters,
                            &resolver));
  prover.EndBatch();
  for (Prover* const one : {&prover, &restored}) {
    EXPECT_THAT(one->Apply(Operation::Lookup(TreeKey(500))),
                IsOkAndHolds(::testing::Ne(std::nullopt)));
    EXPECT_OK(one->Apply(Operation::Remove(TreeKey(3))));
  }
  EXPECT_EQ(restored.digest(), prover.digest());
  EXPECT_EQ(restored.GenerateProof(), prover.GenerateProof());
}

TEST_P(TreeStorageTest, TST11_SequencePersistence) {
  Reopen();
  for (uint64_t expected = 1; expected <= 3; ++expected) {
    EXPECT_THAT(storage_->NextSequenceNumber(), IsOkAndHolds(expected));
  }
  Reopen();
  EXPECT_THAT(storage_->NextSequenceNumber(), IsOkAndHolds(4u));
  // Numbers handed out may be logged, in order; the rest is refused, each for its own reason.
  EXPECT_OK(storage_->LogOperation(SomeOperation(2)));
  EXPECT_OK(storage_->LogOperation(SomeOperation(3)));
  EXPECT_THAT(storage_->LogOperation(SomeOperation(3)), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(storage_->LogOperation(SomeOperation(1)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(storage_->LogOperation(SomeOperation(9)), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(storage_->LogOperation(SomeOperation(0)), IsOkAndHolds(5u));
  Reopen();
  EXPECT_THAT(storage_->NextSequenceNumber(), IsOkAndHolds(6u));
}

TEST_P(TreeStorageTest, TST12_LargeNodes) {
  Reopen();
  Random random(1);
  for (const size_t size : {size_t{10} << 10, size_t{1} << 20, size_t{4} << 20}) {
    const NodeRecord node = FakeLeaf(static_cast<uint8_t>(size % 255), RandomBytes(random, size));
    ASSERT_OK(storage_->StoreNode(node));
    EXPECT_EQ(storage_->GetNode(node.digest).value(), node);
  }
  const NodeRecord empty = FakeLeaf(200, "");
  ASSERT_OK(storage_->StoreNode(empty));
  EXPECT_EQ(storage_->GetNode(empty.digest)->value().value, "");
}

TEST_P(TreeStorageTest, TST13_ConcurrentAccess) {
  Reopen();
  // A second writer is refused while the first has the store.
  EXPECT_THAT(Open(), HasReason(ErrorReason::kLocked));
  std::vector<std::thread> threads;
  for (uint8_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (uint8_t i = 0; i < 50; ++i) {
        const NodeRecord node = FakeLeaf(static_cast<uint8_t>(thread / 2 * 50 + i));
        ASSERT_OK(storage_->StoreNode(node));  // two threads store each of them
        ASSERT_EQ(storage_->GetNode(node.digest).value(), node);
        ASSERT_OK(storage_->LogOperation(SomeOperation(0)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(storage_->Stats().nodes_stored, 100u);
  EXPECT_EQ(storage_->Stats().nodes_skipped, 100u);
  EXPECT_EQ(storage_->current_sequence(), 200u);
}

TEST_P(TreeStorageTest, TST14_MissingNodes) {
  Reopen();
  ASSERT_OK(storage_->StoreNode(FakeLeaf(2)));
  EXPECT_FALSE(storage_->GetNode(Named(1))->has_value());
  ASSERT_OK_AND_ASSIGN(const auto nodes,
                       storage_->BatchGetNodes({Named(1), Named(2), Named(3), Named(2)}));
  ASSERT_EQ(nodes.size(), 4u);
  EXPECT_FALSE(nodes[0].has_value());
  EXPECT_EQ(nodes[1], FakeLeaf(2));
  EXPECT_FALSE(nodes[2].has_value());
  EXPECT_EQ(nodes[3], FakeLeaf(2));
}

TEST_P(TreeStorageTest, TST15_EdgeCaseRanges) {
  Reopen();
  for (const uint8_t digest : std::initializer_list<uint8_t>{0x10, 0x30, 0x50, 0x70, 0x90}) {
    ASSERT_OK(storage_->StoreNode(FakeLeaf(digest)));
  }
  const auto count = [this](uint8_t first, uint8_t last) {
    return storage_
        ->GetNodesByDigestRange(std::string(32, static_cast<char>(first)),
                                std::string(32, static_cast<char>(last)), 100)
        ->size();
  };
  EXPECT_EQ(count(0x00, 0xff), 5u);
  EXPECT_EQ(count(0x30, 0x70), 3u);
  EXPECT_EQ(count(0x31, 0x4f), 0u);
  EXPECT_EQ(count(0xa0, 0xff), 0u);
  EXPECT_EQ(count(0x70, 0x30), 0u);  // inverted
}

TEST_P(TreeStorageTest, TST16_SequenceStress) {
  Reopen();
  constexpr int kThreads = 8;
  constexpr uint64_t kCalls = 250;
  std::vector<std::vector<uint64_t>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<uint64_t>& mine : numbers) {
    threads.emplace_back([this, &mine] {
      for (uint64_t i = 0; i < kCalls; ++i) {
        const absl::StatusOr<uint64_t> number = storage_->NextSequenceNumber();
        ASSERT_OK(number);
        mine.push_back(*number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const std::vector<uint64_t>& mine : numbers) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), kThreads * kCalls);
  EXPECT_EQ(*all.begin(), 1u);
  EXPECT_EQ(*all.rbegin(), kThreads * kCalls);
}

TEST_P(TreeStorageTest, TST17_CheckpointRollback) {
  options_.digest_check = DigestCheck::kVerify;
  Reopen();
  Prover prover(kParameters, EmptyTree(kParameters), 0, nullptr);
  std::vector<Digest> digests;
  for (uint64_t id = 1; id <= 2; ++id) {
    for (int i = 0; i < 50; ++i) {
      ASSERT_OK(
          prover.Apply(Operation::InsertOrUpdate(TreeKey(i), "value at " + std::to_string(id))));
    }
    std::vector<NodeRecord> records;
    AddRecords(prover.root(), records);
    ASSERT_OK(storage_->BatchStoreNodes(records));
    CheckpointRecord checkpoint = SomeCheckpoint(id);
    checkpoint.digest = prover.digest();
    digests.push_back(checkpoint.digest);
    ASSERT_OK(storage_->StoreCheckpoint(checkpoint));
    prover.EndBatch();
  }
  EXPECT_EQ(storage_->GetLatestCheckpoint()->value().digest, digests[1]);
  // Back to the first: the older root is whole, readable and provable.
  ASSERT_OK_AND_ASSIGN(const auto first, storage_->GetCheckpoint(1));
  StorageResolver resolver(*storage_);
  Prover older(kParameters, ChildRef(first->digest.label(), 0), first->digest.height(), &resolver);
  EXPECT_EQ(older.digest(), digests[0]);
  EXPECT_THAT(older.Find(TreeKey(7)), IsOkAndHolds(OldValue("value at 1")));
  // A checkpoint whose root is not stored is refused.
  EXPECT_THAT(storage_->StoreCheckpoint(SomeCheckpoint(9)), HasReason(ErrorReason::kMissingNode));
}

TEST_P(TreeStorageTest, TST18_CompressionOfValues) {
  options_.compression = Compression::kLz4;
  Reopen();
  const size_t kNodes = 200;
  for (size_t i = 0; i < kNodes; ++i) {
    ASSERT_OK(storage_->StoreNode(
        FakeLeaf(static_cast<uint8_t>(i), std::string(1024, static_cast<char>('a' + i % 26)))));
  }
  ASSERT_OK(storage_->Compact());
  ASSERT_OK_AND_ASSIGN(const Keyspace nodes, storage_->database().OpenKeyspace("nodes"));
  ASSERT_OK_AND_ASSIGN(const uint64_t stored, nodes.ApproximateSize("", ""));
  EXPECT_GT(stored, 0u);
  EXPECT_LT(stored, kNodes * 1024 / 4);
  EXPECT_EQ(storage_->GetNode(Named(7))->value().value, std::string(1024, 'h'));
}

TEST_P(TreeStorageTest, TST19_MixedNodeTypes) {
  options_.digest_check = DigestCheck::kVerify;
  Reopen();
  NodeRecord left;
  left.key = std::string("\0", 1);
  left.value = "";
  left.next_key = "k";
  left.digest = LeafLabel({.key = *left.key, .value = *left.value, .next = *left.next_key});
  NodeRecord right = left;
  right.key = "k";
  right.value = "v";
  right.next_key = "\xff";
  right.digest = LeafLabel({.key = *right.key, .value = *right.value, .next = *right.next_key});
  NodeRecord branch;
  branch.type = NodeType::kBranch;
  branch.key = "k";
  branch.left = left.digest;
  branch.right = right.digest;
  branch.height = 1;
  branch.digest = InternalLabel(0, left.digest, right.digest);
  ASSERT_OK(storage_->BatchStoreNodes({branch, left, right}));
  ASSERT_OK_AND_ASSIGN(const auto stored, storage_->GetNode(branch.digest));
  ASSERT_TRUE(stored.has_value());
  const NodeRecord& found = *stored;
  EXPECT_EQ(found.type, NodeType::kBranch);
  EXPECT_FALSE(found.value.has_value());
  EXPECT_EQ(storage_->GetNode(*found.left)->value().key, left.key);
  EXPECT_EQ(storage_->GetNode(*found.right)->value().key, right.key);
  NodeRecord lying = right;
  lying.value = "other";
  EXPECT_THAT(storage_->StoreNode(lying), HasReason(ErrorReason::kLabelMismatch));
  int leaves = 0;
  int branches = 0;
  ASSERT_OK(storage_->ScanNodes([&](const NodeRecord& node) {
    ++(node.type == NodeType::kLeaf ? leaves : branches);
    return true;
  }));
  EXPECT_EQ(leaves, 2);
  EXPECT_EQ(branches, 1);
}

TEST_P(TreeStorageTest, TST20_ManySmallOperations) {
  Reopen();
  constexpr uint64_t kOperations = 5000;
  for (uint64_t i = 1; i <= kOperations; ++i) {
    ASSERT_OK(storage_->LogOperation(SomeOperation(i)));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<OperationRecord> all,
                       storage_->GetOperations(1, UINT64_MAX, SIZE_MAX));
  ASSERT_EQ(all.size(), kOperations);
  for (uint64_t i = 1; i <= kOperations; ++i) ASSERT_EQ(all[i - 1], SomeOperation(i));
  EXPECT_EQ(storage_->GetOperationsByTimeRange(5010, 5020, 100)->size(), 10u);
  EXPECT_EQ(storage_->GetOperationsByKey("key3", SIZE_MAX)->size(), kOperations / 7);
}

TEST_P(TreeStorageTest, TST21_CleanupAndReinitialise) {
  Reopen();
  ASSERT_OK(storage_->StoreNode(FakeLeaf(1)));
  ASSERT_OK(storage_->LogOperation(SomeOperation(1)));
  Reopen();
  EXPECT_TRUE(storage_->GetNode(Named(1))->has_value());
  EXPECT_EQ(storage_->current_sequence(), 1u);
  // Wiped and made anew: nothing is left.
  ASSERT_OK(storage_->Close());
  storage_.reset();
  SetUp();
  Reopen();
  EXPECT_FALSE(storage_->GetNode(Named(1))->has_value());
  EXPECT_EQ(storage_->current_sequence(), 0u);
}

}  // namespace
}  // namespace firn
