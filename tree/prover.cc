#include "tree/prover.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "base/types.h"
#include "tree/label.h"
#include "tree/proof_format.h"

namespace firn {

// The prover's half of an operation: nodes come from memory or the resolver, keys choose directions.
class Prover::Side final : public AvlSide {
 public:
  explicit Side(Prover& prover) : prover_(prover), first_bit_(prover.directions_.size()) {}

  absl::StatusOr<const Node*> Load(const ChildRef& child) override {
    if (child.resolved()) return child.node().get();
    if (const Node* const node = prover_.TouchedNode(child); node != nullptr) return node;
    FIRN_ASSIGN_OR_RETURN(NodePtr node, LoadNode(child, prover_.resolver_));
    FIRN_RETURN_IF_ERROR(CheckLoaded(*node));
    const Node* const loaded = node.get();
    prover_.touched_.insert_or_assign(child.label(),
                                      Touched{.node = std::move(node), .visited = false});
    return loaded;
  }

  absl::StatusOr<bool> GoLeft(const Node& node, absl::string_view key) override {
    DirectionBits& directions = prover_.directions_;
    if (directions.size() - first_bit_ >= kTreeHeightMax) {
      return Broken("a path is longer than a tree can be high");
    }
    bool left = true;
    if (!found_) {
      const int order = key.compare(node.key());
      left = order < 0;
      if (order == 0) {
        found_ = true;
        last_right_ = directions.size();
      }
    }
    directions.Append(left);
    return left;
  }

  // The check of absence is the verifier's: routing keys are not covered by labels, so a store could
  // have damaged one unnoticed.
  absl::StatusOr<bool> IsPresent(const Node& leaf, absl::string_view key) override {
    if (found_ != (leaf.key() == key)) return Broken("a routing key does not lead to its leaf");
    if (!found_ && (key < leaf.key() || key >= leaf.next())) {
      return Broken("a routing key leads to a leaf that does not surround the key");
    }
    return found_;
  }

  int Replay(size_t depth) override {
    const size_t index = first_bit_ + depth;
    if (index == last_right_) return 0;
    return index > last_right_ || prover_.directions_.IsLeft(index) ? -1 : 1;
  }

  void Visit(const ChildRef& child, const Node& node) override {
    if (node.epoch() == prover_.epoch_ || prover_.options_.recording == ProofRecording::kSkip) {
      return;
    }
    const auto [entry, inserted] = prover_.touched_.try_emplace(child.label());
    if (!inserted && entry->second.visited) return;
    if (inserted) entry->second.node = NodePtr::Share(&node);
    entry->second.visited = true;
    prover_.visited_by_operation_.push_back(child.label());
  }

  absl::Status Broken(absl::string_view what) override {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     absl::StrCat("tree: ", what));
  }

 private:
  absl::Status CheckLoaded(const Node& node) {
    const TreeParameters& parameters = prover_.parameters_;
    if (node.key().size() != parameters.key_length) {
      return Broken("a loaded node has a key of wrong length");
    }
    if (node.is_leaf()) return CheckValue(node.value(), parameters);
    if (node.balance() < -1 || node.balance() > 1) {
      return Broken("a loaded node has a balance other than -1, 0 and 1");
    }
    return absl::OkStatus();
  }

  Prover& prover_;
  const size_t first_bit_;
  size_t last_right_ = 0;
  bool found_ = false;
};

Prover::Prover(const TreeParameters& parameters, ChildRef root, uint8_t height,
               NodeResolver* resolver, Options options)
    : parameters_(parameters),
      resolver_(resolver),
      options_(options),
      tree_{.root = std::move(root), .height = height} {
  FIRN_CHECK(CheckTreeParameters(parameters).ok() && tree_.root.label_known());
  BeginBatch();
}

void Prover::BeginBatch() {
  start_root_ = tree_.root;
  start_height_ = tree_.height;
  epoch_ = NextEpoch();
  directions_.Truncate(0);
  touched_.clear();
  batch_operations_ = 0;
  batch_removals_ = 0;
}

const Node* Prover::TouchedNode(const ChildRef& child) const {
  const auto found = touched_.find(child.label());
  return found == touched_.end() ? nullptr : found->second.node.get();
}

absl::StatusOr<OldValue> Prover::Apply(const Operation& operation) {
  const size_t bits_before = directions_.size();
  visited_by_operation_.clear();
  Side side(*this);
  absl::StatusOr<AvlResult> result = algorithm_.Perform(
      operation, parameters_, {.epoch = epoch_, .birth = options_.birth}, side, tree_);
  if (!result.ok()) {
    directions_.Truncate(bits_before);
    for (const Label& label : visited_by_operation_) touched_.find(label)->second.visited = false;
    return std::move(result).status();
  }
  if (options_.recording == ProofRecording::kSkip) directions_.Truncate(0);
  ++batch_operations_;
  if (result->removed) ++batch_removals_;
  return std::move(result->old_value);
}

absl::StatusOr<OldValue> Prover::Find(absl::string_view key) {
  return FindValue(tree_.root, key, resolver_);
}

