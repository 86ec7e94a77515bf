#include "tree/avl.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "base/types.h"
#include "tree/label.h"
#include "tree/operation.h"

namespace firn {
namespace {

// A proof may show any byte as a balance; sums wrap around as that byte does.
int8_t WrapBalance(int balance) { return static_cast<int8_t>(static_cast<uint8_t>(balance)); }

// What the halves of a double rotation get, by the old balance of the node that goes on top.
struct SplitBalances {
  int8_t left;
  int8_t right;
};
std::optional<SplitBalances> SplitBalance(int8_t old_balance) {
  switch (old_balance) {
    case 0:
      return SplitBalances{.left = 0, .right = 0};
    case -1:
      return SplitBalances{.left = 0, .right = 1};
    case 1:
      return SplitBalances{.left = -1, .right = 0};
    default:
      return std::nullopt;
  }
}

}  // namespace

void DirectionBits::Append(bool left) {
  if (size_ % 8 == 0) bytes_.push_back(0);
  if (left) bytes_.back() = static_cast<uint8_t>(bytes_.back() | 1u << (size_ % 8));
  ++size_;
}

void DirectionBits::Truncate(size_t size) {
  FIRN_CHECK(size <= size_);
  size_ = size;
  bytes_.resize((size + 7) / 8);
  if (size % 8 != 0) bytes_.back() &= static_cast<uint8_t>((1u << (size % 8)) - 1);
}

absl::StatusOr<AvlResult> AvlAlgorithm::Perform(const Operation& operation,
                                                const TreeParameters& parameters, Mark mark,
                                                AvlSide& side, AvlTree& tree) {
  FIRN_RETURN_IF_ERROR(CheckKey(operation.key, parameters));
  side_ = &side;
  mark_ = mark;
  FIRN_RETURN_IF_ERROR(Descend(operation.key, tree));
  FIRN_ASSIGN_OR_RETURN(const bool present, side.IsPresent(*leaf_, operation.key));
  std::optional<absl::string_view> old;
  if (present) old = leaf_->value();
  std::string buffer;
  FIRN_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(operation, old, parameters, buffer));
  AvlResult result;
  if (present) result.old_value.emplace(old->data(), old->size());
  VisitPath();
  if (evaluation.effect == Effect::kStore) {
    edit_in_place_ = true;
    Grown grown = StoreAtLeaf(operation.key, evaluation.value, present);
    while (!path_.empty()) {
      FIRN_ASSIGN_OR_RETURN(grown, AttachGrown(path_.back(), std::move(grown)));
      path_.pop_back();
    }
    tree.root = std::move(grown.child);
    if (grown.higher) ++tree.height;
  } else if (evaluation.effect == Effect::kRemove) {
    edit_in_place_ = false;
    FIRN_ASSIGN_OR_RETURN(Shrunk shrunk, Remove(tree.root));
    tree.root = std::move(shrunk.child);
    if (shrunk.lower) --tree.height;
    result.removed = true;
  }
  return result;
}

absl::Status AvlAlgorithm::Descend(absl::string_view key, const AvlTree& tree) {
  path_.clear();
  const ChildRef* child = &tree.root;
  while (true) {
    FIRN_ASSIGN_OR_RETURN(const Node* const node, side_->Load(*child));
    if (node->is_leaf()) {
      leaf_child_ = child;
      leaf_ = node;
      return absl::OkStatus();
    }
    // One is read next; the other's count of references is touched when this node is copied.
    __builtin_prefetch(node->left().node().get());
    __builtin_prefetch(node->right().node().get());
    FIRN_ASSIGN_OR_RETURN(const bool left, side_->GoLeft(*node, key));
    path_.push_back({.child = child, .node = node, .left = left});
    child = left ? &node->left() : &node->right();
  }
}

void AvlAlgorithm::VisitPath() {
  side_->Visit(*leaf_child_, *leaf_);
  for (const Step& step : path_) side_->Visit(*step.child, *step.node);
}

