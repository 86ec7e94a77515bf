// tree/node.h: a node of the tree in memory, and the reference through which a parent holds a child.
//
// A leaf has key, value and next (the key of the following leaf); an internal node has a routing key
// (the key of the leftmost leaf of its right subtree; empty in a verifier), a balance (height of
// right minus height of left) and two children. All data is in the leaves.
//
// Invariants:
//   1. A node is altered only by the batch whose epoch it carries, before that batch has ended.
//      After that it is immutable, and any number of threads may walk it and share it.
//   2. In particular a child loaded from a store is never written back into its parent.
//   3. A node of an ended batch has both child labels known.
//   4. Releasing the last pointer to a tree of any depth does not recurse.
#ifndef FIRN_TREE_NODE_H_
#define FIRN_TREE_NODE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "firn/proof.h"

namespace firn {

class Node;
struct LeafFields;

// A counted reference to a node. Copies may live on different threads.
class NodePtr {
 public:
  NodePtr() = default;
  NodePtr(const NodePtr& other);
  NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodePtr& operator=(NodePtr other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodePtr();
  // Counts one more reference to `node`, which someone else holds.
  static NodePtr Share(const Node* node);

  const Node* get() const { return node_; }
  const Node& operator*() const { return *node_; }
  const Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  friend class Node;
  explicit NodePtr(Node* owned) : node_(owned) {}

  Node* node_ = nullptr;
};

// A child as its parent holds it: resolved (with a node), unresolved (label and birth alone), or new
// (with a node, the label not yet computed). `birth` is an opaque number below 2^63 for the store;
// 0 means "never persisted".
class ChildRef {
 public:
  ChildRef() = default;
  // Unresolved.
  ChildRef(const Label& label, uint64_t birth) : label_(label) {
    set_birth(birth);
    birth_and_known_ |= 1;
  }
  // Resolved; `label` must be the node's.
  ChildRef(NodePtr node, const Label& label, uint64_t birth) : ChildRef(label, birth) {
    node_ = std::move(node);
  }
  // The label is computed later, by CompleteLabels().
  static ChildRef WithoutLabel(NodePtr node, uint64_t birth) {
    ChildRef ref;
    ref.node_ = std::move(node);
    ref.set_birth(birth);
    return ref;
  }

  bool resolved() const { return static_cast<bool>(node_); }
  const NodePtr& node() const { return node_; }
  bool label_known() const { return (birth_and_known_ & 1) != 0; }
  const Label& label() const {
    FIRN_DCHECK(label_known());
    return label_;
  }
  uint64_t birth() const { return birth_and_known_ >> 1; }

  // The same child without its node: what a tree opened from a store starts with.
  ChildRef Unresolved() const { return ChildRef(label(), birth()); }

  void set_label(const Label& label) {
    label_ = label;
    birth_and_known_ |= 1;
  }
  // Leaves the reference unresolved.
  NodePtr TakeNode() { return std::move(node_); }
  void forget_label() { birth_and_known_ &= ~uint64_t{1}; }

 private:
  void set_birth(uint64_t birth) { birth_and_known_ = birth << 1 | (birth_and_known_ & 1); }

  NodePtr node_;
  Label label_{};
  uint64_t birth_and_known_ = 0;
};

// The number of the batch that made a node; 0 for nodes that come from a store.
using Epoch = uint64_t;
// A number never returned before in this process. Thread-safe.
Epoch NextEpoch();

// One allocation, in the order in which a descent reads it:
//   leaf      header | key | next | value
//   internal  header | key, filled up to 8 bytes | left ChildRef | right ChildRef
class Node {
 public:
  // key and next have the same size, at most 255.
  static NodePtr NewLeaf(const LeafFields& leaf, Epoch epoch = 0);
  static NodePtr NewInternal(absl::string_view key, int8_t balance, ChildRef left, ChildRef right,
                             Epoch epoch = 0);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  bool is_leaf() const { return is_leaf_; }
  Epoch epoch() const { return epoch_; }
  absl::string_view key() const { return absl::string_view(behind(), key_size_); }
  // Leaves.
  absl::string_view next() const {
    FIRN_DCHECK(is_leaf_);
    return absl::string_view(behind() + key_size_, key_size_);
  }
  absl::string_view value() const {
    FIRN_DCHECK(is_leaf_);
    return absl::string_view(behind() + 2 * size_t{key_size_}, value_size_);
  }
  // Internal nodes.
  int8_t balance() const { return balance_; }
  const ChildRef& left() const { return children()[0]; }
  const ChildRef& right() const { return children()[1]; }
  // Bytes of memory that this node itself takes.
  size_t memory_size() const;

