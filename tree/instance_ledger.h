// tree/instance_ledger.h: which stored nodes died and which are new since the last checkpoint, counted
// exactly, commit by commit.
//
// A node made since then carries the number of the checkpoint to come as its birth. It may equal, by
// label, a stored node that died meanwhile (a value goes A -> B -> A): then it *is* that instance,
// neither died nor was born, and keeps the old birth.
//
// Invariants, with S the tree at the last checkpoint and T the present one:
//   1. deaths() = labels of S that are not in T, with their births.
//   2. A node of T whose reference says next_checkpoint() is of S exactly if returned() has it.
//   3. If a node of T is of S by label, so is its whole subtree.
#ifndef FIRN_TREE_INSTANCE_LEDGER_H_
#define FIRN_TREE_INSTANCE_LEDGER_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "tree/node.h"
#include "tree/prover.h"

namespace firn {

// One thread at a time.
class InstanceLedger {
 public:
  // Nothing has changed since checkpoint `next_checkpoint` - 1.
  explicit InstanceLedger(uint64_t next_checkpoint) : next_checkpoint_(next_checkpoint) {}

  // The first tree of a store: one leaf that is in no checkpoint.
  void RecordFirst(const ChildRef& root);
  // A batch that ended.
  void Record(const BatchChanges& changes);

  uint64_t next_checkpoint() const { return next_checkpoint_; }
  // Was this node made since the last checkpoint? (It may have returned.)
  bool IsDirty(const ChildRef& child) const { return child.birth() == next_checkpoint_; }
  // The birth of the instance that `child` refers to.
  uint64_t BirthOf(const ChildRef& child) const;

  const absl::flat_hash_map<Label, uint64_t>& deaths() const { return deaths_; }
  const absl::flat_hash_map<Label, uint64_t>& returned() const { return returned_; }
  uint64_t dirty_nodes() const { return dirty_nodes_; }
  uint64_t dirty_bytes() const { return dirty_bytes_; }  // of memory

 private:
  const uint64_t next_checkpoint_;
  absl::flat_hash_map<Label, uint64_t> deaths_;    // label -> birth
  absl::flat_hash_map<Label, uint64_t> returned_;  // label -> birth
  uint64_t dirty_nodes_ = 0;
  uint64_t dirty_bytes_ = 0;
};

}  // namespace firn

#endif  // FIRN_TREE_INSTANCE_LEDGER_H_
