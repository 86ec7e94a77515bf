// tree/tree_state.h: the writer's tree: the nodes in memory, what changed since the last checkpoint,
// and where in the log it stands. Recovery and the public class drive it.
//
// Invariants:
//   1. Between batches every node that is in memory through root() was made since the last checkpoint;
//      all others are references, loaded through the node cache.
//   2. While a checkpoint is begun and not made, no batch may end.
#ifndef FIRN_TREE_TREE_STATE_H_
#define FIRN_TREE_TREE_STATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "tree/checkpoint_writer.h"
#include "tree/instance_ledger.h"
#include "tree/node_store.h"
#include "tree/operation_log.h"
#include "tree/prover.h"
#include "tree/tree_keyspaces.h"

namespace firn {

// What the writer, the views and their readers share; lives as long as the longest of them, but not
// longer than the Database.
struct TreeStore {
  TreeStore(Database& its_database, const TreeKeyspaces& its_keyspaces, const StoredTree& its_tree,
            const NodeCache::Limits& cache_limits, uint64_t its_reserved)
      : database(its_database),
        keyspaces(its_keyspaces),
        tree(its_tree),
        log(its_keyspaces.operations, its_keyspaces.indexes),
        cache(cache_limits),
        reserved(its_reserved) {}
  TreeStore(const TreeStore&) = delete;
  TreeStore& operator=(const TreeStore&) = delete;

  NodeStore NodesAt(const Snapshot& snapshot) {
    return NodeStore(keyspaces.nodes, kOnlyTree, snapshot, &cache, &counters);
  }

  Database& database;
  const TreeKeyspaces keyspaces;
  const StoredTree tree;
  const OperationLog log;
  NodeCache cache;
  std::atomic<uint64_t> reserved;  // bytes of the database's memory budget, for the cache
  NodeCounters counters;
};

// A point in the log.
struct LogPosition {
  uint64_t operation = 0;  // the last one
  uint64_t commit = 0;     // the last one
  uint64_t keys = 0;       // in the tree then
};

// One thread at a time.
class TreeState {
 public:
  // Starts with the tree that has no keys.
  explicit TreeState(std::shared_ptr<TreeStore> store);
  // Starts with the tree of `checkpoint`.
  TreeState(std::shared_ptr<TreeStore> store, const Checkpoint& checkpoint);

  Prover& prover() { return *prover_; }
  const LogPosition& position() const { return position_; }
  // The tree of the last batch that ended.
  const ChildRef& root() const { return prover_->batch_start_root(); }
  Digest digest() const { return prover_->batch_start_digest(); }
  uint8_t height() const { return prover_->batch_start_height(); }

  // Ends the prover's batch, which leads to `position`.
  void EndBatch(const LogPosition& position);

  struct CheckpointRequest {
    CheckpointReason reason = CheckpointReason::kRequested;
    uint64_t time_ms = 0;
    std::map<std::string, std::string> metadata;
  };
  // Makes a checkpoint of the last batch that ended; no batch is in progress. On error begun() may
  // be set: then FinishCheckpoint() has to succeed before the next batch may end.
  absl::StatusOr<Checkpoint> MakeCheckpoint(const CheckpointRequest& request);
  // Makes `begun`, which a crash or an error interrupted, of the present tree. DataLoss/
  // kStateMismatch if the tree is not the one that it describes.
  absl::Status FinishCheckpoint(const Checkpoint& begun);
  const std::optional<Checkpoint>& begun() const { return begun_; }

  // The last one made; none if there is none.
  const std::optional<Checkpoint>& latest_checkpoint() const { return latest_checkpoint_; }
  const InstanceLedger& ledger() const { return *ledger_; }

  struct Counts {
    uint64_t checkpoints = 0;
    CheckpointCounts written;
  };
  const Counts& counts() const { return counts_; }

 private:
  void StartAt(ChildRef root, uint8_t height, uint64_t next_checkpoint);
  absl::Status Write(const Checkpoint& checkpoint, CheckpointWay way);

  const std::shared_ptr<TreeStore> store_;
  NodeStore nodes_;
  std::unique_ptr<Prover> prover_;
  std::unique_ptr<InstanceLedger> ledger_;
  LogPosition position_;
  std::optional<Checkpoint> latest_checkpoint_;
  std::optional<Checkpoint> begun_;
  Counts counts_;
};

}  // namespace firn

#endif  // FIRN_TREE_TREE_STATE_H_
