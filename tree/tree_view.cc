#include "tree/tree_view.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "base/types.h"
#include "firn/iterator.h"
#include "tree/avl.h"
#include "tree/label.h"
#include "tree/record_store.h"

namespace firn {

absl::StatusOr<TreeProof> ProveOn(const ChildRef& root, const Digest& digest,
                                  std::vector<Operation> operations,
                                  const TreeParameters& parameters, NodeResolver& resolver) {
  Prover prover(parameters, root, digest.height(), &resolver);
  TreeProof proof;
  proof.start = digest;
  proof.old_values.reserve(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    absl::StatusOr<OldValue> old = prover.Apply(operations[i]);
    if (!old.ok()) {
      return Annotate(WithPath(old.status(), root, operations[i].key, resolver),
                      absl::StrCat("operation ", i, " of the proof"));
    }
    proof.old_values.push_back(std::move(*old));
  }
  proof.digest = prover.digest();
  const std::vector<uint8_t> bytes = prover.GenerateProof();
  proof.proof = std::string(AsText(bytes));
  proof.operations = std::move(operations);
  return proof;
}

absl::StatusOr<OldValue> TreeViewImpl::Get(absl::string_view key) const {
  FIRN_RETURN_IF_ERROR(CheckKey(key, store_->tree.parameters));
  if (state_.source == ViewSource::kNodes) {
    NodeStore nodes = store_->NodesAt(state_.snapshot);
    absl::StatusOr<OldValue> value = FindValue(state_.root, key, &nodes);
    if (!value.ok()) return WithPath(value.status(), state_.root, key, nodes);
    return value;
  }
  FIRN_ASSIGN_OR_RETURN(std::optional<TreeRecord> record,
                        GetRecord(store_->keyspaces.records, kOnlyTree, key, state_.snapshot));
  if (!record.has_value()) return OldValue();
  return OldValue(std::move(record->value));
}

absl::Status TreeViewImpl::Scan(absl::string_view begin, absl::string_view limit,
                                const EntryVisitor& visit) const {
  if (!limit.empty() && begin >= limit) return absl::OkStatus();
  return state_.source == ViewSource::kNodes ? ScanNodes(begin, limit, visit)
                                             : ScanRecords(begin, limit, visit);
}

absl::Status TreeViewImpl::ScanRecords(absl::string_view begin, absl::string_view limit,
                                       const EntryVisitor& visit) const {
  const std::unique_ptr<Iterator> rows =
      NewRecordIterator(store_->keyspaces.records, kOnlyTree, begin, limit, state_.snapshot);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key, DecodeRecordKey(kOnlyTree, rows->key()));
    FIRN_ASSIGN_OR_RETURN(const RecordView record, DecodeRecord(rows->value()));
    if (!visit(key, record.value)) return absl::OkStatus();
  }
  return rows->status();
}

// A routing key is the least key on its right.
absl::Status TreeViewImpl::ScanNodes(absl::string_view begin, absl::string_view limit,
                                     const EntryVisitor& visit) const {
  NodeStore nodes = store_->NodesAt(state_.snapshot);
  const SentinelLeaf sentinel = MakeSentinelLeaf(store_->tree.parameters);
  std::vector<ChildRef> pending = {state_.root};
  while (!pending.empty()) {
    const ChildRef child = std::move(pending.back());
    pending.pop_back();
    FIRN_ASSIGN_OR_RETURN(const NodePtr node, LoadNode(child, &nodes));
    if (!node->is_leaf()) {
      if (limit.empty() || node->key() < limit) pending.push_back(node->right());
      if (begin < node->key()) pending.push_back(node->left());
      continue;
    }
    const bool wanted = node->key() != sentinel.key && node->key() >= begin &&
                        (limit.empty() || node->key() < limit);
    if (wanted && !visit(node->key(), node->value())) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<TreeProof> TreeViewImpl::Prove(std::vector<Operation> operations) const {
  NodeStore nodes = store_->NodesAt(state_.snapshot);
  FIRN_ASSIGN_OR_RETURN(TreeProof proof, ProveOn(state_.root, state_.digest, std::move(operations),
                                                 store_->tree.parameters, nodes));
  proof.operation_number = state_.position.operation;
  return proof;
}

TreeView::TreeView(std::unique_ptr<const TreeViewImpl> impl) : impl_(std::move(impl)) {}
TreeView::~TreeView() = default;

const Digest& TreeView::digest() const { return impl_->state().digest; }
uint64_t TreeView::operation_number() const { return impl_->state().position.operation; }
uint64_t TreeView::commit_number() const { return impl_->state().position.commit; }
uint64_t TreeView::key_count() const { return impl_->state().position.keys; }
const Snapshot& TreeView::snapshot() const { return impl_->state().snapshot; }

absl::StatusOr<OldValue> TreeView::Get(absl::string_view key) const { return impl_->Get(key); }

absl::Status TreeView::Scan(
    absl::string_view begin, absl::string_view limit,
    const std::function<bool(absl::string_view key, absl::string_view value)>& visit) const {
  return impl_->Scan(begin, limit, visit);
}

absl::StatusOr<TreeProof> TreeView::Prove(absl::Span<const std::string> keys) const {
  std::vector<Operation> lookups;
  lookups.reserve(keys.size());
  for (const std::string& key : keys) lookups.push_back(Operation::Lookup(key));
  return impl_->Prove(std::move(lookups));
}

absl::StatusOr<TreeProof> TreeView::ProveOperations(absl::Span<const Operation> operations) const {
  return impl_->Prove(std::vector<Operation>(operations.begin(), operations.end()));
}

}  // namespace firn
