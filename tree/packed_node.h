// tree/packed_node.h: the bytes in which other programs store a node, for import and export.
//
//   internal  00 | balance, one signed byte | key | label(left) | label(right)
//   leaf      01 | key | [u32 big-endian length, if values are variable] | value | next
//
// These prefixes are the other way round in labels (tree/label.h). A leaf has its value between key
// and next. Bytes after a node are not its own: Unpack() says how many it took.
#ifndef FIRN_TREE_PACKED_NODE_H_
#define FIRN_TREE_PACKED_NODE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/types.h"
#include "firn/proof.h"
#include "tree/node.h"

namespace firn {

inline constexpr uint8_t kPackedInternal = 0;
inline constexpr uint8_t kPackedLeaf = 1;

// Both child labels must be known.
std::vector<uint8_t> PackNode(const Node& node, const TreeParameters& parameters);

struct UnpackedNode {
  NodePtr node;  // children unresolved, births 0
  size_t size;   // bytes taken
};
// DataLoss/kSerialization, with the offset, if `bytes` do not begin with a node. An internal node's
// key is not covered by its label: the caller checks the order of keys if it cannot trust the bytes.
absl::StatusOr<UnpackedNode> UnpackNode(ByteSpan bytes, const TreeParameters& parameters);

}  // namespace firn

#endif  // FIRN_TREE_PACKED_NODE_H_
