#include "tree/node.h"

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/types.h"
#include "tree/label.h"

namespace firn {
namespace {

void CopyTo(char* target, absl::string_view bytes) {
  if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
}

}  // namespace

static_assert(sizeof(Node) % alignof(ChildRef) == 0, "child references stand behind the node");
static_assert(sizeof(ChildRef) == 48 && sizeof(Node) == 24, "firn/proof.h states a memory bound");

Epoch NextEpoch() {
  static std::atomic<Epoch> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

Node* Node::Allocate(bool is_leaf, size_t key_size, size_t value_size, Epoch epoch) {
  FIRN_CHECK(key_size <= kKeyLengthMax && value_size <= UINT32_MAX);
  const size_t behind =
      is_leaf ? 2 * key_size + value_size : KeyRoom(key_size) + 2 * sizeof(ChildRef);
  return new (::operator new(sizeof(Node) + behind)) Node(is_leaf, key_size, value_size, epoch);
}

NodePtr Node::NewLeaf(const LeafFields& leaf, Epoch epoch) {
  FIRN_CHECK(leaf.key.size() == leaf.next.size());
  Node* const node = Allocate(/*is_leaf=*/true, leaf.key.size(), leaf.value.size(), epoch);
  char* const bytes = node->behind();
  CopyTo(bytes, leaf.key);
  CopyTo(bytes + leaf.key.size(), leaf.next);
  CopyTo(bytes + 2 * leaf.key.size(), leaf.value);
  return NodePtr(node);
}

NodePtr Node::NewInternal(absl::string_view key, int8_t balance, ChildRef left, ChildRef right,
                          Epoch epoch) {
  Node* const node = Allocate(/*is_leaf=*/false, key.size(), 0, epoch);
  node->balance_ = balance;
  CopyTo(node->behind(), key);
  new (node->children()) ChildRef(std::move(left));
  new (node->children() + 1) ChildRef(std::move(right));
  return NodePtr(node);
}

size_t Node::memory_size() const {
  return sizeof(Node) + (is_leaf_ ? 2 * size_t{key_size_} + value_size_
                                  : KeyRoom(key_size_) + 2 * sizeof(ChildRef));
}

// The dead are chained through the nodes themselves: no recursion, no allocation.
void Node::Release(Node* node) {
  node->next_dead_ = nullptr;
  Node* dead = node;
  while (dead != nullptr) {
    Node* const current = dead;
    dead = current->next_dead_;
    if (!current->is_leaf_) {
      for (ChildRef* child = current->children(); child != current->children() + 2; ++child) {
        NodePtr taken = child->TakeNode();
        Node* const below = std::exchange(taken.node_, nullptr);
        if (below != nullptr && below->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
          below->next_dead_ = dead;
          dead = below;
        }
        std::destroy_at(child);
      }
    }
    current->~Node();
    ::operator delete(current);
  }
}

absl::StatusOr<NodePtr> LoadNode(const ChildRef& child, NodeResolver* resolver) {
  if (child.resolved()) return child.node();
  if (resolver == nullptr) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingNode,
                     absl::StrCat("node ", absl::BytesToHexString(AsText(child.label())),
                                  " is not in memory, and there is no store to load it from"));
  }
  return resolver->Resolve(child);
}

Label ComputeLabel(const Node& node) {
  if (node.is_leaf()) {
    return LeafLabel({.key = node.key(), .value = node.value(), .next = node.next()});
  }
  return InternalLabel(node.balance(), node.left().label(), node.right().label());
}

void CompleteLabels(ChildRef& root) {
  if (root.label_known()) return;
  std::vector<ChildRef*> pending = {&root};
  while (!pending.empty()) {
    ChildRef* const child = pending.back();
    const NodePtr& node = child->node();
    FIRN_CHECK(node);
    if (!node->is_leaf()) {
      Node* const parent = Node::Alterable(node, node->epoch());
      const size_t before = pending.size();
      if (!parent->left().label_known()) pending.push_back(&parent->mutable_left());
      if (!parent->right().label_known()) pending.push_back(&parent->mutable_right());
      if (pending.size() != before) continue;  // comes back when the children have theirs
    }
    child->set_label(ComputeLabel(*node));
    pending.pop_back();
  }
}

ChildRef EmptyTree(const TreeParameters& parameters) {
  const SentinelLeaf leaf = MakeSentinelLeaf(parameters);
  const LeafFields fields = {.key = leaf.key, .value = leaf.value, .next = leaf.next};
  return ChildRef(Node::NewLeaf(fields), LeafLabel(fields), 0);
}

}  // namespace firn
