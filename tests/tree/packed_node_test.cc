#include "tree/packed_node.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tree/label.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

std::string Hex(const std::vector<uint8_t>& bytes) { return absl::BytesToHexString(AsText(bytes)); }

constexpr TreeParameters kVariable{.key_length = 2};
constexpr TreeParameters kFixed{.key_length = 2, .value_length = 3};

NodePtr SomeLeaf() { return Node::NewLeaf({.key = "ab", .value = "xyz", .next = "cd"}); }
NodePtr SomeInternal() {
  Label left;
  left.fill(0x11);
  Label right;
  right.fill(0x22);
  return Node::NewInternal("ab", -1, ChildRef(left, 5), ChildRef(right, 6));
}

TEST(PackedNodeTest, ALeafHasItsValueBetweenKeyAndNext) {
  EXPECT_EQ(Hex(PackNode(*SomeLeaf(), kVariable)),
            "01"
            "6162"
            "00000003"
            "78797a"
            "6364");
  EXPECT_EQ(Hex(PackNode(*SomeLeaf(), kFixed)),
            "01"
            "6162"
            "78797a"
            "6364");
}

TEST(PackedNodeTest, AnInternalNodeHasBalanceKeyAndLabels) {
  std::string expected = "00ff6162";
  for (int i = 0; i < 32; ++i) expected += "11";
  for (int i = 0; i < 32; ++i) expected += "22";
  EXPECT_EQ(Hex(PackNode(*SomeInternal(), kVariable)), expected);
}

TEST(PackedNodeTest, UnpackedNodesHaveTheSameLabelAndSayHowLongTheyWere) {
  for (const TreeParameters& parameters : {kVariable, kFixed}) {
    for (const NodePtr& node : {SomeLeaf(), SomeInternal()}) {
      std::vector<uint8_t> bytes = PackNode(*node, parameters);
      const size_t size = bytes.size();
      bytes.push_back(0x77);  // of something else
      ASSERT_OK_AND_ASSIGN(const UnpackedNode unpacked, UnpackNode(bytes, parameters));
      EXPECT_EQ(unpacked.size, size);
      EXPECT_EQ(ComputeLabel(*unpacked.node), ComputeLabel(*node));
      EXPECT_EQ(unpacked.node->key(), node->key());
      EXPECT_EQ(unpacked.node->epoch(), 0u);
    }
  }
}

TEST(PackedNodeTest, EveryTruncationIsRefusedWithItsOffset) {
  for (const TreeParameters& parameters : {kVariable, kFixed}) {
    for (const NodePtr& node : {SomeLeaf(), SomeInternal()}) {
      const std::vector<uint8_t> bytes = PackNode(*node, parameters);
      for (size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_THAT(UnpackNode(ByteSpan(bytes.data(), size), parameters),
                    HasReason(ErrorReason::kSerialization))
            << size;
      }
    }
  }
  EXPECT_THAT(UnpackNode(ByteSpan(), kFixed).status().message(), HasSubstr("offset 0"));
}

TEST(PackedNodeTest, OtherPrefixesBalancesAndLengthsBeyondTheEndAreRefused) {
  std::vector<uint8_t> bytes = PackNode(*SomeInternal(), kVariable);
  bytes[1] = 2;
  EXPECT_THAT(UnpackNode(bytes, kVariable), HasReason(ErrorReason::kSerialization));
  bytes[0] = 2;
  EXPECT_THAT(UnpackNode(bytes, kVariable), HasReason(ErrorReason::kSerialization));
  bytes = PackNode(*SomeLeaf(), kVariable);
  bytes[3] = 0xff;  // the length is 2^32 - something
  EXPECT_THAT(UnpackNode(bytes, kVariable), HasReason(ErrorReason::kSerialization));
  EXPECT_THAT(UnpackNode(bytes, {.key_length = 0}), HasReason(ErrorReason::kInvalidOption));
}

}  // namespace
}  // namespace firn
