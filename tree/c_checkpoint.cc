// The C API of checkpoints, the operation log and the tree's verification.
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tree/c_handles.h"

namespace firn {
namespace {

// The calls that give a checkpoint: `find(tree)`.
template <typename Tree, typename Find>
firn_code FindCheckpoint(Tree* tree, firn_checkpoint** checkpoint, firn_error** error, Find find) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(checkpoint, "checkpoint"));
    *checkpoint = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_ASSIGN_OR_RETURN(Checkpoint found, find(*tree->tree));
    *checkpoint = new firn_checkpoint{std::move(found)};
    return absl::OkStatus();
  });
}

// The calls that give logged operations: `read(tree)`.
template <typename Read>
firn_code ReadOperations(const firn_tree* tree, firn_operations** operations, firn_error** error,
                         Read read) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(operations, "operations"));
    *operations = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    absl::StatusOr<std::vector<LoggedOperation>> found = read(*tree->tree);
    FIRN_RETURN_IF_ERROR(found.status());
    *operations = new firn_operations{*std::move(found)};
    return absl::OkStatus();
  });
}

}  // namespace
}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::ToC;

firn_code firn_tree_make_checkpoint(firn_tree* tree, const firn_option* metadata,
                                    size_t metadata_count, firn_checkpoint** checkpoint,
                                    firn_error** error) {
  return firn::FindCheckpoint(
      tree, checkpoint, error,
      [&](firn::AuthenticatedTree& open) -> absl::StatusOr<firn::Checkpoint> {
        FIRN_ASSIGN_OR_RETURN(const std::vector<firn::NamedText> named,
                              FromC(metadata, metadata_count));
        std::map<std::string, std::string> facts;
        for (const firn::NamedText& fact : named) {
          facts[std::string(fact.name)] = std::string(fact.value);
        }
        return open.MakeCheckpoint(facts);
      });
}

firn_code firn_tree_get_checkpoint(const firn_tree* tree, uint64_t id,
                                   firn_checkpoint** checkpoint, firn_error** error) {
  return firn::FindCheckpoint(
      tree, checkpoint, error,
      [id](const firn::AuthenticatedTree& open) { return open.GetCheckpoint(id); });
}

firn_code firn_tree_latest_checkpoint(const firn_tree* tree, firn_checkpoint** checkpoint,
                                      firn_error** error) {
  return firn::FindCheckpoint(
      tree, checkpoint, error,
      [](const firn::AuthenticatedTree& open) { return open.LatestCheckpoint(); });
}

firn_code firn_tree_checkpoint_ids(const firn_tree* tree, uint64_t** ids, size_t* count,
                                   firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(ids, "ids"));
    *ids = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(count, "count"));
    *count = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_ASSIGN_OR_RETURN(const std::vector<firn::Checkpoint> all, tree->tree->ListCheckpoints());
    if (all.empty()) return absl::OkStatus();
    auto* const copy = static_cast<uint64_t*>(std::malloc(all.size() * sizeof(uint64_t)));
    if (copy == nullptr) throw std::bad_alloc();
    for (size_t i = 0; i < all.size(); ++i) copy[i] = all[i].id;
    *ids = copy;
    *count = all.size();
    return absl::OkStatus();
  });
}

uint64_t firn_checkpoint_id(const firn_checkpoint* checkpoint) {
  return checkpoint == nullptr ? 0 : checkpoint->checkpoint.id;
}
uint64_t firn_checkpoint_time_ms(const firn_checkpoint* checkpoint) {
  return checkpoint == nullptr ? 0 : checkpoint->checkpoint.time_ms;
}
firn_digest firn_checkpoint_digest(const firn_checkpoint* checkpoint) {
  return checkpoint == nullptr ? firn_digest{} : ToC(checkpoint->checkpoint.digest);
}
uint64_t firn_checkpoint_last_operation(const firn_checkpoint* checkpoint) {
  return checkpoint == nullptr ? 0 : checkpoint->checkpoint.last_operation;
}
uint64_t firn_checkpoint_commit_number(const firn_checkpoint* checkpoint) {
  return checkpoint == nullptr ? 0 : checkpoint->checkpoint.commit_number;
}
uint64_t firn_checkpoint_node_count(const firn_checkpoint* checkpoint) {
  return checkpoint == nullptr ? 0 : checkpoint->checkpoint.node_count;
}
firn_code firn_checkpoint_metadata(const firn_checkpoint* checkpoint, firn_bytes name,
                                   firn_bytes* value, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(value, "value"));
    *value = {nullptr, 0};
    FIRN_RETURN_IF_ERROR(CheckGiven(checkpoint, "checkpoint"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view which, FromC(name, "name"));
    const auto found = checkpoint->checkpoint.metadata.find(std::string(which));
    if (found == checkpoint->checkpoint.metadata.end()) return absl::NotFoundError("");
    *value = ToC(found->second);
    return absl::OkStatus();
  });
}
void firn_checkpoint_free(firn_checkpoint* checkpoint) { delete checkpoint; }

