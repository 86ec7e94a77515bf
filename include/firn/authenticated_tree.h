// firn/authenticated_tree.h: the AVL+ tree of firn/proof.h, kept in a Database: every change gives a
// 33-byte digest, every key a proof, and after any crash the tree has the digest that was logged.
//
// Example:
//     auto tree = firn::AuthenticatedTree::Open(*database, {}).value();
//     firn::OldValue old = tree->Apply(firn::Operation::Insert(key, value)).value();
//     firn::CommitResult committed = tree->Commit({}).value();  // durable; committed.digest
//     std::shared_ptr<const firn::TreeView> view = tree->view();
//     firn::TreeProof proof = view->Prove({key}).value();       // from any thread
//
// One thread writes (Apply, Commit, Discard, StageMetadata, MakeCheckpoint, Close); everything said
// to be thread-safe may be called from any other meanwhile. A tree belongs to its Database, which
// must outlive it and every view of it.
#ifndef FIRN_AUTHENTICATED_TREE_H_
#define FIRN_AUTHENTICATED_TREE_H_

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
#include "firn/snapshot.h"
#include "firn/write_batch.h"

namespace firn {

class TreeImpl;
class TreeViewImpl;

// Which logged operations carry the digest after them. The last of a commit always does.
enum class DigestPolicy : uint8_t {
  kPerCommit = 1,     // nodes changed several times in a commit are hashed once
  kPerOperation = 2,  // each operation: hashes a whole path, about 1.4 log2(keys) nodes, every time
};

// What a tree lets through; bits of TreeOptions::allowed, as in an Ergo AvlTree's flags.
inline constexpr uint8_t kAllowInsert = 1;
inline constexpr uint8_t kAllowUpdate = 2;
inline constexpr uint8_t kAllowRemove = 4;
inline constexpr uint8_t kAllowAll = 7;

// When a commit is followed by a checkpoint: whichever limit is reached first. A checkpoint writes
// the nodes changed since the one before and bounds what an open has to replay. Made by Commit(),
// which then takes that much longer.
struct CheckpointPolicy {
  uint64_t operations = 100'000;              // logged since the last one; 0: not by number
  uint64_t milliseconds = 3'600'000;          // since the last one; 0: not by time
  uint64_t dirty_bytes = uint64_t{64} << 20;  // memory of changed nodes; 0: not by memory
  bool every_commit = false;                  // each commit is a checkpoint
};

struct TreeOptions {
  // kOpenOrCreate, kOpenExisting (NotFound if the database has no tree) or kCreateNew.
  OpenMode mode = OpenMode::kOpenOrCreate;

  // Fixed when the tree is created. None: what the tree or the database's identity
  // (TreeIdentity()) says, else the default of TreeParameters. Another than the tree's own:
  // InvalidArgument.
  std::optional<TreeParameters> parameters;
  // Fixed when the tree is created; none: the tree's own, or kAllowAll.
  std::optional<uint8_t> allowed;

  DigestPolicy digests = DigestPolicy::kPerCommit;  // may differ at each open
  CheckpointPolicy checkpoints;

  // Stored nodes kept in memory for the next path: the smaller of both limits; 0: none is kept, and
  // every step of every path is read from the nodes keyspace.
  // Counts as part of the database's memory budget, if there is one, which may grant less.
  size_t node_cache_bytes = size_t{64} << 20;
  std::optional<size_t> node_cache_nodes;  // none: only the bytes count

  TreeCompression compression;  // when the tree is created

  // Open() fails (DataLoss/kStateMismatch) unless the recovered tree has this digest.
  std::optional<Digest> expected_digest;

  // Milliseconds since 1970, stamped on commits and checkpoints. None: the system's clock.
  std::function<uint64_t()> now_milliseconds;
  LogSink log_sink;  // none: silent
};

// Facts for Options::identity when the database is created for a tree: then the file FIRN tells the
// parameters, and a tree with others is refused even before its first commit.
std::map<std::string, std::string> TreeIdentity(const TreeParameters& parameters);

// A proof, and what it proves: `operations` applied to the tree with digest `start`, in that order,
// give `old_values` and lead to `digest` (VerifyProof() of firn/proof.h).
struct TreeProof {
  Digest start;
  std::vector<Operation> operations;
  std::string proof;
  std::vector<OldValue> old_values;  // one an operation
  Digest digest;                     // after all of them; equal to `start` for lookups
  uint64_t operation_number = 0;     // the last logged operation that `start` includes
};

// The tree as one commit left it. Immutable and thread-safe; costs what a Snapshot costs, and keeps
// the memory of nodes that are not in a checkpoint yet. Must not outlive its tree's Database.
class TreeView {
 public:
  ~TreeView();
  TreeView(const TreeView&) = delete;
  TreeView& operator=(const TreeView&) = delete;

