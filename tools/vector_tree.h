// tools/vector_tree.h: the tree that vectors are replayed through, as the replayer sees it.
#ifndef FIRN_TOOLS_VECTOR_TREE_H_
#define FIRN_TOOLS_VECTOR_TREE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "firn/proof.h"
#include "tree/avl.h"
#include "tree/node.h"
#include "tree/prover.h"

namespace firn {

// An empty tree at first. One thread at a time.
class VectorTree {
 public:
  virtual ~VectorTree() = default;
  // As part of the present batch; an error has no effect.
  virtual absl::StatusOr<OldValue> Apply(const Operation& operation) = 0;
  virtual absl::StatusOr<Digest> digest() = 0;
  // Labels that the present batch takes out and brings in.
  struct Difference {
    std::vector<Label> gone;
    std::vector<Label> added;
  };
  virtual absl::StatusOr<Difference> BatchDifference() = 0;
  // Ends the batch; its proof.
  virtual absl::StatusOr<std::vector<uint8_t>> EndBatch() = 0;
  // Returns to the tree after the first `batches` batches that ever ended (0: empty), on whatever
  // branch they were. Only between batches.
  virtual absl::Status Rollback(size_t batches) = 0;
  // The tree after the last batch, and what loads its nodes (null: all are in memory); both stay valid
  // until the next Apply().
  struct Nodes {
    AvlTree tree;
    NodeResolver* resolver = nullptr;
  };
  virtual absl::StatusOr<Nodes> nodes() = 0;
};

// Keeps all nodes of all batches in memory.
std::unique_ptr<VectorTree> NewMemoryVectorTree(const TreeParameters& parameters);

}  // namespace firn

#endif  // FIRN_TOOLS_VECTOR_TREE_H_
