// firn/tree_storage.h: nodes by digest, operations by number, checkpoints by id: plain storage for a
// tree that someone else computes. (firn/authenticated_tree.h keeps a tree of its own and needs none
// of this.) The same code serves a folder on disk and files in memory (Options::storage).
//
// A store holds either a TreeStorage or an AuthenticatedTree; opening one as the other is refused.
#ifndef FIRN_TREE_STORAGE_H_
#define FIRN_TREE_STORAGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/database.h"
#include "firn/options.h"
#include "firn/proof.h"

namespace firn {

class TreeStorageImpl;

enum class NodeType : uint8_t { kLeaf = 1, kBranch = 2 };

// All that is needed to build the tree again, and a few facts beside it. Absent
// and empty are different things.
struct NodeRecord {
  Label digest{};
  NodeType type = NodeType::kLeaf;
  std::optional<std::string> key;       // of a leaf; of a branch the routing key
  std::optional<std::string> value;     // of a leaf
  std::optional<std::string> next_key;  // of a leaf: the key of the following leaf
  std::optional<Label> left, right;     // of a branch
  int8_t balance = 0;                   // of a branch: -1, 0 or 1
  uint32_t height = 0;                  // 0 for a leaf
  uint64_t time_ms = 0;                 // first stored; 0 lets the storage stamp it
  friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

enum class DigestCheck : uint8_t {
  kVerify = 1,  // the record must hash to its digest (InvalidArgument/kLabelMismatch shows both)
  kTrust = 2,   // the digest is only a name: for imports of foreign digests
};

// An entry of the operation log. sequence 0 lets the storage assign the next number.
struct OperationRecord {
  uint64_t sequence = 0;
  OperationKind kind = OperationKind::kInsert;
  uint64_t time_ms = 0;
  std::string key;                            // any length
  std::optional<std::string> value;           // none for a removal
  std::optional<std::string> previous_value;  // none if there was none
  std::optional<Digest> root_before;          // not given: the previous entry's root_after
  std::optional<Digest> root_after;
  std::map<std::string, std::string> metadata;
  friend bool operator==(const OperationRecord&, const OperationRecord&) = default;
};

struct CheckpointRecord {
  uint64_t id = 0;
  uint64_t time_ms = 0;
  Digest digest;
  uint64_t last_sequence = 0;
  uint64_t node_count = 0;
  std::map<std::string, std::string> metadata;
  friend bool operator==(const CheckpointRecord&, const CheckpointRecord&) = default;
};

struct TreeStorageOptions {
  Options database;
  Compression compression = Compression::kLz4;  // of all keyspaces, when they are made
  std::optional<TreeCompression> compression_by_kind;  // instead of it
  Durability durability = Durability::kSynced;  // of every call that writes
  DigestCheck digest_check = DigestCheck::kVerify;
  size_t batch_size = 1000;  // [1, 100000]; nodes in one atomic piece of BatchStoreNodes()
  std::function<uint64_t()> now_milliseconds;  // none: the system's clock
};

struct TreeStorageStatistics {
  uint64_t nodes_stored = 0;   // since open
  uint64_t nodes_skipped = 0;  // were there already
  uint64_t nodes_read = 0;     // found
  uint64_t nodes_missed = 0;   // not found
  uint64_t operations_logged = 0;
  uint64_t last_sequence = 0;  // logged
  uint64_t checkpoints_stored = 0;
  Compression compression = Compression::kLz4;  // the store's, whatever was asked for now
  size_t batch_size = 0;
  size_t block_cache_size = 0;
  Statistics database;
};

// Thread-safe. Calls whose name says Range include both ends, the time range excepted.
class TreeStorage {
 public:
  // Errors as of Database::Open(), and FailedPrecondition/kNotAStore if the store holds a tree.
  static absl::StatusOr<std::unique_ptr<TreeStorage>> Open(absl::string_view path,
                                                           const TreeStorageOptions& options);
  // On a database that is open already; `options.database` is not looked at.
  static absl::StatusOr<std::unique_ptr<TreeStorage>> Open(std::unique_ptr<Database> database,
                                                           const TreeStorageOptions& options);
  ~TreeStorage();
  TreeStorage(const TreeStorage&) = delete;
  TreeStorage& operator=(const TreeStorage&) = delete;
  absl::Status Close();

