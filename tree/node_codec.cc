#include "tree/node_codec.h"

#include <algorithm>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "base/types.h"
#include "tree/label.h"

namespace firn {
namespace {

constexpr uint8_t kLeafTag = 0x10;
constexpr uint8_t kInternalTag = 0x20;  // of balance -1; the others follow
constexpr size_t kLabelSize = sizeof(Label);

absl::Status BadRecord(const Label& label, size_t offset, absl::string_view what) {
  return MakeError(
      absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
      absl::StrCat("record of node ", LabelToHex(label), ": offset ", offset, ": ", what));
}

std::optional<Label> ReadLabel(ByteReader& reader) {
  const std::optional<ByteSpan> bytes = reader.ReadBytes(kLabelSize);
  if (!bytes.has_value()) return std::nullopt;
  Label label;
  std::copy(bytes->begin(), bytes->end(), label.begin());
  return label;
}

absl::StatusOr<NodePtr> DecodeLeaf(const Label& label, size_t key_size, ByteReader reader) {
  LeafFields leaf;
  const std::optional<absl::string_view> key = reader.ReadText(key_size);
  const std::optional<absl::string_view> next = reader.ReadText(key_size);
  if (!key.has_value() || !next.has_value()) {
    return BadRecord(label, reader.position(), "leaf ends inside its keys");
  }
  if (reader.remaining() > UINT32_MAX) return BadRecord(label, reader.position(), "value too long");
  leaf.key = *key;
  leaf.next = *next;
  leaf.value = AsText(reader.rest());
  return Node::NewLeaf(leaf);
}

absl::StatusOr<NodePtr> DecodeInternal(const Label& label, int8_t balance, size_t key_size,
                                       ByteReader reader) {
  const std::optional<absl::string_view> key = reader.ReadText(key_size);
  const std::optional<Label> left = ReadLabel(reader);
  const std::optional<Label> right = ReadLabel(reader);
  if (!key.has_value() || !left.has_value() || !right.has_value()) {
    return BadRecord(label, reader.position(), "internal node ends before its second child");
  }
  const std::optional<uint64_t> left_birth = reader.ReadVarint64();
  const std::optional<uint64_t> right_birth = reader.ReadVarint64();
  constexpr uint64_t kBirthMax = UINT64_MAX >> 1;
  if (!left_birth.has_value() || !right_birth.has_value() || *left_birth == 0 ||
      *right_birth == 0 || *left_birth > kBirthMax || *right_birth > kBirthMax) {
    return BadRecord(label, reader.position(), "births of the children are missing or malformed");
  }
  if (!reader.empty()) return BadRecord(label, reader.position(), "bytes after the last field");
  return Node::NewInternal(*key, balance, ChildRef(*left, *left_birth),
                           ChildRef(*right, *right_birth));
}

}  // namespace

std::string LabelToHex(const Label& label) {
  return absl::BytesToHexString(AsText(ByteSpan(label)));
}

std::string EncodeInstanceKey(const Instance& instance) {
  std::string key;
  key.reserve(kInstanceKeySize);
  PutBytes(key, ByteSpan(instance.label));
  PutBigEndian32(key, instance.tree);
  PutBigEndian64(key, instance.birth);
  return key;
}

absl::StatusOr<Instance> DecodeInstanceKey(absl::string_view key) {
  if (key.size() != kInstanceKeySize) {
    return MakeError(
        absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
        absl::StrCat("key of a stored node has ", key.size(), " bytes, not ", kInstanceKeySize));
  }
  const ByteSpan bytes = AsBytes(key);
  Instance instance;
  std::copy_n(bytes.begin(), kLabelSize, instance.label.begin());
  instance.tree = LoadBigEndian32(bytes.subspan(kLabelSize));
  instance.birth = LoadBigEndian64(bytes.subspan(kLabelSize + 4));
  return instance;
}

void EncodeNode(const Node& node, ChildBirths births, std::string& target) {
  FIRN_CHECK(!node.key().empty());
  const char key_size = static_cast<char>(static_cast<uint8_t>(node.key().size()));
  if (node.is_leaf()) {
    target.push_back(static_cast<char>(kLeafTag));
    target.push_back(key_size);
    target.append(node.key().data(), node.key().size());
    target.append(node.next().data(), node.next().size());
    target.append(node.value().data(), node.value().size());
    return;
  }
  FIRN_CHECK(node.balance() >= -1 && node.balance() <= 1);
  FIRN_CHECK(births.left != 0 && births.right != 0);
  target.push_back(static_cast<char>(kInternalTag + node.balance() + 1));
  target.push_back(key_size);
  target.append(node.key().data(), node.key().size());
  PutBytes(target, ByteSpan(node.left().label()));
  PutBytes(target, ByteSpan(node.right().label()));
  PutVarint64(target, births.left);
  PutVarint64(target, births.right);
}

absl::StatusOr<NodePtr> DecodeNode(const Label& label, absl::string_view record) {
  ByteReader reader(record);
  const std::optional<uint8_t> tag = reader.ReadByte();
  if (!tag.has_value()) return BadRecord(label, 0, "the record is empty");
  const bool is_leaf = *tag == kLeafTag;
  if (!is_leaf && (*tag < kInternalTag || *tag > kInternalTag + 2)) {
    return BadRecord(label, 0, absl::StrCat("unknown tag ", *tag));
  }
  const std::optional<uint8_t> key_size = reader.ReadByte();
  if (!key_size.has_value() || *key_size == 0) return BadRecord(label, 1, "no key size");
  if (is_leaf) return DecodeLeaf(label, *key_size, reader);
  return DecodeInternal(label, static_cast<int8_t>(*tag - kInternalTag - 1), *key_size, reader);
}

}  // namespace firn
