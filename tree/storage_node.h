// tree/storage_node.h: the bytes of a firn::NodeRecord in the keyspace "nodes" of a TreeStorage
// (docs/formats/node.md). The key is an instance key (tree/node_codec.h) of tree 0, birth 0.
//
//   offset  size  field
//        0     1  tag      0x30
//        1     1  type     NodeType
//        2     1  flags    01 key, 02 value, 04 next key, 08 left, 10 right; others are refused
//        3     1  balance  -1, 0 or 1, as a signed byte
//        4        height, time in ms since 1970: varints
//                 then, where its flag is set and in this order: key, value, next key (varint length,
//                 bytes), labels of left and right (32 each)
//
// Nothing follows the last field. The digest is the key's, and not repeated.
#ifndef FIRN_TREE_STORAGE_NODE_H_
#define FIRN_TREE_STORAGE_NODE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/tree_storage.h"

namespace firn {

std::string EncodeStorageNodeKey(const Label& digest);
// Does not check the record: CheckNodeRecord() does.
std::string EncodeStorageNode(const NodeRecord& node);
// DataLoss/kSerialization naming the digest and the offset.
absl::StatusOr<NodeRecord> DecodeStorageNode(const Label& digest, absl::string_view record);

// InvalidArgument: a type or balance that is none; with kVerify also a field that the type needs and
// that is not there, or (kLabelMismatch, with both) a digest that is not the record's.
absl::Status CheckNodeRecord(const NodeRecord& node, DigestCheck check);

}  // namespace firn

#endif  // FIRN_TREE_STORAGE_NODE_H_
