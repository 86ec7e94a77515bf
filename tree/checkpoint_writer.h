// tree/checkpoint_writer.h: makes the nodes of a tree durable, and a checkpoint record with them.
//
// Two ways, by size:
//   kAtomic  nodes, deaths and record fit one write batch: it is written synced, and that is all.
//   kPieces  1. a row "begun" with the record, synced;
//            2. nodes, then deaths, in batches of at most kCheckpointPieceSize, kVolatile;
//            3. flush of those two keyspaces;
//            4. one synced batch: the record, and the row "begun" removed.
//
// After a crash between 1 and 4 recovery replays to the commit that the row names and does 2 to 4
// again: same labels, same births, so what is already there is repeated and nothing is orphaned.
// Therefore no commit may follow the row "begun" before step 4 is done.
#ifndef FIRN_TREE_CHECKPOINT_WRITER_H_
#define FIRN_TREE_CHECKPOINT_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "tree/instance_ledger.h"
#include "tree/node.h"
#include "tree/node_store.h"
#include "tree/tree_keyspaces.h"

namespace firn {

inline constexpr size_t kCheckpointPieceSize = size_t{1} << 20;  // bytes

enum class CheckpointWay : uint8_t { kAtomic = 1, kPieces = 2 };

// The way for what `ledger` holds.
CheckpointWay WayFor(const InstanceLedger& ledger);

struct CheckpointCounts {
  uint64_t nodes = 0;
  uint64_t deaths = 0;
};

// One use each.
class CheckpointWriter {
 public:
  // All must outlive the writer. `root` is the tree that `ledger` describes. Written nodes are left
  // in `cache`, since the tree in memory is given up for them.
  CheckpointWriter(Database& database, const TreeKeyspaces& keyspaces, const InstanceLedger& ledger,
                   const ChildRef& root, NodeCache& cache)
      : database_(database), keyspaces_(keyspaces), ledger_(ledger), root_(root), cache_(cache) {}

  // `checkpoint` is what the record will say; its id is ledger.next_checkpoint().
  absl::StatusOr<CheckpointCounts> Write(const Checkpoint& checkpoint, CheckpointWay way);

 private:
  absl::Status AddNodes();
  absl::Status AddNode(const ChildRef& child);
  absl::Status AddDeaths();
  absl::Status WritePieceIfFull();
  absl::Status WritePiece();

  Database& database_;
  const TreeKeyspaces& keyspaces_;
  const InstanceLedger& ledger_;
  const ChildRef& root_;
  NodeCache& cache_;
  CheckpointWay way_ = CheckpointWay::kPieces;
  WriteBatch batch_;
  CheckpointCounts counts_;
  std::string record_;  // keeps its memory from node to node
};

}  // namespace firn

#endif  // FIRN_TREE_CHECKPOINT_WRITER_H_
