#include "tools/vector_tree.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

class MemoryVectorTree final : public VectorTree {
 public:
  explicit MemoryVectorTree(const TreeParameters& parameters) : parameters_(parameters) {
    versions_.push_back({.root = EmptyTree(parameters), .height = 0});
    Open(versions_.front());
  }

  absl::StatusOr<OldValue> Apply(const Operation& operation) override {
    return prover_->Apply(operation);
  }

  absl::StatusOr<Digest> digest() override { return prover_->digest(); }

  absl::StatusOr<Difference> BatchDifference() override {
    Difference difference;
    const BatchChanges changes = prover_->Changes();
    for (const ChildRef& child : changes.gone) difference.gone.push_back(child.label());
    for (const ChildRef& child : changes.added) difference.added.push_back(child.label());
    return difference;
  }

  absl::StatusOr<std::vector<uint8_t>> EndBatch() override {
    std::vector<uint8_t> proof = prover_->GenerateProof();
    versions_.push_back({.root = prover_->batch_start_root(), .height = prover_->height()});
    return proof;
  }

  absl::Status Rollback(size_t batches) override {
    if (batches >= versions_.size()) {
      return InvalidArgument(absl::StrCat("only ", versions_.size() - 1, " batches have ended"));
    }
    Open(versions_[batches]);
    return absl::OkStatus();
  }

  absl::StatusOr<Nodes> nodes() override {
    return Nodes{.tree = {.root = prover_->root(), .height = prover_->height()}};
  }

 private:
  void Open(const AvlTree& version) {
    prover_ = std::make_unique<Prover>(parameters_, version.root,
                                       static_cast<uint8_t>(version.height), nullptr);
  }

  const TreeParameters parameters_;
  std::vector<AvlTree> versions_;
  std::unique_ptr<Prover> prover_;
};

}  // namespace

std::unique_ptr<VectorTree> NewMemoryVectorTree(const TreeParameters& parameters) {
  return std::make_unique<MemoryVectorTree>(parameters);
}

}  // namespace firn
