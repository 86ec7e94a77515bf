#include "tools/store_vector_tree.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "base/types.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "tree/node_store.h"
#include "tree/prover.h"
#include "tree/tree_view.h"

namespace firn {
namespace {

class StoreVectorTree final : public VectorTree {
 public:
  StoreVectorTree(const TreeParameters& parameters, const StoreVectorOptions& options)
      : parameters_(parameters), options_(options) {}
  ~StoreVectorTree() override { CloseStore(); }

  absl::Status OpenNew() {
    CloseStore();
    Options options;
    options.storage = Storage::kMemory;
    options.mode = OpenMode::kCreateNew;
    options.memtable_size = size_t{1} << 20;
    options.identity = TreeIdentity(parameters_);
    FIRN_ASSIGN_OR_RETURN(database_, Database::Open("vectors", options));
    TreeOptions tree_options;
    tree_options.parameters = parameters_;
    tree_options.node_cache_nodes = options_.node_cache_nodes;
    FIRN_ASSIGN_OR_RETURN(tree_, AuthenticatedTree::Open(*database_, tree_options));
    return absl::OkStatus();
  }

  absl::StatusOr<OldValue> Apply(const Operation& operation) override {
    absl::StatusOr<OldValue> result = tree_->Apply(operation);
    if (result.ok()) operations_.push_back(operation);
    return result;
  }

  absl::StatusOr<Digest> digest() override { return tree_->StagedDigest(); }

  absl::StatusOr<Difference> BatchDifference() override {
    FIRN_ASSIGN_OR_RETURN(const Nodes before, nodes());
    Prover scratch(parameters_, before.tree.root, static_cast<uint8_t>(before.tree.height),
                   before.resolver);
    for (const Operation& operation : operations_) {
      FIRN_RETURN_IF_ERROR(scratch.Apply(operation).status());
    }
    Difference difference;
    const BatchChanges changes = scratch.Changes();
    for (const ChildRef& child : changes.gone) difference.gone.push_back(child.label());
    for (const ChildRef& child : changes.added) difference.added.push_back(child.label());
    return difference;
  }

  absl::StatusOr<std::vector<uint8_t>> EndBatch() override {
    FIRN_ASSIGN_OR_RETURN(std::vector<uint8_t> proof, CommitBatch());
    batches_.push_back({.parent = head_, .operations = std::exchange(operations_, {})});
    head_ = batches_.size();
    return proof;
  }

  absl::Status Rollback(size_t batches) override {
    if (batches > batches_.size()) {
      return InvalidArgument(absl::StrCat("there is no batch ", batches));
    }
    std::vector<size_t> way;  // to the wanted batch, last first
    for (size_t at = batches; at != 0; at = batches_[at - 1].parent) way.push_back(at);
    FIRN_RETURN_IF_ERROR(OpenNew());
    operations_.clear();
    for (; !way.empty(); way.pop_back()) {
      for (const Operation& operation : batches_[way.back() - 1].operations) {
        FIRN_RETURN_IF_ERROR(tree_->Apply(operation).status());
      }
      FIRN_RETURN_IF_ERROR(CommitBatch().status());
    }
    head_ = batches;
    return absl::OkStatus();
  }

  absl::StatusOr<Nodes> nodes() override {
    view_ = tree_->view();
    FIRN_ASSIGN_OR_RETURN(const Keyspace nodes, database_->OpenKeyspace("nodes"));
    resolver_ = std::make_unique<NodeStore>(nodes, kOnlyTree, view_->snapshot(), nullptr,
                                            &counters_);
    return Nodes{.tree = {.root = view_->impl().state().root, .height = view_->digest().height()},
                 .resolver = resolver_.get()};
  }

 private:
  struct Batch {
    size_t parent = 0;  // batches before it on its branch: 0, or one past an index of batches_
    std::vector<Operation> operations;
  };

  void CloseStore() {
    resolver_.reset();
    view_.reset();
    tree_.reset();
    // The files go with the handle; what closing them says has no reader.
    if (database_ != nullptr) database_->Close().IgnoreError();
    database_.reset();
    committed_ = 0;
  }

  absl::StatusOr<std::vector<uint8_t>> CommitBatch() {
    CommitOptions commit;
    commit.durability = Durability::kBuffered;
    commit.proof = WantProof::kYes;
    FIRN_ASSIGN_OR_RETURN(const CommitResult committed, tree_->Commit(commit));
    FIRN_RETURN_IF_ERROR(committed.checkpoint_status);
    ++committed_;
    if (committed_ <= options_.checkpoint_each || committed_ % options_.checkpoint_every == 0) {
      FIRN_RETURN_IF_ERROR(tree_->MakeCheckpoint().status());
    }
    FIRN_CHECK(committed.proof.has_value());  // it was asked for
    const ByteSpan proof = AsBytes(committed.proof->proof);
    return std::vector<uint8_t>(proof.begin(), proof.end());
  }

  const TreeParameters parameters_;
  const StoreVectorOptions options_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<AuthenticatedTree> tree_;
  size_t committed_ = 0;               // batches in this store
  std::vector<Operation> operations_;  // of the present batch, successful ones
  std::vector<Batch> batches_;         // all that ever ended
  size_t head_ = 0;                    // the batch that the tree stands at
  NodeCounters counters_;
  std::shared_ptr<const TreeView> view_;  // of the last nodes()
  std::unique_ptr<NodeStore> resolver_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VectorTree>> NewStoreVectorTree(const TreeParameters& parameters,
                                                               const StoreVectorOptions& options) {
  auto tree = std::make_unique<StoreVectorTree>(parameters, options);
  FIRN_RETURN_IF_ERROR(tree->OpenNew());
  return tree;
}

}  // namespace firn
