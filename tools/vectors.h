// tools/vectors.h: replays vectors of the AVL+ tree, made by the reference implementations, on prover
// and verifier. A file is JSON lines, gzip-compressed or plain:
//
//   case      begins a new, empty tree
//   batch     operations, their results, the digest after each, and the proof of all
//   rollback  back to the tree after an earlier batch
//   node      a node of the tree after the batch before, in pre-order: fields, label, packed bytes
//   bound     a height, limits, and the greatest number of tokens accepted
//   verify    a run of the verifier alone, with its verdict
//   scale     a big tree by formula: keys and values are hashes, proofs are compared by theirs
//
// Every line is one vector: it passes if everything in it is reproduced.
#ifndef FIRN_TOOLS_VECTORS_H_
#define FIRN_TOOLS_VECTORS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"
#include "tools/vector_tree.h"

namespace firn {

struct VectorOptions {
  // Makes the tree of each case; memory if empty.
  std::function<absl::StatusOr<std::unique_ptr<VectorTree>>(const TreeParameters&)> make_tree;
  // Also walks the whole tree after each batch and checks its invariants; slow on big trees.
  bool check_invariants = false;
  size_t failures_max = 20;  // messages kept; all are counted
};

struct VectorCounts {
  uint64_t passed = 0;
  uint64_t failed = 0;
  uint64_t operations = 0;            // performed by provers
  std::vector<std::string> failures;  // "FILE:LINE: what: expected .., found .."
};

// Called about once a thousand operations.
using VectorProgress = std::function<void(const VectorCounts& so_far)>;

// Replays the file at `path`. An error means that the file could not be read or is not what is stated
// above; vectors that do not pass are counted. `progress` may be empty.
absl::StatusOr<VectorCounts> ReplayVectors(const std::string& path, const VectorOptions& options,
                                           const VectorProgress& progress);

}  // namespace firn

#endif  // FIRN_TOOLS_VECTORS_H_
