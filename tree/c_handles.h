// tree/c_handles.h: what stands behind the handles of firn/c_tree.h that need a database. Only the
// store's part of the tree's C API includes this.
//
// Invariant: a handle holds a share of the database (of the tree), declared before what uses it, so
// that handles may be freed in any order.
#ifndef FIRN_TREE_C_HANDLES_H_
#define FIRN_TREE_C_HANDLES_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/c_support.h"
#include "firn/authenticated_tree.h"
#include "firn/c_tree.h"
#include "firn/database.h"
#include "tree/c_proof.h"

struct firn_tree {
  std::shared_ptr<firn::Database> database;
  std::unique_ptr<firn::AuthenticatedTree> tree;
};

struct firn_tree_view {
  std::shared_ptr<firn::Database> database;
  std::shared_ptr<const firn::TreeView> view;
};

struct firn_proof {
  explicit firn_proof(firn::TreeProof from)
      : proof(std::move(from)), old_values{std::move(proof.old_values)} {}
  firn::TreeProof proof;  // its old values are moved to:
  firn_old_values old_values;
};

struct firn_commit {
  firn::CommitResult result;
  std::optional<firn_proof> proof;
};

struct firn_checkpoint {
  firn::Checkpoint checkpoint;
};

struct firn_operations {
  std::vector<firn::LoggedOperation> operations;
};

namespace firn {

absl::StatusOr<TreeOptions> TreeOptionsFromC(const firn_option* options, size_t count);

}  // namespace firn

#endif  // FIRN_TREE_C_HANDLES_H_
