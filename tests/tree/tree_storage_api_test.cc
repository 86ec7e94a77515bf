// What the public class of the tree storage promises beyond the named tests of tree_storage_test.cc.

#include <memory>
#include <optional>
#include <string>

#include "firn/authenticated_tree.h"
#include "firn/copy_database.h"
#include "firn/tree_storage.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"
#include "tree/storage_node.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TreeStorageOptions InMemory() {
  TreeStorageOptions options;
  options.database.storage = Storage::kMemory;
  options.digest_check = DigestCheck::kTrust;
  return options;
}

TEST(TreeStorageApiTest, OpensByPathInMemoryToo) {
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("anywhere", InMemory()));
  EXPECT_OK(storage->StoreNode(NodeRecord()));
  EXPECT_EQ(storage->Stats().database.io, "memory");
  EXPECT_OK(storage->Close());
}

TEST(TreeStorageApiTest, OptionsOutOfRangeAreRefusedByName) {
  TreeStorageOptions options = InMemory();
  options.batch_size = 0;
  EXPECT_THAT(TreeStorage::Open("store", options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batch_size")));
  options = InMemory();
  options.durability = Durability::kVolatile;
  EXPECT_THAT(TreeStorage::Open("store", options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("durability")));
}

TEST(TreeStorageApiTest, AStoreIsEitherATreeOrAStorage) {
  MemoryMachine tree_machine;
  {
    ASSERT_OK_AND_ASSIGN(const auto database, tree_machine.Open());
    ASSERT_OK(AuthenticatedTree::Open(*database, {}));
    ASSERT_OK(database->Close());
  }
  ASSERT_OK_AND_ASSIGN(auto database, tree_machine.Open());
  EXPECT_THAT(TreeStorage::Open(std::move(database), InMemory()),
              HasReason(ErrorReason::kNotAStore));
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", InMemory()));
  EXPECT_THAT(AuthenticatedTree::Open(storage->database(), {}), HasReason(ErrorReason::kNotAStore));
}

TEST(TreeStorageApiTest, ARootBeforeThatIsNotTheLastRootIsRefused) {
  TreeStorageOptions options = InMemory();
  options.digest_check = DigestCheck::kVerify;
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", options));
  OperationRecord operation;
  operation.key = "k";
  operation.root_after = Digest::From(Label{1}, 1);
  ASSERT_OK(storage->LogOperation(operation));
  operation.root_before = Digest::From(Label{2}, 1);
  EXPECT_THAT(storage->LogOperation(operation), HasReason(ErrorReason::kStateMismatch));
  operation.root_before = Digest::From(Label{1}, 1);
  EXPECT_OK(storage->LogOperation(operation));
  // The root before is filled in where it was not given.
  EXPECT_EQ(storage->GetOperations(2, 2, 1)->at(0).root_before, Digest::From(Label{1}, 1));
}

TEST(TreeStorageApiTest, AStoredNodeThatWasDamagedIsAnErrorAndNotAnAbsence) {
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", InMemory()));
  ASSERT_OK(storage->StoreNode(NodeRecord()));
  ASSERT_OK_AND_ASSIGN(const Keyspace nodes, storage->database().OpenKeyspace("nodes"));
  WriteBatch batch;
  batch.Put(nodes, EncodeStorageNodeKey(Label{}), "garbage");
  ASSERT_OK(storage->database().Write(batch, Durability::kSynced));
  EXPECT_THAT(storage->GetNode(Label{}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TreeStorageApiTest, StampsTimesThatAreNotGiven) {
  TreeStorageOptions options = InMemory();
  options.now_milliseconds = [] { return uint64_t{4242}; };
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", options));
  ASSERT_OK(storage->StoreNode(NodeRecord()));
  EXPECT_EQ(storage->GetNode(Label{})->value().time_ms, 4242u);
  ASSERT_OK(storage->LogOperation(OperationRecord()));
  EXPECT_EQ(storage->GetOperations(1, 1, 1)->at(0).time_ms, 4242u);
  ASSERT_OK(storage->StoreCheckpoint(CheckpointRecord()));
  EXPECT_EQ(storage->GetLatestCheckpoint()->value().time_ms, 4242u);
}

TEST(TreeStorageApiTest, AnOperationThatCannotBeIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", InMemory()));
  EXPECT_THAT(storage->BatchLogOperations({}), StatusIs(absl::StatusCode::kInvalidArgument));
  OperationRecord operation;
  operation.key = std::string(70'000, 'k');
  EXPECT_THAT(storage->LogOperation(operation), HasReason(ErrorReason::kTooLarge));
}

TEST(TreeStorageApiTest, InMemoryItIsDumpedToDiskAndLoadedBack) {
  const TemporaryDirectory folder;
  TreeStorageOptions options = InMemory();
  options.digest_check = DigestCheck::kTrust;
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", options));
  NodeRecord node;
  node.digest[0] = 7;
  node.key = std::string(32, 'k');
  node.value = "value";
  node.next_key = std::string(32, 'n');
  node.time_ms = 5;
  ASSERT_OK(storage->StoreNode(node));
  OperationRecord operation;
  operation.key = "key";
  operation.value = "value";
  operation.time_ms = 9;
  ASSERT_THAT(storage->LogOperation(operation), IsOkAndHolds(1u));
  {
    ASSERT_OK_AND_ASSIGN(auto disk, Database::Open(folder.File("dump"), {}));
    ASSERT_OK(CopyDatabase(storage->database(), *disk));
    ASSERT_OK(disk->Close());
  }
  ASSERT_OK_AND_ASSIGN(auto disk, Database::Open(folder.File("dump"), {}));
  ASSERT_OK_AND_ASSIGN(auto memory, Database::Open("store", options.database));
  ASSERT_OK(CopyDatabase(*disk, *memory));
  TreeStorageOptions again = options;
  ASSERT_OK_AND_ASSIGN(const auto loaded, TreeStorage::Open(std::move(memory), again));
  ASSERT_OK_AND_ASSIGN(const std::optional<NodeRecord> back, loaded->GetNode(node.digest));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, node);
  EXPECT_EQ(loaded->current_sequence(), 1u);
  ASSERT_OK_AND_ASSIGN(const auto operations, loaded->GetOperations(1, 9, 9));
  ASSERT_EQ(operations.size(), 1u);
  EXPECT_EQ(operations.front().key, "key");
}

TEST(TreeStorageApiTest, BackupSaysThatItIsNotOffered) {
  ASSERT_OK_AND_ASSIGN(const auto storage, TreeStorage::Open("store", InMemory()));
  EXPECT_THAT(storage->Backup("elsewhere"), StatusIs(absl::StatusCode::kUnimplemented));
}

}  // namespace
}  // namespace firn
