#include "tree/node_codec.h"

#include <string>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tree/label.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

Label Filled(uint8_t byte) {
  Label label;
  label.fill(byte);
  return label;
}

std::string Golden(absl::string_view name) {
  absl::StatusOr<std::string> bytes = ReadGoldenHex("docs/formats/node.md", name);
  EXPECT_OK(bytes);
  return bytes.ok() ? *bytes : std::string();
}

std::string Encoded(const Node& node, ChildBirths births) {
  std::string record;
  EncodeNode(node, births, record);
  return record;
}

const std::string kKey("\x00\x20", 2);
const std::string kNext("\x00\x40", 2);

TEST(NodeCodecTest, WritesALeafAsThePageSays) {
  const NodePtr leaf = Node::NewLeaf({.key = kKey, .value = "\xaa\xbb\xcc", .next = kNext});
  EXPECT_EQ(Encoded(*leaf, {}), Golden("leaf"));
}

TEST(NodeCodecTest, WritesAnInternalNodeWithTheGivenBirths) {
  const NodePtr node =
      Node::NewInternal(kNext, 1, ChildRef(Filled(0x11), 9), ChildRef(Filled(0x22), 9));
  EXPECT_EQ(Encoded(*node, {.left = 7, .right = 300}), Golden("internal"));
}

TEST(NodeCodecTest, ReadsTheExamplesOfThePage) {
  ASSERT_OK_AND_ASSIGN(const NodePtr leaf, DecodeNode(Filled(1), Golden("leaf")));
  EXPECT_TRUE(leaf->is_leaf());
  EXPECT_EQ(leaf->key(), kKey);
  EXPECT_EQ(leaf->next(), kNext);
  EXPECT_EQ(leaf->value(), "\xaa\xbb\xcc");
  EXPECT_EQ(leaf->epoch(), 0u);
  ASSERT_OK_AND_ASSIGN(const NodePtr node, DecodeNode(Filled(1), Golden("internal")));
  EXPECT_FALSE(node->is_leaf());
  EXPECT_EQ(node->balance(), 1);
  EXPECT_EQ(node->left().label(), Filled(0x11));
  EXPECT_EQ(node->left().birth(), 7u);
  EXPECT_FALSE(node->left().resolved());
  EXPECT_EQ(node->right().birth(), 300u);
}

TEST(NodeCodecTest, AnEmptyValueSurvives) {
  const NodePtr leaf = Node::NewLeaf({.key = kKey, .value = "", .next = kNext});
  ASSERT_OK_AND_ASSIGN(const NodePtr read, DecodeNode(Filled(1), Encoded(*leaf, {})));
  EXPECT_EQ(read->value(), "");
}

TEST(NodeCodecTest, KeysInstancesByLabelThenTreeThenBirth) {
  const Instance instance{.label = Filled(0xab), .tree = 1, .birth = 0x0102};
  const std::string key = EncodeInstanceKey(instance);
  ASSERT_EQ(key.size(), kInstanceKeySize);
  EXPECT_EQ(key.substr(0, 32), std::string(32, '\xab'));
  EXPECT_EQ(key.substr(32), std::string("\0\0\0\1\0\0\0\0\0\0\1\2", 12));
  EXPECT_THAT(DecodeInstanceKey(key), IsOkAndHolds(instance));
  EXPECT_LT(key, EncodeInstanceKey({.label = Filled(0xab), .tree = 1, .birth = 0x0200}));
}

TEST(NodeCodecTest, RefusesAKeyOfAnotherLength) {
  const std::string key = EncodeInstanceKey({.label = Filled(1), .tree = 1, .birth = 1});
  EXPECT_THAT(DecodeInstanceKey(key.substr(1)), HasReason(ErrorReason::kSerialization));
  EXPECT_THAT(DecodeInstanceKey(key + "x"), HasReason(ErrorReason::kSerialization));
}

TEST(NodeCodecTest, NamesTheNodeWhoseTagIsUnknown) {
  std::string record = Golden("leaf");
  for (const char tag : {'\x00', '\x11', '\x1f', '\x23', '\x30', '\xff'}) {
    record[0] = tag;
    EXPECT_THAT(DecodeNode(Filled(0xcd), record),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(LabelToHex(Filled(0xcd)))));
  }
}

TEST(NodeCodecTest, RefusesEveryTruncationThatCutsAField) {
  const std::string leaf = Golden("leaf");
  for (size_t size = 0; size < 6; ++size) {
    EXPECT_THAT(DecodeNode(Filled(1), leaf.substr(0, size)), HasReason(ErrorReason::kSerialization))
        << size;
  }
  const std::string internal = Golden("internal");
  for (size_t size = 0; size < internal.size(); ++size) {
    EXPECT_THAT(DecodeNode(Filled(1), internal.substr(0, size)),
                HasReason(ErrorReason::kSerialization))
        << size;
  }
}

TEST(NodeCodecTest, RefusesBytesAfterAnInternalNodeAndABirthOfZero) {
  std::string record = Golden("internal");
  EXPECT_THAT(DecodeNode(Filled(1), record + '\0'), HasReason(ErrorReason::kSerialization));
  record[0x44] = 0;
  EXPECT_THAT(DecodeNode(Filled(1), record), HasReason(ErrorReason::kSerialization));
}

TEST(NodeCodecTest, RefusesAKeySizeOfZero) {
  std::string record = Golden("leaf");
  record[1] = 0;
  EXPECT_THAT(DecodeNode(Filled(1), record), HasReason(ErrorReason::kSerialization));
}

TEST(NodeCodecTest, WhatIsReadFromRandomBytesIsWrittenAsTheSameBytes) {
  Random random(4711);
  int decoded = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string record = RandomBytes(random, random.Uniform(100));
    if (!record.empty()) {
      record[0] = static_cast<char>(random.OneIn(2) ? 0x10 : 0x20 + random.Uniform(4));
    }
    if (record.size() > 1) record[1] = static_cast<char>(random.Uniform(4));
    const absl::StatusOr<NodePtr> node = DecodeNode(Filled(1), record);
    if (!node.ok()) continue;
    ++decoded;
    ChildBirths births;
    if (!(*node)->is_leaf()) {
      births = {.left = (*node)->left().birth(), .right = (*node)->right().birth()};
    }
    EXPECT_EQ(Encoded(**node, births), record);
  }
  EXPECT_GT(decoded, 100);
}

}  // namespace
}  // namespace firn
