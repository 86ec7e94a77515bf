// tree/tree_keyspaces.h: the keyspaces of a tree's store, and the facts about it that stand in one of
// them.
//
// Rows of the keyspace "metadata":
//
//   "content"            "tree" or "storage": what the store was made for (firn/tree_storage.h)
//   "tree/" number       parameters: version 1 (one byte), key length (varint), 1 and the value length
//                        (varint) or 0 if values are of any length, operations allowed (one byte)
//   "removed/" number    present once a key was removed: the records alone cannot rebuild the tree
//   "reserved"           the highest operation number handed out (varint); storage only
//   "client/" name       what the client staged
//
// Tree numbers are decimal.
#ifndef FIRN_TREE_TREE_KEYSPACES_H_
#define FIRN_TREE_TREE_KEYSPACES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/database.h"
#include "firn/keyspace.h"
#include "firn/proof.h"
#include "firn/snapshot.h"
#include "tree/node_codec.h"

namespace firn {

// The one tree of a store, until there are many.
inline constexpr TreeNumber kOnlyTree = 1;

struct TreeKeyspaces {
  Keyspace nodes;        // hashed: instance -> node record
  Keyspace operations;   // sequence: number -> operation record
  Keyspace checkpoints;  // ordered: state, id -> checkpoint record
  Keyspace deaths;       // ordered: tree, checkpoint, instance
  Keyspace metadata;     // ordered
  Keyspace indexes;      // ordered: time -> operations, key -> operations
  Keyspace records;      // ordered: tree, key -> value, rank
};

enum class StoreContent : uint8_t {
  kNone,  // nothing was made yet
  kTree,
  kStorage,
};

// What the store was made for.
absl::StatusOr<StoreContent> ReadContent(Database& database);
// Opens the keyspaces, or makes those that are not there.
absl::StatusOr<TreeKeyspaces> OpenTreeKeyspaces(Database& database,
                                                const TreeCompression& compression);
// One codec for all kinds.
TreeCompression SameCompression(Compression codec);

struct StoredTree {
  TreeParameters parameters;
  uint8_t allowed = 0;
  friend bool operator==(const StoredTree&, const StoredTree&) = default;
};

std::string EncodeStoredTree(const StoredTree& tree);
// DataLoss/kSerialization; FailedPrecondition/kFormatVersion.
absl::StatusOr<StoredTree> DecodeStoredTree(absl::string_view row);

std::string ContentKey();
std::string ContentValue(StoreContent content);
std::string StoredTreeKey(TreeNumber tree);
std::string RemovedKey(TreeNumber tree);
std::string ReservedKey();
std::string ClientKey(absl::string_view name);

// The parameters in a database's identity, if it has any. DataLoss if they are malformed.
absl::StatusOr<std::optional<TreeParameters>> ParametersOfIdentity(
    const std::map<std::string, std::string>& identity);
// "key length 32, values of any length".
std::string DescribeParameters(const TreeParameters& parameters);

// The row under `key`; none if there is none.
absl::StatusOr<std::optional<std::string>> GetRow(const Keyspace& keyspace, absl::string_view key,
                                                  const Snapshot& snapshot);

}  // namespace firn

#endif  // FIRN_TREE_TREE_KEYSPACES_H_
