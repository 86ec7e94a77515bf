// tree/recovery.h: from a store's keyspaces to the tree as its last commit left it: the newest
// checkpoint, then every whole commit after it, each logged digest and previous value compared. A
// checkpoint that was begun and not made is made on the way, at the commit that it names.
#ifndef FIRN_TREE_RECOVERY_H_
#define FIRN_TREE_RECOVERY_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "tree/tree_state.h"

namespace firn {

struct RecoveredTree {
  std::unique_ptr<TreeState> state;
  uint64_t operations_replayed = 0;
};

// Writes nothing but a checkpoint that was begun. Errors: DataLoss with kSequenceGap (numbers of
// operations or commits are not consecutive, or the log ends within a commit), kStateMismatch (naming
// the operation), kMissingNode, kLabelMismatch, kSerialization.
absl::StatusOr<RecoveredTree> RecoverTree(const std::shared_ptr<TreeStore>& store);

// The operation that an entry of the log describes. DataLoss/kSerialization naming `number` if it
// lacks what its kind needs.
absl::StatusOr<Operation> OperationOf(uint64_t number, const LogEntry& entry);

}  // namespace firn

#endif  // FIRN_TREE_RECOVERY_H_
