#include "tree/tree_keyspaces.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "firn/authenticated_tree.h"
#include "firn/keyspace_names.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"

namespace firn {
namespace {

TEST(TreeKeyspacesTest, ParametersSurviveTheirRow) {
  for (const StoredTree& tree :
       {StoredTree{.parameters = {}, .allowed = 7},
        StoredTree{.parameters = {.key_length = 255, .value_length = 0}, .allowed = 1},
        StoredTree{.parameters = {.key_length = 1, .value_length = 70000}, .allowed = 3}}) {
    const std::string row = EncodeStoredTree(tree);
    EXPECT_THAT(DecodeStoredTree(row), IsOkAndHolds(tree));
    EXPECT_THAT(DecodeStoredTree(row + "x"), HasReason(ErrorReason::kSerialization));
    for (size_t size = 0; size < row.size(); ++size) {
      EXPECT_THAT(DecodeStoredTree(row.substr(0, size)), HasReason(ErrorReason::kSerialization));
    }
  }
}

TEST(TreeKeyspacesTest, ParametersOutOfRangeOrOfAnotherVersionAreRefused) {
  EXPECT_THAT(DecodeStoredTree(EncodeStoredTree({.parameters = {.key_length = 0}, .allowed = 7})),
              HasReason(ErrorReason::kSerialization));
  EXPECT_THAT(DecodeStoredTree(EncodeStoredTree({.parameters = {}, .allowed = 8})),
              HasReason(ErrorReason::kSerialization));
  std::string row = EncodeStoredTree({.parameters = {}, .allowed = 7});
  row[0] = 2;
  EXPECT_THAT(DecodeStoredTree(row), HasReason(ErrorReason::kFormatVersion));
}

TEST(TreeKeyspacesTest, TheIdentityTellsTheParameters) {
  for (const TreeParameters& parameters :
       {TreeParameters{}, TreeParameters{.key_length = 20, .value_length = 8}}) {
    ASSERT_OK_AND_ASSIGN(const std::optional<TreeParameters> read,
                         ParametersOfIdentity(TreeIdentity(parameters)));
    EXPECT_EQ(read, parameters);
  }
  EXPECT_FALSE(ParametersOfIdentity({{"else", "1"}}).value().has_value());
  EXPECT_FALSE(ParametersOfIdentity({{"tree_key_length", "32"}}).ok());
  EXPECT_FALSE(ParametersOfIdentity({{"tree_key_length", "x"}, {"tree_value_length", "8"}}).ok());
  EXPECT_FALSE(ParametersOfIdentity({{"tree_key_length", "999"}, {"tree_value_length", "8"}}).ok());
}

TEST(TreeKeyspacesTest, OpensSevenKeyspacesWithTheirLayouts) {
  const std::unique_ptr<Database> database = OpenMemoryDatabase();
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(ReadContent(*database).value(), StoreContent::kNone);
  ASSERT_OK_AND_ASSIGN(const TreeKeyspaces keyspaces,
                       OpenTreeKeyspaces(*database, {}));
  EXPECT_EQ(database->ListKeyspaces(),
            (std::vector<std::string>{"checkpoints", "deaths", "indexes", "metadata", "nodes",
                                      "operations", "records"}));
  std::vector<std::string> named(std::begin(kTreeKeyspaceNames), std::end(kTreeKeyspaceNames));
  std::sort(named.begin(), named.end());
  EXPECT_EQ(database->ListKeyspaces(), named);
  EXPECT_EQ(keyspaces.nodes.options().layout, KeyspaceLayout::kHashed);
  EXPECT_EQ(keyspaces.operations.options().layout, KeyspaceLayout::kSequence);
  EXPECT_EQ(keyspaces.records.options().layout, KeyspaceLayout::kOrdered);
  // Made but not filled: still nobody's.
  EXPECT_EQ(ReadContent(*database).value(), StoreContent::kNone);
  WriteBatch batch;
  batch.Put(keyspaces.metadata, ContentKey(), "something newer");
  ASSERT_OK(database->Write(batch, Durability::kSynced));
  EXPECT_THAT(ReadContent(*database), HasReason(ErrorReason::kFormatVersion));
}

TEST(TreeKeyspacesTest, EachKindIsCompressedInItsOwnWay) {
  const std::unique_ptr<Database> database = OpenMemoryDatabase();
  ASSERT_NE(database, nullptr);
  ASSERT_OK_AND_ASSIGN(const TreeKeyspaces keyspaces,
                       OpenTreeKeyspaces(*database, {.nodes = {Compression::kNone, 0},
                                                     .operations = {Compression::kLz4Hc, 9},
                                                     .checkpoints = {Compression::kLz4Hc, 0},
                                                     .records = {Compression::kLz4, 4}}));
  const auto choice = [](const Keyspace& keyspace) {
    return CompressionChoice{keyspace.options().compression, keyspace.options().compression_level};
  };
  EXPECT_EQ(choice(keyspaces.nodes), (CompressionChoice{Compression::kNone, 0}));
  EXPECT_EQ(choice(keyspaces.operations), (CompressionChoice{Compression::kLz4Hc, 9}));
  EXPECT_EQ(choice(keyspaces.indexes), (CompressionChoice{Compression::kLz4Hc, 9}));
  EXPECT_EQ(choice(keyspaces.checkpoints), (CompressionChoice{Compression::kLz4Hc, 0}));
  EXPECT_EQ(choice(keyspaces.deaths), (CompressionChoice{Compression::kLz4Hc, 0}));
  EXPECT_EQ(choice(keyspaces.records), (CompressionChoice{Compression::kLz4, 4}));
  EXPECT_EQ(choice(keyspaces.metadata), (CompressionChoice{Compression::kLz4, 4}));
}

TEST(TreeKeyspacesTest, AMissingRowIsNoError) {
  const std::unique_ptr<Database> database = OpenMemoryDatabase();
  ASSERT_NE(database, nullptr);
  ASSERT_OK_AND_ASSIGN(const Keyspace keyspace, database->CreateKeyspace("some", {}));
  EXPECT_FALSE(GetRow(keyspace, "key", {}).value().has_value());
  EXPECT_FALSE(GetRow(Keyspace(), "key", {}).ok());
}

}  // namespace
}  // namespace firn
