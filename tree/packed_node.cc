#include "tree/packed_node.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "tree/label.h"

namespace firn {
namespace {

absl::Status Malformed(const ByteReader& reader, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   absl::StrCat("packed node: offset ", reader.position(), ": ", what, "; ",
                                reader.remaining(), " bytes left"));
}

void AppendBytes(std::vector<uint8_t>& target, ByteSpan bytes) {
  target.insert(target.end(), bytes.begin(), bytes.end());
}

absl::StatusOr<NodePtr> UnpackInternal(ByteReader& reader, const TreeParameters& parameters) {
  const std::optional<uint8_t> balance = reader.ReadByte();
  if (!balance.has_value()) return Malformed(reader, "the balance is missing");
  if (*balance != 0xff && *balance > 1) return Malformed(reader, "the balance is not -1, 0 or 1");
  const std::optional<absl::string_view> key = reader.ReadText(parameters.key_length);
  if (!key.has_value()) return Malformed(reader, "the key is cut off");
  Label labels[2];
  for (Label& label : labels) {
    const std::optional<ByteSpan> bytes = reader.ReadBytes(label.size());
    if (!bytes.has_value()) return Malformed(reader, "a child's label is cut off");
    std::copy(bytes->begin(), bytes->end(), label.begin());
  }
  return Node::NewInternal(*key, static_cast<int8_t>(*balance), ChildRef(labels[0], 0),
                           ChildRef(labels[1], 0));
}

absl::StatusOr<NodePtr> UnpackLeaf(ByteReader& reader, const TreeParameters& parameters) {
  const std::optional<absl::string_view> key = reader.ReadText(parameters.key_length);
  if (!key.has_value()) return Malformed(reader, "the key is cut off");
  size_t value_size = 0;
  if (parameters.value_length.has_value()) {
    value_size = *parameters.value_length;
  } else {
    const std::optional<uint32_t> length = reader.ReadBigEndian32();
    if (!length.has_value()) return Malformed(reader, "the value's length is cut off");
    value_size = *length;
  }
  const std::optional<absl::string_view> value = reader.ReadText(value_size);
  if (!value.has_value()) {
    return Malformed(reader, absl::StrCat("a value of ", value_size, " bytes is cut off"));
  }
  const std::optional<absl::string_view> next = reader.ReadText(parameters.key_length);
  if (!next.has_value()) return Malformed(reader, "the next leaf's key is cut off");
  return Node::NewLeaf({.key = *key, .value = *value, .next = *next});
}

}  // namespace

std::vector<uint8_t> PackNode(const Node& node, const TreeParameters& parameters) {
  std::vector<uint8_t> packed;
  if (!node.is_leaf()) {
    packed.reserve(2 + node.key().size() + 2 * sizeof(Label));
    packed.push_back(kPackedInternal);
    packed.push_back(static_cast<uint8_t>(node.balance()));
    AppendBytes(packed, AsBytes(node.key()));
    AppendBytes(packed, node.left().label());
    AppendBytes(packed, node.right().label());
    return packed;
  }
  packed.reserve(1 + 2 * node.key().size() + 4 + node.value().size());
  packed.push_back(kPackedLeaf);
  AppendBytes(packed, AsBytes(node.key()));
  if (!parameters.value_length.has_value()) {
    uint8_t length[4];
    StoreBigEndian32(length, static_cast<uint32_t>(node.value().size()));
    AppendBytes(packed, length);
  }
  AppendBytes(packed, AsBytes(node.value()));
  AppendBytes(packed, AsBytes(node.next()));
  return packed;
}

absl::StatusOr<UnpackedNode> UnpackNode(ByteSpan bytes, const TreeParameters& parameters) {
  FIRN_RETURN_IF_ERROR(CheckTreeParameters(parameters));
  ByteReader reader(bytes);
  const std::optional<uint8_t> prefix = reader.ReadByte();
  if (!prefix.has_value()) return Malformed(reader, "no bytes");
  if (*prefix != kPackedInternal && *prefix != kPackedLeaf) {
    return Malformed(ByteReader(bytes), absl::StrCat("the first byte is ", *prefix,
                                                     ", neither 0 (internal) nor 1 (leaf)"));
  }
  FIRN_ASSIGN_OR_RETURN(NodePtr node, *prefix == kPackedInternal
                                          ? UnpackInternal(reader, parameters)
                                          : UnpackLeaf(reader, parameters));
  return UnpackedNode{.node = std::move(node), .size = reader.position()};
}

}  // namespace firn
