#include "tree/storage_node.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "base/types.h"
#include "tree/label.h"
#include "tree/node_codec.h"

namespace firn {
namespace {

constexpr uint8_t kStorageNodeTag = 0x30;

enum Flag : uint8_t {
  kHasKey = 0x01,
  kHasValue = 0x02,
  kHasNext = 0x04,
  kHasLeft = 0x08,
  kHasRight = 0x10,
  kReservedFlags = 0xe0,
};

absl::Status BadNode(const Label& digest, size_t offset, absl::string_view what) {
  return MakeError(
      absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
      absl::StrCat("record of node ", LabelToHex(digest), ": offset ", offset, ": ", what));
}

bool ReadText(ByteReader& reader, bool present, std::optional<std::string>& target) {
  if (!present) return true;
  const std::optional<absl::string_view> text = reader.ReadLengthPrefixed();
  if (!text.has_value()) return false;
  target.emplace(text->data(), text->size());
  return true;
}

bool ReadChild(ByteReader& reader, bool present, std::optional<Label>& target) {
  if (!present) return true;
  const std::optional<ByteSpan> bytes = reader.ReadBytes(sizeof(Label));
  if (!bytes.has_value()) return false;
  std::copy(bytes->begin(), bytes->end(), target.emplace().begin());
  return true;
}

void PutText(std::string& target, const std::optional<std::string>& text) {
  if (text.has_value()) PutLengthPrefixed(target, *text);
}

absl::Status Lacks(const NodeRecord& node, absl::string_view what) {
  return InvalidArgument(absl::StrCat("node ", LabelToHex(node.digest), " lacks ", what));
}

}  // namespace

std::string EncodeStorageNodeKey(const Label& digest) {
  return EncodeInstanceKey({.label = digest, .tree = 0, .birth = 0});
}

std::string EncodeStorageNode(const NodeRecord& node) {
  int flags = 0;
  if (node.key.has_value()) flags |= kHasKey;
  if (node.value.has_value()) flags |= kHasValue;
  if (node.next_key.has_value()) flags |= kHasNext;
  if (node.left.has_value()) flags |= kHasLeft;
  if (node.right.has_value()) flags |= kHasRight;
  std::string record;
  record.push_back(static_cast<char>(kStorageNodeTag));
  record.push_back(static_cast<char>(node.type));
  record.push_back(static_cast<char>(flags));
  record.push_back(static_cast<char>(node.balance));
  PutVarint32(record, node.height);
  PutVarint64(record, node.time_ms);
  PutText(record, node.key);
  PutText(record, node.value);
  PutText(record, node.next_key);
  if (node.left.has_value()) PutBytes(record, ByteSpan(*node.left));
  if (node.right.has_value()) PutBytes(record, ByteSpan(*node.right));
  return record;
}

absl::StatusOr<NodeRecord> DecodeStorageNode(const Label& digest, absl::string_view record) {
  ByteReader reader(record);
  const std::optional<uint8_t> tag = reader.ReadByte();
  const std::optional<uint8_t> type = reader.ReadByte();
  const std::optional<uint8_t> flags = reader.ReadByte();
  const std::optional<uint8_t> balance = reader.ReadByte();
  if (!balance.has_value()) {
    return BadNode(digest, reader.position(), "shorter than its first four bytes");
  }
  if (*tag != kStorageNodeTag) return BadNode(digest, 0, absl::StrCat("unknown tag ", *tag));
  if (*type != static_cast<uint8_t>(NodeType::kLeaf) &&
      *type != static_cast<uint8_t>(NodeType::kBranch)) {
    return BadNode(digest, 1, absl::StrCat("unknown type ", *type));
  }
  if ((*flags & kReservedFlags) != 0) return BadNode(digest, 2, "reserved flag");
  NodeRecord node;
  node.digest = digest;
  node.type = static_cast<NodeType>(*type);
  node.balance = static_cast<int8_t>(*balance);
  if (node.balance < -1 || node.balance > 1) return BadNode(digest, 3, "impossible balance");
  const std::optional<uint32_t> height = reader.ReadVarint32();
  const std::optional<uint64_t> time = reader.ReadVarint64();
  if (!height.has_value() || !time.has_value() ||
      !ReadText(reader, (*flags & kHasKey) != 0, node.key) ||
      !ReadText(reader, (*flags & kHasValue) != 0, node.value) ||
      !ReadText(reader, (*flags & kHasNext) != 0, node.next_key) ||
      !ReadChild(reader, (*flags & kHasLeft) != 0, node.left) ||
      !ReadChild(reader, (*flags & kHasRight) != 0, node.right)) {
    return BadNode(digest, reader.position(), "field missing or malformed");
  }
  node.height = *height;
  node.time_ms = *time;
  if (!reader.empty()) return BadNode(digest, reader.position(), "bytes after the last field");
  return node;
}

absl::Status CheckNodeRecord(const NodeRecord& node, DigestCheck check) {
  if (node.type != NodeType::kLeaf && node.type != NodeType::kBranch) {
    return InvalidArgument(absl::StrCat("node ", LabelToHex(node.digest), " has no known type"));
  }
  if (node.balance < -1 || node.balance > 1) {
    return InvalidArgument(absl::StrCat("node ", LabelToHex(node.digest), " has balance ",
                                        static_cast<int>(node.balance)));
  }
  if (check == DigestCheck::kTrust) return absl::OkStatus();
  Label actual;
  if (node.type == NodeType::kLeaf) {
    if (!node.key.has_value()) return Lacks(node, "a key");
    if (!node.value.has_value()) return Lacks(node, "a value");
    if (!node.next_key.has_value()) return Lacks(node, "a next key");
    actual = LeafLabel({.key = *node.key, .value = *node.value, .next = *node.next_key});
  } else {
    if (!node.left.has_value() || !node.right.has_value()) return Lacks(node, "a child");
    if (!node.key.has_value()) return Lacks(node, "a routing key");
    actual = InternalLabel(node.balance, *node.left, *node.right);
  }
  if (actual == node.digest) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kLabelMismatch,
                   absl::StrCat("the record stored as ", LabelToHex(node.digest), " hashes to ",
                                LabelToHex(actual)));
}

}  // namespace firn
