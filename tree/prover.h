// tree/prover.h: applies operations to a tree in batches, and proves them to whoever knows the digest
// before the batch.
//
// Invariants:
//   1. An operation that fails has no effect: not on the tree, the height, the proof, the marks.
//   2. Nodes of the tree as it was when the batch began are never altered. Hence other provers and
//      readers may use the same nodes on other threads, and a batch can be dropped.
//   3. What was visited is known by a table of the batch, not by flags in nodes.
#ifndef FIRN_TREE_PROVER_H_
#define FIRN_TREE_PROVER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"
#include "tree/avl.h"
#include "tree/node.h"

namespace firn {

enum class ProofRecording : uint8_t {
  kRecord,  // GenerateProof() may be called
  kSkip,    // saves time where only the digest is wanted
};

// The exact difference that a batch makes, by label.
struct BatchChanges {
  std::vector<ChildRef> gone;   // in the tree before, not after; with the births they had
  std::vector<ChildRef> added;  // in the tree after, not before; resolved, parents before children
};

// One thread at a time. A scratch prover on the same root costs nothing but itself, and has no side
// effects on others: that is how operations are proved without being performed.
class Prover {
 public:
  struct Options {
    ProofRecording recording = ProofRecording::kRecord;
    uint64_t birth = 0;  // given to the nodes that the prover makes
  };
  // `parameters` must be in range (CheckTreeParameters), `root` have its label. `resolver` may be null
  // if every node is in memory; it must outlive the prover.
  Prover(const TreeParameters& parameters, ChildRef root, uint8_t height, NodeResolver* resolver,
         Options options);
  Prover(const TreeParameters& parameters, ChildRef root, uint8_t height, NodeResolver* resolver)
      : Prover(parameters, std::move(root), height, resolver, Options()) {}
  Prover(const Prover&) = delete;
  Prover& operator=(const Prover&) = delete;

  // Performs `operation` as part of the present batch; the value that was under its key. Errors:
  // InvalidArgument (kIllegalKey, kIllegalValue), NotFound/kKeyNotFound, AlreadyExists/kKeyExists,
  // OutOfRange/kOverflow, or the resolver's.
  absl::StatusOr<OldValue> Apply(const Operation& operation);

  // The value under `key` in the present tree, without a trace in the proof.
  absl::StatusOr<OldValue> Find(absl::string_view key);

  // The present digest; may be asked for between operations. Computes the labels that are missing.
  Digest digest();
  // The digest before the batch: what its proof starts from.
  Digest batch_start_digest() const;

  // The difference since the batch began; ask before it ends. New nodes whose label the tree had
  // before are replaced by the old ones, so that they keep their births.
  BatchChanges Changes();

  // Ends the batch, and begins the next. The proof leads from batch_start_digest() to digest().
  // Requires kRecord.
  std::vector<uint8_t> GenerateProof();
  // The same without a proof.
  void EndBatch();
  // Forgets everything since the batch began.
  void DiscardBatch();

  // The tree at the end of the last batch: share it freely.
  const ChildRef& batch_start_root() const { return start_root_; }
  uint8_t batch_start_height() const { return static_cast<uint8_t>(start_height_); }
  // The present tree. Its new nodes change with the batch: do not keep it beyond the next Apply().
  const ChildRef& root();
  uint8_t height() const { return static_cast<uint8_t>(tree_.height); }
  const TreeParameters& parameters() const { return parameters_; }

  // For nodes made from now on; only between batches.
  void set_options(Options options);
  // Operations of the present batch that succeeded, and keys removed among them.
  size_t batch_operations() const { return batch_operations_; }
  size_t batch_removals() const { return batch_removals_; }

 private:
  class Side;
  struct Touched {
    NodePtr node;
    bool visited;
  };

  void BeginBatch();
  const Node* TouchedNode(const ChildRef& child) const;

  const TreeParameters parameters_;
  NodeResolver* const resolver_;
  Options options_;
  AvlTree tree_;
  ChildRef start_root_;
  int start_height_;
  Epoch epoch_ = 0;
  DirectionBits directions_;
  // Nodes of the old tree that the batch loaded or visited, by label.
  absl::flat_hash_map<Label, Touched> touched_;
  std::vector<Label> visited_by_operation_;  // to be unmarked if it fails
  AvlAlgorithm algorithm_;                   // keeps its stacks between operations
  size_t batch_operations_ = 0;
  size_t batch_removals_ = 0;
};

}  // namespace firn

#endif  // FIRN_TREE_PROVER_H_
