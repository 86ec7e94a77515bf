// tree/verifier.h: rebuilds the part of a tree that a proof shows, and replays operations on it.
//
// Everything but the starting digest may be hostile. Nothing recurses over the proof's depth; every
// length is compared with the bytes that remain; memory is as firn/proof.h says. A construction takes
// one hash a token; an operation takes time proportional to the depth and the spines of the tree
// shown, thus at most to the proof's size.
#ifndef FIRN_TREE_VERIFIER_H_
#define FIRN_TREE_VERIFIER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"
#include "firn/proof.h"
#include "tree/avl.h"
#include "tree/node.h"

namespace firn {

// One thread at a time.
class Verifier {
 public:
  // Rejects (InvalidArgument/kInvalidProof, naming the offset) a proof whose tree does not hash to
  // `start` or exceeds `limits`. `proof` must outlive the verifier.
  static absl::StatusOr<Verifier> Create(const Digest& start, ByteSpan proof,
                                         const TreeParameters& parameters,
                                         const VerifierLimits& limits);

  // The proven old value. After an error the verifier is dead: all calls return an error.
  absl::StatusOr<OldValue> Perform(const Operation& operation);

  // After the operations so far.
  absl::StatusOr<Digest> digest();

 private:
  class Side;

  Verifier(const TreeParameters& parameters, AvlTree tree, Epoch epoch, ByteSpan proof,
           size_t directions_offset);

  TreeParameters parameters_;
  AvlTree tree_;
  Epoch epoch_;
  ByteSpan proof_;
  size_t directions_offset_;
  size_t bits_used_ = 0;
  size_t last_right_ = 0;  // never reset: as the reference implementations
  uint64_t operations_ = 0;
  absl::Status dead_;
  AvlAlgorithm algorithm_;
};

// The greatest number of tokens accepted for a tree of that height; none without max_operations.
std::optional<uint64_t> ProofNodesMax(uint8_t height, const VerifierLimits& limits);

}  // namespace firn

#endif  // FIRN_TREE_VERIFIER_H_