// The node itself if this batch made it and may alter it now; otherwise a copy, which `child` then
// refers to.
Node* AvlAlgorithm::Edit(ChildRef& child, const Node& node) {
  if (edit_in_place_ && node.epoch() == mark_.epoch) {
    child.forget_label();
  } else {
    child = NewChild(
        Node::NewInternal(node.key(), node.balance(), node.left(), node.right(), mark_.epoch));
  }
  return Alterable(child);
}

absl::StatusOr<const Node*> AvlAlgorithm::LoadInternal(const ChildRef& child) {
  FIRN_ASSIGN_OR_RETURN(const Node* const node, side_->Load(child));
  if (node->is_leaf()) return side_->Broken("a leaf where an internal node must be");
  return node;
}

// Insertion and update.

AvlAlgorithm::Grown AvlAlgorithm::StoreAtLeaf(absl::string_view key, absl::string_view value,
                                              bool present) const {
  if (present) {
    return {.child = NewChild(Node::NewLeaf(
                {.key = leaf_->key(), .value = value, .next = leaf_->next()}, mark_.epoch)),
            .higher = false};
  }
  ChildRef left = NewChild(
      Node::NewLeaf({.key = leaf_->key(), .value = leaf_->value(), .next = key}, mark_.epoch));
  ChildRef right =
      NewChild(Node::NewLeaf({.key = key, .value = value, .next = leaf_->next()}, mark_.epoch));
  return {
      .child = NewChild(Node::NewInternal(key, 0, std::move(left), std::move(right), mark_.epoch)),
      .higher = true};
}

// The tests are of the balance's sign: an honest one is -1, 0 or 1, a proof may show others.
absl::StatusOr<AvlAlgorithm::Grown> AvlAlgorithm::AttachGrown(const Step& step, Grown grown) {
  const int balance = step.node->balance();
  ChildRef parent = *step.child;
  Node* const node = Edit(parent, *step.node);
  const bool must_rotate = grown.higher && (step.left ? balance < 0 : balance > 0);
  if (must_rotate) {
    FIRN_ASSIGN_OR_RETURN(ChildRef top,
                          RotateGrown(std::move(parent), std::move(grown.child), step.left));
    return Grown{.child = std::move(top), .higher = false};
  }
  if (step.left) {
    node->set_left(std::move(grown.child));
  } else {
    node->set_right(std::move(grown.child));
  }
  if (grown.higher) node->set_balance(WrapBalance(balance + (step.left ? -1 : 1)));
  return Grown{.child = std::move(parent), .higher = grown.higher && balance == 0};
}

// `grown`, which is new and internal, is to become the left or right child of `parent`, whose
// balance leans to that side already.
absl::StatusOr<ChildRef> AvlAlgorithm::RotateGrown(ChildRef parent, ChildRef grown, bool left) {
  Node* const node = Alterable(parent);
  Node* const child = Alterable(grown);
  const int balance = child->balance();
  if (left ? balance >= 0 : balance <= 0) {
    ChildRef outer = left ? node->right() : node->left();
    Double nodes = {.top = std::move(parent), .inner = std::move(grown), .outer = std::move(outer)};
    return left ? RotateDoubleRight(std::move(nodes)) : RotateDoubleLeft(std::move(nodes));
  }
  node->set_balance(0);
  child->set_balance(0);
  if (left) {
    node->set_left(std::move(child->mutable_right()));
    child->set_right(std::move(parent));
  } else {
    node->set_right(std::move(child->mutable_left()));
    child->set_left(std::move(parent));
  }
  return grown;
}

