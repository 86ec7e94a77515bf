// tree/avl.h: the one algorithm that prover and verifier share: find, insert, update, remove, and
// the rotations that keep |balance| <= 1.
//
// What differs stands behind AvlSide: where the nodes come from, who chooses directions (the prover by
// keys, and it notes them; the verifier reads them from the proof), and what a visit means.
//
// Copy-on-write: a node of an earlier batch is copied before it is altered. A node of the present
// batch is altered in place by insertions and updates, which cannot fail once they have begun to
// alter an honest tree; a removal may have to load nodes half-way, so it copies always.
//
// Nothing recurses: depth is limited by memory alone, since a verifier has to live with what a
// proof shows.
#ifndef FIRN_TREE_AVL_H_
#define FIRN_TREE_AVL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"
#include "tree/node.h"

namespace firn {

// The highest tree that a digest can describe.
inline constexpr int kTreeHeightMax = 255;

struct AvlTree {
  ChildRef root;
  int height = 0;
};

// Direction bits of a batch: bit i is bit (i mod 8), least significant first, of byte i / 8.
class DirectionBits {
 public:
  void Append(bool left);
  bool IsLeft(size_t index) const { return (bytes_[index / 8] >> (index % 8) & 1) != 0; }
  size_t size() const { return size_; }
  // Cuts back to `size` bits; the unused bits of the last byte become zero.
  void Truncate(size_t size);
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
  size_t size_ = 0;
};

class AvlSide {
 public:
  virtual ~AvlSide() = default;
  // The child's node, which stays until the operation has ended.
  virtual absl::StatusOr<const Node*> Load(const ChildRef& child) = 0;
  // True: left. One direction bit is appended or consumed.
  virtual absl::StatusOr<bool> GoLeft(const Node& node, absl::string_view key) = 0;
  // The descent ended at `leaf`: is `key` in the tree?
  virtual absl::StatusOr<bool> IsPresent(const Node& leaf, absl::string_view key) = 0;
  // The second descent of a removal: what `key` compares to at depth `depth` of the first one.
  // 0 at the node whose routing key it is, negative to the left, positive to the right.
  virtual int Replay(size_t depth) = 0;
  // `child` must be shown in the proof, if it is of the tree that the batch began with.
  virtual void Visit(const ChildRef& child, const Node& node) = 0;
  // An error for what no honest tree has.
  virtual absl::Status Broken(absl::string_view what) = 0;
};

struct AvlResult {
  OldValue old_value;
  bool removed = false;
};

// Performs operations; keeps its stacks from one to the next, so that warm ones do not allocate but
// for nodes.
class AvlAlgorithm {
 public:
  // What new nodes get.
  struct Mark {
    Epoch epoch;
    uint64_t birth;
  };
  // Performs `operation` on `tree`. On error `tree` is unchanged, unless the tree was broken
  // (AvlSide::Broken()) or shown in part.
  absl::StatusOr<AvlResult> Perform(const Operation& operation, const TreeParameters& parameters,
                                    Mark mark, AvlSide& side, AvlTree& tree);

 private:
  struct Step {
    const ChildRef* child;  // in the parent, or the tree's root
    const Node* node;
    bool left;  // the direction taken
  };
  enum class Doing : uint8_t { kLeft, kRight, kHard };
  struct Frame {
    const ChildRef* child;
    const Node* node;
    Doing doing;
  };
  struct Grown {
    ChildRef child;
    bool higher;
  };
  struct Shrunk {
    ChildRef child;
    bool lower;
  };
  // What a leaf at the end of a spine becomes.
  struct LeafChange {
    const Node* key_and_value_of;  // or null: as it was
    const Node* next_of;           // or null: as it was
  };

  absl::Status Descend(absl::string_view key, const AvlTree& tree);
  void VisitPath();
  Grown StoreAtLeaf(absl::string_view key, absl::string_view value, bool present) const;
  absl::StatusOr<Grown> AttachGrown(const Step& step, Grown grown);
  absl::StatusOr<ChildRef> RotateGrown(ChildRef parent, ChildRef grown, bool left);

  absl::StatusOr<Shrunk> Remove(const ChildRef& root);
  absl::StatusOr<Shrunk> TakeOut(const ChildRef& root);
  absl::StatusOr<Shrunk> TakeOutRightLeaf(const Node& parent, const Node& leaf, int direction,
                                          bool rightmost);
  absl::StatusOr<Shrunk> FinishFrame(const Frame& frame, Shrunk shrunk);
  absl::StatusOr<Shrunk> LeftShrunk(ChildRef parent, Shrunk shrunk);
  absl::StatusOr<Shrunk> RightShrunk(ChildRef parent, Shrunk shrunk);
  enum class End : uint8_t { kLeftmost, kRightmost };
  absl::StatusOr<ChildRef> ChangeSpineEnd(const ChildRef& root, End end, LeafChange change);

  struct Double {
    ChildRef top;    // A of the figure in avl.cc, alterable
    ChildRef inner;  // B, on the side that is too high
    ChildRef outer;  // X, the other child of A
  };
  absl::StatusOr<ChildRef> RotateDoubleLeft(Double nodes);
  absl::StatusOr<ChildRef> RotateDoubleRight(Double nodes);

  absl::StatusOr<const Node*> LoadInternal(const ChildRef& child);
  Node* Edit(ChildRef& child, const Node& node);
  // The node of a child that this operation made or may alter.
  Node* Alterable(const ChildRef& child) const {
    return Node::Alterable(child.node(), mark_.epoch);
  }
  ChildRef NewChild(NodePtr node) const {
    return ChildRef::WithoutLabel(std::move(node), mark_.birth);
  }

  // Of the present operation.
  AvlSide* side_ = nullptr;
  Mark mark_{};
  bool edit_in_place_ = false;
  const ChildRef* leaf_child_ = nullptr;
  const Node* leaf_ = nullptr;
  const Node* saved_ = nullptr;  // the predecessor's leaf, in the hard case of a removal
  std::vector<Step> path_;
  std::vector<Frame> frames_;
  std::vector<Step> spine_;
};

// The value under `key`, without marks or bits. A key of a length other than the tree's is not there.
// Thread-safe for trees whose batches have ended, as far as the resolver is.
absl::StatusOr<OldValue> FindValue(const ChildRef& root, absl::string_view key,
                                   NodeResolver* resolver);

// Walks the whole tree: keys ascend strictly, each leaf names the next, routing keys, balances, the
// height, key and value lengths, labels. DataLoss/kCorruption names the first thing wrong.
absl::Status CheckInvariants(const AvlTree& tree, const TreeParameters& parameters,
                             NodeResolver* resolver);

}  // namespace firn

#endif  // FIRN_TREE_AVL_H_