  const Digest& digest() const;
  uint64_t operation_number() const;  // the last logged operation; 0: none yet
  uint64_t commit_number() const;     // 0: none yet
  uint64_t key_count() const;
  const Snapshot& snapshot() const;  // the engine's, of that very commit

  // The value under `key`, by one lookup in the keyspace "records"; none if absent. Not
  // authenticated: Prove() is. InvalidArgument/kIllegalKey for a key that no tree can hold.
  absl::StatusOr<OldValue> Get(absl::string_view key) const;

  // Calls `visit(key, value)` for the keys in [begin, limit) in order (empty limit: to the last),
  // until it returns false. The views die when it returns.
  absl::Status Scan(
      absl::string_view begin, absl::string_view limit,
      const std::function<bool(absl::string_view key, absl::string_view value)>& visit) const;

  // A proof of the values, or the absence, of `keys`.
  absl::StatusOr<TreeProof> Prove(absl::Span<const std::string> keys) const;
  // A proof of operations that are not performed: what would happen. The tree and its later proofs
  // stay as they are. An operation that fails fails the call.
  absl::StatusOr<TreeProof> ProveOperations(absl::Span<const Operation> operations) const;

  // For the tree.
  explicit TreeView(std::unique_ptr<const TreeViewImpl> impl);
  const TreeViewImpl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const TreeViewImpl> impl_;
};

enum class WantProof : uint8_t { kNo = 1, kYes = 2 };

struct CommitOptions {
  Durability durability = Durability::kSynced;  // kSynced or kBuffered
  // More writes, of any keyspaces but the tree's own, atomic with the commit. Not owned.
  const WriteBatch* extra = nullptr;
  WantProof proof = WantProof::kNo;  // kYes: of all operations since the last commit, lookups too
  std::optional<uint64_t> time_ms;   // stamped on the operations; none: the clock
};

// Operations of a commit are those numbered [first_operation, last_operation]; lookups are not
// logged, and a commit without any logged operation has first_operation = last_operation + 1.
struct CommitResult {
  Digest digest;
  uint64_t commit_number = 0;
  uint64_t first_operation = 0;
  uint64_t last_operation = 0;
  std::optional<TreeProof> proof;
  std::optional<uint64_t> checkpoint;  // made by this commit
  // The commit itself succeeded but the checkpoint due after it did not: tried again by the next
  // Apply() or Commit(), which fail until it works.
  absl::Status checkpoint_status;
};

enum class CheckpointReason : uint8_t {
  kRequested = 1,
  kOperations = 2,
  kTime = 3,
  kDirtyBytes = 4,
  kEveryCommit = 5,
};

// A root that is kept, with all its nodes in the keyspace "nodes".
struct Checkpoint {
  uint64_t id = 0;  // 1, 2, ...
  uint64_t time_ms = 0;
  Digest digest;            // its last byte is the height
  uint64_t root_birth = 0;  // the checkpoint that first held the root
  uint64_t last_operation = 0;
  uint64_t commit_number = 0;
  uint64_t node_count = 0;  // exact
  CheckpointReason reason = CheckpointReason::kRequested;
  std::map<std::string, std::string> metadata;
};

// One entry of the operation log. An insertOrUpdate was logged as what it did, an insert or update;
// a removal of what was there as remove.
struct LoggedOperation {
  uint64_t number = 0;  // 1, 2, ... without gaps
  uint64_t commit_number = 0;
  uint64_t time_ms = 0;
  Operation operation;
  OldValue previous_value;
  std::optional<Digest> digest;  // after it, where it was kept
  bool ends_commit = false;
};

enum class TreeVerifyLevel : uint8_t {
  kNewest = 1,          // the present tree and the newest checkpoint
  kAllCheckpoints = 2,  // and that every older checkpoint has all its nodes
};

// What VerifyTree() found. Damage is listed (the first hundred), never repaired.
struct TreeVerifyReport {
  Digest digest;  // of the present tree
  uint64_t nodes = 0;
  uint64_t leaves = 0;
  uint64_t records = 0;
  uint64_t operations = 0;
  uint64_t checkpoints = 0;
  uint64_t damage_count = 0;
  std::vector<std::string> damage;  // one sentence each
  std::vector<std::string> notes;
  bool clean() const { return damage_count == 0; }
};

struct TreeStatistics {
  uint64_t operations_applied = 0;   // since open, replayed ones not counted
  uint64_t commits = 0;              // since open
  uint64_t operations_replayed = 0;  // at open
  uint64_t checkpoints_made = 0;     // since open
  uint64_t nodes_written = 0;        // by those
  uint64_t deaths_written = 0;
  uint64_t dirty_nodes = 0;  // changed since the last checkpoint
  uint64_t dirty_bytes = 0;
  uint64_t node_loads = 0;  // read from the keyspace
  uint64_t node_cache_hits = 0;
  uint64_t node_cache_misses = 0;
  uint64_t node_cache_evictions = 0;  // pushed out for room
  uint64_t node_cache_nodes = 0;
  uint64_t node_cache_bytes = 0;
};

class AuthenticatedTree {
 public:
  // Opens, recovers or creates the tree of `database`: newest checkpoint, then every whole commit
  // after it is replayed and each logged digest compared. Errors: InvalidArgument (parameters
  // differ, an option out of range), NotFound/kNotAStore, AlreadyExists; DataLoss with kStateMismatch
  // (naming the operation), kSequenceGap, kMissingNode or kLabelMismatch.
  static absl::StatusOr<std::unique_ptr<AuthenticatedTree>> Open(Database& database,
                                                                 const TreeOptions& options);
  ~AuthenticatedTree();  // as Discard()
  AuthenticatedTree(const AuthenticatedTree&) = delete;
  AuthenticatedTree& operator=(const AuthenticatedTree&) = delete;