//     A                         P
//    / \                      /   \.
//   X   B         ->         A     B
//      / \                  / \   / \.
//     P   Z                X  P.l P.r Z
absl::StatusOr<ChildRef> AvlAlgorithm::RotateDoubleLeft(Double nodes) {
  FIRN_ASSIGN_OR_RETURN(const Node* const inner, LoadInternal(nodes.inner));
  ChildRef pivot = inner->left();
  FIRN_ASSIGN_OR_RETURN(const Node* const old_pivot, LoadInternal(pivot));
  side_->Visit(pivot, *old_pivot);
  const std::optional<SplitBalances> balances = SplitBalance(old_pivot->balance());
  if (!balances.has_value()) return side_->Broken("balance out of range at a double rotation");
  Node* const p = Edit(pivot, *old_pivot);
  Node* const b = Edit(nodes.inner, *inner);
  Node* const a = Alterable(nodes.top);
  a->set_left(std::move(nodes.outer));
  a->set_right(std::move(p->mutable_left()));
  a->set_balance(balances->left);
  b->set_left(std::move(p->mutable_right()));
  b->set_balance(balances->right);
  p->set_left(std::move(nodes.top));
  p->set_right(std::move(nodes.inner));
  p->set_balance(0);
  return pivot;
}

// The mirror image.
absl::StatusOr<ChildRef> AvlAlgorithm::RotateDoubleRight(Double nodes) {
  FIRN_ASSIGN_OR_RETURN(const Node* const inner, LoadInternal(nodes.inner));
  ChildRef pivot = inner->right();
  FIRN_ASSIGN_OR_RETURN(const Node* const old_pivot, LoadInternal(pivot));
  side_->Visit(pivot, *old_pivot);
  const std::optional<SplitBalances> balances = SplitBalance(old_pivot->balance());
  if (!balances.has_value()) return side_->Broken("balance out of range at a double rotation");
  Node* const p = Edit(pivot, *old_pivot);
  Node* const b = Edit(nodes.inner, *inner);
  Node* const a = Alterable(nodes.top);
  a->set_right(std::move(nodes.outer));
  a->set_left(std::move(p->mutable_right()));
  a->set_balance(balances->right);
  b->set_right(std::move(p->mutable_left()));
  b->set_balance(balances->left);
  p->set_right(std::move(nodes.top));
  p->set_left(std::move(nodes.inner));
  p->set_balance(0);
  return pivot;
}

// Removal. A second descent replays the directions of the first; the frames are what remains to be
// done on the way up.

absl::StatusOr<AvlAlgorithm::Shrunk> AvlAlgorithm::Remove(const ChildRef& root) {
  frames_.clear();
  saved_ = nullptr;
  FIRN_ASSIGN_OR_RETURN(Shrunk shrunk, TakeOut(root));
  while (!frames_.empty()) {
    FIRN_ASSIGN_OR_RETURN(shrunk, FinishFrame(frames_.back(), std::move(shrunk)));
    frames_.pop_back();
  }
  return shrunk;
}

// Goes down to the parent of the leaf that is taken out. That leaf holds the key itself if it is a
// right child or its sibling is a leaf; in the hard case it is the predecessor's leaf, found as the
// rightmost one of the left subtree, whose data then replace those of the leaf that held the key.
absl::StatusOr<AvlAlgorithm::Shrunk> AvlAlgorithm::TakeOut(const ChildRef& root) {
  bool rightmost = false;
  const ChildRef* child = &root;
  for (size_t depth = 0;; ++depth) {
    FIRN_ASSIGN_OR_RETURN(const Node* const node, LoadInternal(*child));
    side_->Visit(*child, *node);
    const int direction = rightmost ? 1 : side_->Replay(depth);
    if (direction < 0) {
      frames_.push_back({.child = child, .node = node, .doing = Doing::kLeft});
      child = &node->left();
      continue;
    }
    FIRN_ASSIGN_OR_RETURN(const Node* const right, side_->Load(node->right()));
    if (right->is_leaf()) return TakeOutRightLeaf(*node, *right, direction, rightmost);
    if (direction > 0) {
      frames_.push_back({.child = child, .node = node, .doing = Doing::kRight});
      child = &node->right();
      continue;
    }
    FIRN_ASSIGN_OR_RETURN(const Node* const left, side_->Load(node->left()));
    if (left->is_leaf()) {
      side_->Visit(node->left(), *left);
      FIRN_ASSIGN_OR_RETURN(ChildRef changed,
                            ChangeSpineEnd(node->right(), End::kLeftmost,
                                           {.key_and_value_of = left, .next_of = nullptr}));
      return Shrunk{.child = std::move(changed), .lower = true};
    }
    frames_.push_back({.child = child, .node = node, .doing = Doing::kHard});
    rightmost = true;
    child = &node->left();
  }
}

