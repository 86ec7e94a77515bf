// The C API of views: the tree as a commit left it, and proofs from it.
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tree/c_handles.h"

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::ToC;

firn_code firn_tree_view_now(const firn_tree* tree, firn_tree_view** view, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(view, "view"));
    *view = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    *view = new firn_tree_view{tree->database, tree->tree->view()};
    return absl::OkStatus();
  });
}

firn_code firn_tree_view_at_checkpoint(const firn_tree* tree, uint64_t id, firn_tree_view** view,
                                       firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(view, "view"));
    *view = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const firn::TreeView> found,
                          tree->tree->ViewAtCheckpoint(id));
    *view = new firn_tree_view{tree->database, std::move(found)};
    return absl::OkStatus();
  });
}

firn_code firn_tree_root(const firn_tree* tree, firn_digest* digest, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(digest, "digest"));
    *digest = {};
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    *digest = ToC(tree->tree->view()->digest());
    return absl::OkStatus();
  });
}

firn_digest firn_view_digest(const firn_tree_view* view) {
  return view == nullptr ? firn_digest{} : ToC(view->view->digest());
}
uint64_t firn_view_operation_number(const firn_tree_view* view) {
  return view == nullptr ? 0 : view->view->operation_number();
}
uint64_t firn_view_commit_number(const firn_tree_view* view) {
  return view == nullptr ? 0 : view->view->commit_number();
}
uint64_t firn_view_key_count(const firn_tree_view* view) {
  return view == nullptr ? 0 : view->view->key_count();
}

firn_code firn_view_get(const firn_tree_view* view, firn_bytes key, void** copy, size_t* size,
                        firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(copy, "copy"));
    *copy = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(size, "size"));
    *size = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(view, "view"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    FIRN_ASSIGN_OR_RETURN(const firn::OldValue found, view->view->Get(key_view));
    if (!found.has_value()) return absl::NotFoundError("");
    *copy = firn::CopyForC(*found);
    *size = found->size();
    return absl::OkStatus();
  });
}

firn_code firn_view_scan(const firn_tree_view* view, firn_bytes begin, firn_bytes limit,
                         int (*visit)(firn_bytes key, firn_bytes value, void* context),
                         void* context, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(view, "view"));
    if (visit == nullptr) return firn::InvalidArgument("visit is NULL");
    FIRN_ASSIGN_OR_RETURN(const absl::string_view from, FromC(begin, "begin"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view to, FromC(limit, "limit"));
    return view->view->Scan(from, to, [&](absl::string_view key, absl::string_view value) {
      return visit(ToC(key), ToC(value), context) != 0;
    });
  });
}

firn_code firn_view_prove(const firn_tree_view* view, const firn_bytes* keys, size_t key_count,
                          firn_proof** proof, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(proof, "proof"));
    *proof = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(view, "view"));
    FIRN_ASSIGN_OR_RETURN(const std::vector<absl::string_view> views,
                          FromC(keys, key_count, "keys"));
    const std::vector<std::string> wanted(views.begin(), views.end());
    FIRN_ASSIGN_OR_RETURN(firn::TreeProof made, view->view->Prove(wanted));
    *proof = new firn_proof(std::move(made));
    return absl::OkStatus();
  });
}

firn_code firn_view_prove_operations(const firn_tree_view* view, const firn_operation* operations,
                                     size_t operation_count, firn_proof** proof,
                                     firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(proof, "proof"));
    *proof = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(view, "view"));
    FIRN_ASSIGN_OR_RETURN(const std::vector<firn::Operation> wanted,
                          FromC(operations, operation_count));
    FIRN_ASSIGN_OR_RETURN(firn::TreeProof made, view->view->ProveOperations(wanted));
    *proof = new firn_proof(std::move(made));
    return absl::OkStatus();
  });
}

void firn_view_free(firn_tree_view* view) { delete view; }

firn_bytes firn_proof_bytes(const firn_proof* proof) {
  return proof == nullptr ? firn_bytes{nullptr, 0} : ToC(proof->proof.proof);
}
firn_digest firn_proof_start(const firn_proof* proof) {
  return proof == nullptr ? firn_digest{} : ToC(proof->proof.start);
}
firn_digest firn_proof_digest(const firn_proof* proof) {
  return proof == nullptr ? firn_digest{} : ToC(proof->proof.digest);
}
uint64_t firn_proof_operation_number(const firn_proof* proof) {
  return proof == nullptr ? 0 : proof->proof.operation_number;
}
size_t firn_proof_operation_count(const firn_proof* proof) {
  return proof == nullptr ? 0 : proof->proof.operations.size();
}
int firn_proof_operation_at(const firn_proof* proof, size_t index, firn_operation* operation) {
  if (operation == nullptr) return 0;
  *operation = {};
  if (index >= firn_proof_operation_count(proof)) return 0;
  *operation = ToC(proof->proof.operations[index]);
  return 1;
}
const firn_old_values* firn_proof_old_values(const firn_proof* proof) {
  return proof == nullptr ? nullptr : &proof->old_values;
}
void firn_proof_free(firn_proof* proof) { delete proof; }
