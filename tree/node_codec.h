// tree/node_codec.h: the bytes of a stored node in the keyspace "nodes" (docs/formats/node.md).
//
// A stored node is an instance: born at a checkpoint, put once, never put again. Its key:
//
//   offset  size  field
//        0    32  label
//       32     4  tree      big-endian
//       36     8  birth     big-endian; the first checkpoint that holds it
//
// Its record does not repeat the label, which is recomputed at every load. A leaf:
//
//        0     1  tag       0x10
//        1     1  key size  k, at least 1
//        2     k  key
//      2+k     k  next      key of the following leaf
//     2+2k        value     the rest
//
// An internal node:
//
//        0     1  tag       0x20, 0x21, 0x22 for a balance of -1, 0, 1
//        1     1  key size  k, at least 1
//        2     k  routing key: the key of the leftmost leaf of the right subtree
//      2+k    32  label of the left child
//     34+k    32  label of the right child
//     66+k        births of the left and of the right child, varints, each at least 1
//
// Every other tag is refused; nothing follows the last field.
#ifndef FIRN_TREE_NODE_CODEC_H_
#define FIRN_TREE_NODE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"
#include "tree/node.h"

namespace firn {

// Which tree of a store. 0 is for nodes that belong to none (firn/tree_storage.h).
using TreeNumber = uint32_t;

inline constexpr size_t kInstanceKeySize = 32 + 4 + 8;

struct Instance {
  Label label{};
  TreeNumber tree = 0;
  uint64_t birth = 0;
  friend bool operator==(const Instance&, const Instance&) = default;
};

std::string EncodeInstanceKey(const Instance& instance);
// DataLoss/kSerialization if `key` has another length.
absl::StatusOr<Instance> DecodeInstanceKey(absl::string_view key);

struct ChildBirths {
  uint64_t left = 0;
  uint64_t right = 0;
};

// Appends the record of `node` to `target`. Both labels of an internal node's children must be
// known; `births` are written instead of those in the references. A leaf ignores them.
void EncodeNode(const Node& node, ChildBirths births, std::string& target);

// DataLoss/kSerialization naming `label` and the offset. Does not compare the label.
absl::StatusOr<NodePtr> DecodeNode(const Label& label, absl::string_view record);

// 64 hex digits.
std::string LabelToHex(const Label& label);

}  // namespace firn

#endif  // FIRN_TREE_NODE_CODEC_H_