absl::StatusOr<AvlAlgorithm::Shrunk> AvlAlgorithm::TakeOutRightLeaf(const Node& parent,
                                                                    const Node& leaf, int direction,
                                                                    bool rightmost) {
  side_->Visit(parent.right(), leaf);
  if (rightmost) {
    // The new rightmost leaf still names this one as next: FinishFrame() moves this one's data there.
    saved_ = &leaf;
    return Shrunk{.child = parent.left(), .lower = true};
  }
  if (direction != 0) return side_->Broken("the removed leaf is not where the path led");
  FIRN_ASSIGN_OR_RETURN(ChildRef changed,
                        ChangeSpineEnd(parent.left(), End::kRightmost,
                                       {.key_and_value_of = nullptr, .next_of = &leaf}));
  return Shrunk{.child = std::move(changed), .lower = true};
}

absl::StatusOr<AvlAlgorithm::Shrunk> AvlAlgorithm::FinishFrame(const Frame& frame, Shrunk shrunk) {
  const Node& node = *frame.node;
  if (frame.doing == Doing::kHard) {
    FIRN_ASSIGN_OR_RETURN(ChildRef right,
                          ChangeSpineEnd(node.right(), End::kLeftmost,
                                         {.key_and_value_of = saved_, .next_of = nullptr}));
    // A verifier's internal nodes have no keys; this one is harmless there.
    return LeftShrunk(NewChild(Node::NewInternal(saved_->key(), node.balance(), ChildRef(),
                                                 std::move(right), mark_.epoch)),
                      std::move(shrunk));
  }
  ChildRef parent = *frame.child;
  Edit(parent, node);
  return frame.doing == Doing::kLeft ? LeftShrunk(std::move(parent), std::move(shrunk))
                                     : RightShrunk(std::move(parent), std::move(shrunk));
}

absl::StatusOr<AvlAlgorithm::Shrunk> AvlAlgorithm::LeftShrunk(ChildRef parent, Shrunk shrunk) {
  Node* const node = Alterable(parent);
  if (!shrunk.lower || node->balance() <= 0) {
    node->set_left(std::move(shrunk.child));
    if (shrunk.lower) node->set_balance(WrapBalance(node->balance() + 1));
    const bool lower = shrunk.lower && node->balance() == 0;
    return Shrunk{.child = std::move(parent), .lower = lower};
  }
  ChildRef right = node->right();
  FIRN_ASSIGN_OR_RETURN(const Node* const old_right, LoadInternal(right));
  side_->Visit(right, *old_right);
  const int balance = old_right->balance();
  if (balance < 0) {
    FIRN_ASSIGN_OR_RETURN(ChildRef top, RotateDoubleLeft({.top = std::move(parent),
                                                          .inner = std::move(right),
                                                          .outer = std::move(shrunk.child)}));
    return Shrunk{.child = std::move(top), .lower = true};
  }
  Node* const top = Edit(right, *old_right);
  node->set_left(std::move(shrunk.child));
  node->set_right(std::move(top->mutable_left()));
  node->set_balance(WrapBalance(1 - balance));
  top->set_left(std::move(parent));
  top->set_balance(WrapBalance(balance - 1));
  return Shrunk{.child = std::move(right), .lower = balance == 1};
}