  // Applies `operation` on top of what is staged; nobody else sees it before Commit(). A failure
  // has no effect: NotFound/kKeyNotFound, AlreadyExists/kKeyExists, InvalidArgument (kIllegalKey,
  // kIllegalValue), OutOfRange/kOverflow, FailedPrecondition/kOperationRefused, or an error of the
  // store, DataLoss included. `time_ms` is stamped on the operation in the log; none: the commit's.
  absl::StatusOr<OldValue> Apply(const Operation& operation,
                                 std::optional<uint64_t> time_ms = std::nullopt);

  // Makes what is staged durable, as one atomic write, and publishes it as the new view(). On an
  // error nothing of it is kept: the tree is what view() says. Nothing staged: nothing is written.
  absl::StatusOr<CommitResult> Commit(const CommitOptions& options);

  // Forgets what is staged, operations and metadata.
  void Discard();

  // The digest with what is staged. Computes labels, once per changed node.
  absl::StatusOr<Digest> StagedDigest();
  uint64_t staged_operations() const;  // lookups included

  // A fact of the client's (an import's position, for one), written by the next Commit() with it.
  // Keys: 1 to 1024 bytes.
  absl::Status StageMetadata(absl::string_view key, absl::string_view value);
  // As of the last commit; none if it was never set. Thread-safe.
  absl::StatusOr<std::optional<std::string>> GetMetadata(absl::string_view key) const;

  // The last published view. Never null. Thread-safe.
  std::shared_ptr<const TreeView> view() const;

  // Writes the published tree's changed nodes and a checkpoint record. If nothing was committed
  // since the newest one, that is returned and nothing is written. FailedPrecondition if anything
  // is staged.
  absl::StatusOr<Checkpoint> MakeCheckpoint(
      const std::map<std::string, std::string>& metadata = {});
  // Thread-safe. NotFound/kNotRetained if there is none (of that id).
  absl::StatusOr<Checkpoint> GetCheckpoint(uint64_t id) const;
  absl::StatusOr<Checkpoint> LatestCheckpoint() const;
  absl::StatusOr<std::vector<Checkpoint>> ListCheckpoints() const;  // newest first
  // The tree as checkpoint `id` left it, to prove against. Its Get() and Scan() go through the
  // nodes. Thread-safe.
  absl::StatusOr<std::shared_ptr<const TreeView>> ViewAtCheckpoint(uint64_t id) const;

  // Logged operations numbered [first, last], at most `limit` of them. Thread-safe.
  absl::StatusOr<std::vector<LoggedOperation>> GetOperations(uint64_t first, uint64_t last,
                                                             size_t limit) const;
  // Those with time_ms in [begin_ms, limit_ms), by time, then by number. Thread-safe.
  absl::StatusOr<std::vector<LoggedOperation>> GetOperationsByTime(uint64_t begin_ms,
                                                                   uint64_t limit_ms,
                                                                   size_t limit) const;
  // Those of one key, in order. Thread-safe.
  absl::StatusOr<std::vector<LoggedOperation>> History(absl::string_view key, size_t limit) const;

  // Walks the tree: every reachable node's label, routing key, order, balance and next key, the
  // node count, the records, the operation log. Thread-safe; takes as long as reading it all.
  absl::StatusOr<TreeVerifyReport> VerifyTree(TreeVerifyLevel level) const;

  // Resizes the node cache at once; thread-safe. As much as a memory budget grants: what is in force,
  // in bytes. A limit in nodes (TreeOptions::node_cache_nodes) stays.
  uint64_t SetNodeCacheSize(uint64_t bytes);

  const TreeParameters& parameters() const;
  uint8_t allowed() const;
  TreeStatistics statistics() const;  // thread-safe

  // For the tree.
  explicit AuthenticatedTree(std::unique_ptr<TreeImpl> impl);

 private:
  std::unique_ptr<TreeImpl> impl_;
};

}  // namespace firn

#endif  // FIRN_AUTHENTICATED_TREE_H_
