// tools/store_vector_tree.h: vectors through a whole store: an AuthenticatedTree in a database whose
// files are in memory, with a node cache as small as you like, and checkpoints between batches, so
// that nodes are written, forgotten and loaded again.
#ifndef FIRN_TOOLS_STORE_VECTOR_TREE_H_
#define FIRN_TOOLS_STORE_VECTOR_TREE_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "firn/proof.h"
#include "tools/vector_tree.h"

namespace firn {

struct StoreVectorOptions {
  size_t node_cache_nodes = 100;
  // A checkpoint after each of the first so many batches of a tree, and after every so many later.
  size_t checkpoint_each = 200;
  size_t checkpoint_every = 100;
};

// Rollback() builds the wanted tree again in a new store, from the operations of its batches.
absl::StatusOr<std::unique_ptr<VectorTree>> NewStoreVectorTree(const TreeParameters& parameters,
                                                               const StoreVectorOptions& options);

}  // namespace firn

#endif  // FIRN_TOOLS_STORE_VECTOR_TREE_H_