// The mirror image.
absl::StatusOr<AvlAlgorithm::Shrunk> AvlAlgorithm::RightShrunk(ChildRef parent, Shrunk shrunk) {
  Node* const node = Alterable(parent);
  if (!shrunk.lower || node->balance() >= 0) {
    node->set_right(std::move(shrunk.child));
    if (shrunk.lower) node->set_balance(WrapBalance(node->balance() - 1));
    const bool lower = shrunk.lower && node->balance() == 0;
    return Shrunk{.child = std::move(parent), .lower = lower};
  }
  ChildRef left = node->left();
  FIRN_ASSIGN_OR_RETURN(const Node* const old_left, LoadInternal(left));
  side_->Visit(left, *old_left);
  const int balance = old_left->balance();
  if (balance > 0) {
    FIRN_ASSIGN_OR_RETURN(ChildRef top, RotateDoubleRight({.top = std::move(parent),
                                                           .inner = std::move(left),
                                                           .outer = std::move(shrunk.child)}));
    return Shrunk{.child = std::move(top), .lower = true};
  }
  Node* const top = Edit(left, *old_left);
  node->set_right(std::move(shrunk.child));
  node->set_left(std::move(top->mutable_right()));
  node->set_balance(WrapBalance(-balance - 1));
  top->set_right(std::move(parent));
  top->set_balance(WrapBalance(balance + 1));
  return Shrunk{.child = std::move(left), .lower = balance == -1};
}

// Alters the leftmost or rightmost leaf under `root`; every node on the way is visited and copied.
absl::StatusOr<ChildRef> AvlAlgorithm::ChangeSpineEnd(const ChildRef& root, End end,
                                                      LeafChange change) {
  spine_.clear();
  const bool left = end == End::kLeftmost;
  const ChildRef* child = &root;
  FIRN_ASSIGN_OR_RETURN(const Node* node, side_->Load(*child));
  while (!node->is_leaf()) {
    side_->Visit(*child, *node);
    spine_.push_back({.child = child, .node = node, .left = left});
    child = left ? &node->left() : &node->right();
    FIRN_ASSIGN_OR_RETURN(node, side_->Load(*child));
  }
  side_->Visit(*child, *node);
  const Node& data = change.key_and_value_of != nullptr ? *change.key_and_value_of : *node;
  const Node& next = change.next_of != nullptr ? *change.next_of : *node;
  ChildRef changed = NewChild(
      Node::NewLeaf({.key = data.key(), .value = data.value(), .next = next.next()}, mark_.epoch));
  for (; !spine_.empty(); spine_.pop_back()) {
    const Step& step = spine_.back();
    ChildRef parent = *step.child;
    Node* const copy = Edit(parent, *step.node);
    if (left) {
      copy->set_left(std::move(changed));
    } else {
      copy->set_right(std::move(changed));
    }
    changed = std::move(parent);
  }
  return changed;
}

absl::StatusOr<OldValue> FindValue(const ChildRef& root, absl::string_view key,
                                   NodeResolver* resolver) {
  const ChildRef* child = &root;
  NodePtr held;  // the last node that no parent in memory holds
  bool found = false;
  while (true) {
    const Node* node = child->node().get();
    if (node == nullptr) {
      FIRN_ASSIGN_OR_RETURN(NodePtr loaded, LoadNode(*child, resolver));
      held = std::move(loaded);
      node = held.get();
    }
    if (node->is_leaf()) {
      // The first leaf, whose key is the sentinel, has no routing key and is never found.
      if (!found || node->key() != key) return OldValue();
      return OldValue(std::string(node->value().data(), node->value().size()));
    }
    const int order = found ? -1 : key.compare(node->key());
    found = found || order == 0;
    child = order < 0 ? &node->left() : &node->right();
  }
}