firn_code firn_tree_get_operations(const firn_tree* tree, uint64_t first, uint64_t last,
                                   size_t limit, firn_operations** operations,
                                   firn_error** error) {
  return firn::ReadOperations(tree, operations, error, [&](const firn::AuthenticatedTree& open) {
    return open.GetOperations(first, last, limit);
  });
}

firn_code firn_tree_get_operations_by_time(const firn_tree* tree, uint64_t begin_ms,
                                           uint64_t limit_ms, size_t limit,
                                           firn_operations** operations, firn_error** error) {
  return firn::ReadOperations(tree, operations, error, [&](const firn::AuthenticatedTree& open) {
    return open.GetOperationsByTime(begin_ms, limit_ms, limit);
  });
}

firn_code firn_tree_history(const firn_tree* tree, firn_bytes key, size_t limit,
                            firn_operations** operations, firn_error** error) {
  return firn::ReadOperations(
      tree, operations, error,
      [&](const firn::AuthenticatedTree& open)
          -> absl::StatusOr<std::vector<firn::LoggedOperation>> {
        FIRN_ASSIGN_OR_RETURN(const absl::string_view which, FromC(key, "key"));
        return open.History(which, limit);
      });
}

size_t firn_operations_size(const firn_operations* operations) {
  return operations == nullptr ? 0 : operations->operations.size();
}
int firn_operations_at(const firn_operations* operations, size_t index,
                       firn_logged_operation* operation) {
  if (operation == nullptr) return 0;
  *operation = {};
  if (index >= firn_operations_size(operations)) return 0;
  const firn::LoggedOperation& logged = operations->operations[index];
  operation->number = logged.number;
  operation->commit_number = logged.commit_number;
  operation->time_ms = logged.time_ms;
  operation->operation = ToC(logged.operation);
  operation->had_previous_value = logged.previous_value.has_value() ? 1 : 0;
  if (logged.previous_value.has_value()) operation->previous_value = ToC(*logged.previous_value);
  operation->has_digest = logged.digest.has_value() ? 1 : 0;
  if (logged.digest.has_value()) operation->digest = ToC(*logged.digest);
  operation->ends_commit = logged.ends_commit ? 1 : 0;
  return 1;
}
void firn_operations_free(firn_operations* operations) { delete operations; }

firn_code firn_tree_verify(const firn_tree* tree, firn_tree_verify_level level,
                           firn_report** report, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(report, "report"));
    *report = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    if (level != FIRN_TREE_VERIFY_NEWEST && level != FIRN_TREE_VERIFY_ALL_CHECKPOINTS) {
      return firn::InvalidArgument(absl::StrCat("verify level ", level, " is neither 1 nor 2"));
    }
    FIRN_ASSIGN_OR_RETURN(firn::TreeVerifyReport found,
                          tree->tree->VerifyTree(static_cast<firn::TreeVerifyLevel>(level)));
    *report = new firn_report{found.clean(),
                              {{"nodes", found.nodes},
                               {"leaves", found.leaves},
                               {"records", found.records},
                               {"operations", found.operations},
                               {"checkpoints", found.checkpoints},
                               {"damage", found.damage_count}},
                              {std::move(found.damage)},
                              {std::move(found.notes)}};
    return absl::OkStatus();
  });
}

firn_code firn_tree_statistics(const firn_tree* tree, char** text, size_t* size,
                               firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(text, "text"));
    *text = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(size, "size"));
    *size = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    const firn::TreeStatistics now = tree->tree->statistics();
    const std::string all = absl::StrCat(
        "operations_applied ", now.operations_applied, "\ncommits ", now.commits,
        "\noperations_replayed ", now.operations_replayed, "\ncheckpoints_made ",
        now.checkpoints_made, "\nnodes_written ", now.nodes_written, "\ndeaths_written ",
        now.deaths_written, "\ndirty_nodes ", now.dirty_nodes, "\ndirty_bytes ", now.dirty_bytes,
        "\nnode_loads ", now.node_loads, "\nnode_cache_hits ", now.node_cache_hits,
        "\nnode_cache_misses ", now.node_cache_misses, "\nnode_cache_evictions ",
        now.node_cache_evictions, "\nnode_cache_nodes ", now.node_cache_nodes, "\nnode_cache_bytes ", now.node_cache_bytes,
        "\n");
    *text = static_cast<char*>(firn::CopyForC(all));
    *size = all.size();
    return absl::OkStatus();
  });
}