  // A digest that is stored already keeps its record and its earlier time.
  absl::Status StoreNode(const NodeRecord& node);
  // Pieces of batch_size nodes, each atomic; duplicates are dropped.
  absl::Status BatchStoreNodes(absl::Span<const NodeRecord> nodes);
  absl::Status BatchInsertNodes(absl::Span<const NodeRecord> nodes) {
    return BatchStoreNodes(nodes);
  }
  // None if absent; DataLoss if what is stored cannot be believed.
  absl::StatusOr<std::optional<NodeRecord>> GetNode(const Label& digest) const;
  // In the order of `digests`, none where absent; read together.
  absl::StatusOr<std::vector<std::optional<NodeRecord>>> BatchGetNodes(
      absl::Span<const Label> digests) const;
  // Nodes whose digest is in [first, last], in order, at most `limit`. Either bound may be shorter
  // than a digest: `first` then begins and `last` ends with every digest that has it as prefix.
  absl::StatusOr<std::vector<NodeRecord>> GetNodesByDigestRange(absl::string_view first,
                                                                absl::string_view last,
                                                                size_t limit) const;
  // Every node in digest order until `visit` returns false; in bounded memory.
  absl::Status ScanNodes(const std::function<bool(const NodeRecord&)>& visit) const;

  // A new number, never given out before (by this store; a power failure may forget numbers that no
  // operation was logged under). Numbers start at 1.
  absl::StatusOr<uint64_t> NextSequenceNumber();
  // Appends; returns the number. With DigestCheck::kVerify a root_before that is not the root after
  // the last logged operation is InvalidArgument/kStateMismatch. A given number must be the next, or one handed out by
  // NextSequenceNumber() above the last logged: AlreadyExists/kSequenceTaken (logged already),
  // FailedPrecondition/kSequenceTaken (below the last logged), OutOfRange/kSequenceGap (skips).
  absl::StatusOr<uint64_t> LogOperation(const OperationRecord& operation);
  // All or nothing; returns the number of the first.
  absl::StatusOr<uint64_t> BatchLogOperations(absl::Span<const OperationRecord> operations);
  absl::StatusOr<uint64_t> LogOperations(absl::Span<const OperationRecord> operations) {
    return BatchLogOperations(operations);
  }
  // Numbers [first, last] that exist, at most `limit`.
  absl::StatusOr<std::vector<OperationRecord>> GetOperations(uint64_t first, uint64_t last,
                                                             size_t limit) const;
  // Times [begin_ms, limit_ms), by time, then by number.
  absl::StatusOr<std::vector<OperationRecord>> GetOperationsByTimeRange(uint64_t begin_ms,
                                                                        uint64_t limit_ms,
                                                                        size_t limit) const;
  // Operations of one key, in order.
  absl::StatusOr<std::vector<OperationRecord>> GetOperationsByKey(absl::string_view key,
                                                                  size_t limit) const;
  // The number of the last logged operation; 0 if none.
  uint64_t current_sequence() const;

  // id 0 lets the storage assign the next; returns the id. AlreadyExists if the id holds another
  // record; storing the same again does nothing. With DigestCheck::kVerify the root must be among
  // the nodes: FailedPrecondition/kMissingNode.
  absl::StatusOr<uint64_t> StoreCheckpoint(const CheckpointRecord& checkpoint);
  absl::StatusOr<std::optional<CheckpointRecord>> GetCheckpoint(uint64_t id) const;
  absl::StatusOr<std::optional<CheckpointRecord>> GetLatestCheckpoint() const;  // highest id
  absl::StatusOr<std::vector<CheckpointRecord>> ListCheckpoints() const;        // newest first

  absl::Status Compact();  // all keyspaces
  TreeStorageStatistics Stats() const;
  // Unimplemented/kUnsupported for now.
  absl::Status Backup(absl::string_view target);

  Database& database();

  // For the storage.
  explicit TreeStorage(std::unique_ptr<TreeStorageImpl> impl);

 private:
  std::unique_ptr<TreeStorageImpl> impl_;
};

}  // namespace firn

#endif  // FIRN_TREE_STORAGE_H_