namespace {

// Recursion is bounded by kTreeHeightMax.
class InvariantWalk {
 public:
  InvariantWalk(const TreeParameters& parameters, NodeResolver* resolver)
      : parameters_(parameters), resolver_(resolver) {}

  struct Subtree {
    int height;
    std::string first_key;
  };
  absl::StatusOr<Subtree> Walk(const ChildRef& child, int depth) {
    if (depth > kTreeHeightMax) return Wrong(child, "is deeper than a tree can be");
    FIRN_ASSIGN_OR_RETURN(const NodePtr node, LoadNode(child, resolver_));
    if (node->key().size() != parameters_.key_length)
      return Wrong(child, "has a key of wrong length");
    FIRN_ASSIGN_OR_RETURN(Subtree subtree, node->is_leaf() ? WalkLeaf(child, *node)
                                                           : WalkInternal(child, *node, depth));
    const bool labels_known =
        node->is_leaf() || (node->left().label_known() && node->right().label_known());
    if (child.label_known() && (!labels_known || ComputeLabel(*node) != child.label())) {
      return Wrong(child, "does not hash to its label");
    }
    return subtree;
  }
  const std::string& last_next() const { return next_; }

 private:
  static absl::Status Wrong(const ChildRef& child, absl::string_view what) {
    const std::string name = child.label_known()
                                 ? absl::BytesToHexString(AsText(ByteSpan(child.label())))
                                 : std::string("without label");
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     absl::StrCat("tree: node ", name, " ", what));
  }

  absl::StatusOr<Subtree> WalkLeaf(const ChildRef& child, const Node& leaf) {
    const bool is_first = next_.empty();
    if (is_first ? leaf.key() != MakeSentinelLeaf(parameters_).key : leaf.key() != next_) {
      return Wrong(child, "is a leaf with another key than the leaf before names as next");
    }
    if (leaf.key() >= leaf.next()) return Wrong(child, "is a leaf whose next key is not greater");
    if (!CheckValue(leaf.value(), parameters_).ok())
      return Wrong(child, "has a value of wrong length");
    next_.assign(leaf.next().data(), leaf.next().size());
    return Subtree{.height = 0, .first_key = std::string(leaf.key().data(), leaf.key().size())};
  }

  absl::StatusOr<Subtree> WalkInternal(const ChildRef& child, const Node& node, int depth) {
    FIRN_ASSIGN_OR_RETURN(Subtree left, Walk(node.left(), depth + 1));
    FIRN_ASSIGN_OR_RETURN(const Subtree right, Walk(node.right(), depth + 1));
    const int balance = right.height - left.height;
    if (balance < -1 || balance > 1) return Wrong(child, "is out of balance");
    if (balance != node.balance())
      return Wrong(child, "has a balance that its children do not have");
    if (node.key() != right.first_key) {
      return Wrong(child, "has another routing key than the first leaf on its right");
    }
    left.height = 1 + std::max(left.height, right.height);
    return left;
  }

  const TreeParameters& parameters_;
  NodeResolver* const resolver_;
  std::string next_;  // of the last leaf seen
};

}  // namespace

absl::Status CheckInvariants(const AvlTree& tree, const TreeParameters& parameters,
                             NodeResolver* resolver) {
  FIRN_RETURN_IF_ERROR(CheckTreeParameters(parameters));
  InvariantWalk walk(parameters, resolver);
  FIRN_ASSIGN_OR_RETURN(const InvariantWalk::Subtree whole, walk.Walk(tree.root, 0));
  if (walk.last_next() != MakeSentinelLeaf(parameters).next) {
    return CorruptionAt("tree", 0, "the last leaf does not name the end as next");
  }
  if (whole.height != tree.height) {
    return CorruptionAt("tree", 0, "height",
                        {.expected = static_cast<uint64_t>(tree.height),
                         .actual = static_cast<uint64_t>(whole.height)});
  }
  return absl::OkStatus();
}

}  // namespace firn