const ChildRef& Prover::root() {
  CompleteLabels(tree_.root);
  return tree_.root;
}

Digest Prover::digest() {
  FIRN_CHECK(tree_.height >= 0 && tree_.height <= kTreeHeightMax);
  return Digest::From(root().label(), height());
}

Digest Prover::batch_start_digest() const {
  return Digest::From(start_root_.label(), batch_start_height());
}

BatchChanges Prover::Changes() {
  CompleteLabels(tree_.root);
  // 1. The new nodes, and the old ones that they refer to.
  absl::flat_hash_set<Label> new_labels;
  absl::flat_hash_set<Label> kept;
  std::vector<ChildRef*> pending = {&tree_.root};
  while (!pending.empty()) {
    ChildRef* const child = pending.back();
    pending.pop_back();
    if (!child->resolved() || child->node()->epoch() != epoch_) {
      kept.insert(child->label());
      continue;
    }
    new_labels.insert(child->label());
    if (child->node()->is_leaf()) continue;
    Node* const node = Node::Alterable(child->node(), epoch_);
    pending.push_back(&node->mutable_right());
    pending.push_back(&node->mutable_left());
  }
  // 2. The old nodes above those: each was replaced, so it was loaded.
  BatchChanges changes;
  absl::flat_hash_map<Label, ChildRef> replaced;
  std::vector<const ChildRef*> old_pending = {&start_root_};
  while (!old_pending.empty()) {
    const ChildRef* const child = old_pending.back();
    old_pending.pop_back();
    if (kept.contains(child->label())) continue;
    const Node* const node = child->resolved() ? child->node().get() : TouchedNode(*child);
    FIRN_CHECK(node != nullptr);
    replaced.emplace(child->label(), *child);
    if (!new_labels.contains(child->label())) changes.gone.push_back(*child);
    if (node->is_leaf()) continue;
    old_pending.push_back(&node->right());
    old_pending.push_back(&node->left());
  }
  // 3. A new node with the label of an old one is that old one.
  pending = {&tree_.root};
  while (!pending.empty()) {
    ChildRef* const child = pending.back();
    pending.pop_back();
    if (!child->resolved() || child->node()->epoch() != epoch_) continue;
    if (const auto old = replaced.find(child->label()); old != replaced.end()) {
      *child = old->second;
      continue;
    }
    changes.added.push_back(*child);
    if (child->node()->is_leaf()) continue;
    Node* const node = Node::Alterable(child->node(), epoch_);
    pending.push_back(&node->mutable_right());
    pending.push_back(&node->mutable_left());
  }
  return changes;
}

namespace {

void AppendLeafToken(const Node& leaf, bool with_key, bool with_length,
                     std::vector<uint8_t>& proof) {
  const auto append = [&proof](ByteSpan bytes) {
    proof.insert(proof.end(), bytes.begin(), bytes.end());
  };
  proof.push_back(kProofLeaf);
  if (with_key) append(AsBytes(leaf.key()));
  append(AsBytes(leaf.next()));
  if (with_length) {
    uint8_t length[kProofValueLengthSize];
    StoreBigEndian32(length, static_cast<uint32_t>(leaf.value().size()));
    append(length);
  }
  append(AsBytes(leaf.value()));
}

}  // namespace

std::vector<uint8_t> Prover::GenerateProof() {
  FIRN_CHECK(options_.recording == ProofRecording::kRecord);
  struct Step {
    const ChildRef* child;
    const Node* node;  // not null: its children are done, its balance is due
  };
  std::vector<uint8_t> proof;
  std::vector<Step> pending = {{.child = &start_root_, .node = nullptr}};
  bool after_leaf = false;
  while (!pending.empty()) {
    const Step step = pending.back();
    pending.pop_back();
    if (step.node != nullptr) {
      proof.push_back(static_cast<uint8_t>(step.node->balance()));
      continue;
    }
    const auto touched = touched_.find(step.child->label());
    if (touched == touched_.end() || !touched->second.visited) {
      proof.push_back(kProofLabel);
      const Label& label = step.child->label();
      proof.insert(proof.end(), label.begin(), label.end());
      after_leaf = false;
      continue;
    }
    const Node* const node = touched->second.node.get();
    if (node->is_leaf()) {
      AppendLeafToken(*node, !after_leaf, !parameters_.value_length.has_value(), proof);
      after_leaf = true;
      continue;
    }
    pending.push_back({.child = step.child, .node = node});
    pending.push_back({.child = &node->right(), .node = nullptr});
    pending.push_back({.child = &node->left(), .node = nullptr});
  }
  proof.push_back(kProofEndOfTree);
  proof.insert(proof.end(), directions_.bytes().begin(), directions_.bytes().end());
  EndBatch();
  return proof;
}

void Prover::EndBatch() {
  CompleteLabels(tree_.root);
  BeginBatch();
}

void Prover::DiscardBatch() {
  tree_.root = start_root_;
  tree_.height = start_height_;
  BeginBatch();
}

void Prover::set_options(Options options) {
  FIRN_CHECK(batch_operations_ == 0);
  options_ = options;
}

}  // namespace firn
