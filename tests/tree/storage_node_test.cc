#include "tree/storage_node.h"

#include <string>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tree/label.h"
#include "tree/node_codec.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Label Filled(uint8_t byte) {
  Label label;
  label.fill(byte);
  return label;
}

NodeRecord GoldenNode() {
  NodeRecord node;
  node.digest = Filled(9);
  node.type = NodeType::kLeaf;
  node.key = " ";
  node.value = "";
  node.next_key = "@";
  node.time_ms = 1000;
  return node;
}

NodeRecord RandomNode(Random& random) {
  NodeRecord node;
  node.digest = Filled(static_cast<uint8_t>(random.Next()));
  node.type = random.OneIn(2) ? NodeType::kLeaf : NodeType::kBranch;
  if (random.OneIn(2)) node.key = RandomKey(random, 40);
  if (random.OneIn(2)) node.value = RandomValue(random, 500);
  if (random.OneIn(2)) node.next_key = RandomKey(random, 40);
  if (random.OneIn(2)) node.left = Filled(static_cast<uint8_t>(random.Next()));
  if (random.OneIn(2)) node.right = Filled(static_cast<uint8_t>(random.Next()));
  node.balance = static_cast<int8_t>(static_cast<int>(random.Uniform(3)) - 1);
  node.height = static_cast<uint32_t>(random.Uniform(256));
  node.time_ms = random.Next() >> random.Uniform(64);
  return node;
}

TEST(StorageNodeTest, IsWrittenAndReadAsThePageSays) {
  ASSERT_OK_AND_ASSIGN(const std::string golden, ReadGoldenHex("docs/formats/node.md", "storage"));
  EXPECT_EQ(EncodeStorageNode(GoldenNode()), golden);
  EXPECT_THAT(DecodeStorageNode(Filled(9), golden), IsOkAndHolds(GoldenNode()));
}

TEST(StorageNodeTest, KeepsEveryFieldAbsentOnesIncluded) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    const NodeRecord node = RandomNode(random);
    const std::string record = EncodeStorageNode(node);
    EXPECT_THAT(DecodeStorageNode(node.digest, record), IsOkAndHolds(node));
    const size_t cut = random.Uniform(record.size());
    EXPECT_THAT(DecodeStorageNode(node.digest, record.substr(0, cut)),
                HasReason(ErrorReason::kSerialization));
    EXPECT_THAT(DecodeStorageNode(node.digest, record + "x"),
                HasReason(ErrorReason::kSerialization));
  }
}

TEST(StorageNodeTest, RefusesUnknownTagsTypesFlagsAndBalances) {
  const std::string good = EncodeStorageNode(GoldenNode());
  for (const auto& [offset, byte] : {std::pair{0, 0x10}, {1, 0}, {1, 3}, {2, 0x27}, {3, 2}}) {
    std::string record = good;
    record[static_cast<size_t>(offset)] = static_cast<char>(byte);
    EXPECT_THAT(DecodeStorageNode(Filled(9), record),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(LabelToHex(Filled(9)))));
  }
}

TEST(StorageNodeTest, ALeafMustHashToItsDigestUnlessItIsTrusted) {
  NodeRecord node = GoldenNode();
  const Label right = LeafLabel({.key = " ", .value = "", .next = "@"});
  EXPECT_THAT(CheckNodeRecord(node, DigestCheck::kVerify),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(LabelToHex(node.digest)), HasSubstr(LabelToHex(right)))));
  EXPECT_THAT(CheckNodeRecord(node, DigestCheck::kVerify), HasReason(ErrorReason::kLabelMismatch));
  EXPECT_OK(CheckNodeRecord(node, DigestCheck::kTrust));
  node.digest = right;
  EXPECT_OK(CheckNodeRecord(node, DigestCheck::kVerify));
}

TEST(StorageNodeTest, ABranchNeedsItsChildrenAndRoutingKey) {
  NodeRecord node;
  node.type = NodeType::kBranch;
  node.left = Filled(1);
  node.right = Filled(2);
  node.balance = -1;
  node.digest = InternalLabel(-1, Filled(1), Filled(2));
  EXPECT_FALSE(CheckNodeRecord(node, DigestCheck::kVerify).ok());
  node.key = "k";
  EXPECT_OK(CheckNodeRecord(node, DigestCheck::kVerify));
  node.right.reset();
  EXPECT_FALSE(CheckNodeRecord(node, DigestCheck::kVerify).ok());
}

}  // namespace
}  // namespace firn