  // Alters an internal node. Only for the batch that made it (invariant 1).
  static Node* Alterable(const NodePtr& node, Epoch epoch) {
    FIRN_DCHECK(node->epoch_ == epoch && epoch != 0);
    return node.node_;
  }
  void set_balance(int8_t balance) { balance_ = balance; }
  void set_left(ChildRef child) { children()[0] = std::move(child); }
  void set_right(ChildRef child) { children()[1] = std::move(child); }
  ChildRef& mutable_left() { return children()[0]; }
  ChildRef& mutable_right() { return children()[1]; }

 private:
  friend class NodePtr;
  Node(bool is_leaf, size_t key_size, size_t value_size, Epoch epoch)
      : is_leaf_(is_leaf),
        key_size_(static_cast<uint8_t>(key_size)),
        value_size_(static_cast<uint32_t>(value_size)),
        epoch_(epoch) {}
  ~Node() = default;

  static Node* Allocate(bool is_leaf, size_t key_size, size_t value_size, Epoch epoch);
  static void Release(Node* node);
  const char* behind() const { return reinterpret_cast<const char*>(this) + sizeof(Node); }
  char* behind() { return reinterpret_cast<char*>(this) + sizeof(Node); }
  const ChildRef* children() const {
    FIRN_DCHECK(!is_leaf_);
    return reinterpret_cast<const ChildRef*>(behind() + KeyRoom(key_size_));
  }
  ChildRef* children() {
    FIRN_DCHECK(!is_leaf_);
    return reinterpret_cast<ChildRef*>(behind() + KeyRoom(key_size_));
  }
  // What an internal node's key takes: its children are aligned.
  static size_t KeyRoom(size_t key_size) { return (key_size + 7) & ~size_t{7}; }

  std::atomic<uint32_t> references_{1};
  const bool is_leaf_;
  int8_t balance_ = 0;
  const uint8_t key_size_;
  const uint32_t value_size_;
  union {
    Epoch epoch_;
    Node* next_dead_;  // in Release() alone
  };
};

inline NodePtr::NodePtr(const NodePtr& other) : node_(other.node_) {
  if (node_ != nullptr) node_->references_.fetch_add(1, std::memory_order_relaxed);
}
inline NodePtr NodePtr::Share(const Node* node) {
  // The count is not part of what makes a node immutable.
  Node* const shared = const_cast<Node*>(node);
  shared->references_.fetch_add(1, std::memory_order_relaxed);
  return NodePtr(shared);
}
inline NodePtr::~NodePtr() {
  if (node_ != nullptr && node_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    Node::Release(node_);
  }
}

// Loads the nodes of unresolved children. What Resolve() may be called from, and whether it is
// thread-safe, is for the implementation to say: a Prover calls it on its own thread alone.
class NodeResolver {
 public:
  virtual ~NodeResolver() = default;
  // The node whose label is child.label(), with epoch 0. Errors pass through the operation that
  // needed the node, which then has no effect.
  virtual absl::StatusOr<NodePtr> Resolve(const ChildRef& child) = 0;
};

// `child`'s node: the one it holds, or else the resolver's. Without a resolver an unresolved child
// is DataLoss/kMissingNode.
absl::StatusOr<NodePtr> LoadNode(const ChildRef& child, NodeResolver* resolver);

// The label of `node`; both child labels must be known.
Label ComputeLabel(const Node& node);

// Computes every label not known in the tree under `root`, children first, without recursion. All
// nodes without a known label belong to the caller's unfinished batch.
void CompleteLabels(ChildRef& root);

// The tree without keys: its only leaf, resolved, label known, birth 0.
ChildRef EmptyTree(const TreeParameters& parameters);

}  // namespace firn

#endif  // FIRN_TREE_NODE_H_
