// The C API of the tree: opening, applying, committing. Views and proofs are in c_view.cc, checkpoints
// and the operation log in c_checkpoint.cc; verification, which needs no database, in c_proof.cc.
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "firn/c_bridge.h"
#include "tree/c_handles.h"

namespace firn {
namespace {

constexpr absl::string_view kModes[] = {"open_or_create", "open_existing", "create_new"};
constexpr absl::string_view kDigests[] = {"per_commit", "per_operation"};

absl::StatusOr<uint32_t> ParseUint32(const NamedText& option) {
  FIRN_ASSIGN_OR_RETURN(const uint64_t number, ParseNumber(option));
  if (number > std::numeric_limits<uint32_t>::max()) {
    return InvalidOption(option.name, absl::StrCat(number, " is above 2^32 - 1"));
  }
  return static_cast<uint32_t>(number);
}

// The numbers of TreeOptions; null: no such name.
uint64_t* NumberNamed(absl::string_view name, CheckpointPolicy& policy) {
  if (name == "checkpoint_operations") return &policy.operations;
  if (name == "checkpoint_milliseconds") return &policy.milliseconds;
  if (name == "checkpoint_dirty_bytes") return &policy.dirty_bytes;
  return nullptr;
}

absl::Status SetByName(TreeOptions& options, std::optional<uint32_t>& value_length,
                       const NamedText& option) {
  if (uint64_t* const number = NumberNamed(option.name, options.checkpoints)) {
    FIRN_ASSIGN_OR_RETURN(*number, ParseNumber(option));
  } else if (option.name == "mode") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t mode, ParseWord(option, kModes));
    options.mode = static_cast<OpenMode>(mode);
  } else if (option.name == "key_length") {
    if (!options.parameters.has_value()) options.parameters.emplace();
    FIRN_ASSIGN_OR_RETURN(options.parameters->key_length, ParseUint32(option));
  } else if (option.name == "value_length") {
    value_length = std::nullopt;
    if (option.value != "variable") {
      FIRN_ASSIGN_OR_RETURN(value_length, ParseUint32(option));
    }
  } else if (option.name == "allowed") {
    FIRN_ASSIGN_OR_RETURN(const uint32_t allowed, ParseUint32(option));
    if (allowed == 0 || allowed > kAllowAll) {
      return InvalidOption(option.name, "it is outside [1, 7]");
    }
    options.allowed = static_cast<uint8_t>(allowed);
  } else if (option.name == "digests") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t digests, ParseWord(option, kDigests));
    options.digests = static_cast<DigestPolicy>(digests);
  } else if (option.name == "checkpoint_every_commit") {
    FIRN_ASSIGN_OR_RETURN(options.checkpoints.every_commit, ParseYesNo(option));
  } else if (option.name == "node_cache_bytes") {
    FIRN_ASSIGN_OR_RETURN(options.node_cache_bytes, ParseNumber(option));
  } else if (option.name == "node_cache_nodes") {
    FIRN_ASSIGN_OR_RETURN(options.node_cache_nodes, ParseNumber(option));
  } else if (option.name == "expected_digest") {
    FIRN_ASSIGN_OR_RETURN(options.expected_digest, Digest::FromHex(option.value));
  } else {
    return UnknownOption(option);
  }
  return absl::OkStatus();
}

absl::StatusOr<CommitOptions> CommitOptionsFromC(firn_durability durability,
                                                 const firn_batch* extra,
                                                 const firn_option* options, size_t count) {
  CommitOptions result;
  if (durability < FIRN_VOLATILE || durability > FIRN_SYNCED) {
    return InvalidArgument(absl::StrCat("durability ", durability, " is none of 1, 2, 3"));
  }
  result.durability = static_cast<Durability>(durability);
  if (extra != nullptr) result.extra = &BatchOf(*extra);
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  for (const NamedText& option : named) {
    if (option.name == "proof") {
      FIRN_ASSIGN_OR_RETURN(const bool is_wanted, ParseYesNo(option));
      result.proof = is_wanted ? WantProof::kYes : WantProof::kNo;
    } else if (option.name == "time_ms") {
      FIRN_ASSIGN_OR_RETURN(result.time_ms, ParseNumber(option));
    } else {
      return UnknownOption(option);
    }
  }
  return result;
}

}  // namespace

absl::StatusOr<TreeOptions> TreeOptionsFromC(const firn_option* options, size_t count) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  TreeOptions result;
  std::optional<uint32_t> value_length;
  bool has_value_length = false;
  for (const NamedText& option : named) {
    FIRN_RETURN_IF_ERROR(SetByName(result, value_length, option));
    has_value_length = has_value_length || option.name == "value_length";
  }
  if (has_value_length) {
    if (!result.parameters.has_value()) {
      return InvalidOption("value_length", "key_length must be given with it");
    }
    result.parameters->value_length = value_length;
  }
  return result;
}

}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::ToC;

firn_code firn_tree_open(firn_database* database, const firn_option* options, size_t option_count,
                         firn_tree** tree, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    *tree = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_ASSIGN_OR_RETURN(const firn::TreeOptions open_with,
                          firn::TreeOptionsFromC(options, option_count));
    std::shared_ptr<firn::Database> store = firn::DatabaseOf(*database);
    FIRN_ASSIGN_OR_RETURN(std::unique_ptr<firn::AuthenticatedTree> opened,
                          firn::AuthenticatedTree::Open(*store, open_with));
    *tree = new firn_tree{std::move(store), std::move(opened)};
    return absl::OkStatus();
  });
}

void firn_tree_free(firn_tree* tree) { delete tree; }

firn_code firn_tree_parameters_of(const firn_tree* tree, firn_tree_parameters* parameters,
                                  firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(parameters, "parameters"));
    *parameters = {};
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    const firn::TreeParameters& fixed = tree->tree->parameters();
    *parameters = {fixed.key_length, fixed.value_length.has_value() ? 1 : 0,
                   fixed.value_length.value_or(0)};
    return absl::OkStatus();
  });
}

firn_code firn_tree_apply(firn_tree* tree, const firn_operation* operation,
                          firn_old_values** old_value, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    if (old_value != nullptr) *old_value = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_RETURN_IF_ERROR(CheckGiven(operation, "operation"));
    FIRN_ASSIGN_OR_RETURN(const firn::Operation wanted, FromC(*operation));
    // Before it is staged: what is done is not reported as failed for want of memory.
    auto kept = std::make_unique<firn_old_values>();
    kept->values.resize(1);
    FIRN_ASSIGN_OR_RETURN(kept->values[0], tree->tree->Apply(wanted));
    if (old_value != nullptr) *old_value = kept.release();
    return absl::OkStatus();
  });
}

uint64_t firn_tree_staged_operations(const firn_tree* tree) {
  return tree == nullptr ? 0 : tree->tree->staged_operations();
}

firn_code firn_tree_staged_digest(firn_tree* tree, firn_digest* digest, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(digest, "digest"));
    *digest = {};
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_ASSIGN_OR_RETURN(const firn::Digest staged, tree->tree->StagedDigest());
    *digest = ToC(staged);
    return absl::OkStatus();
  });
}

void firn_tree_discard(firn_tree* tree) {
  if (tree != nullptr) tree->tree->Discard();
}

firn_code firn_tree_stage_metadata(firn_tree* tree, firn_bytes key, firn_bytes value,
                                   firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view value_view, FromC(value, "value"));
    return tree->tree->StageMetadata(key_view, value_view);
  });
}

firn_code firn_tree_get_metadata(const firn_tree* tree, firn_bytes key, void** copy, size_t* size,
                                 firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(copy, "copy"));
    *copy = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(size, "size"));
    *size = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> found,
                          tree->tree->GetMetadata(key_view));
    if (!found.has_value()) return absl::NotFoundError("");
    *copy = firn::CopyForC(*found);
    *size = found->size();
    return absl::OkStatus();
  });
}

firn_code firn_tree_commit(firn_tree* tree, firn_durability durability, const firn_batch* extra,
                           const firn_option* options, size_t option_count, firn_commit** commit,
                           firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    if (commit != nullptr) *commit = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(tree, "tree"));
    const absl::StatusOr<firn::CommitOptions> commit_with =
        firn::CommitOptionsFromC(durability, extra, options, option_count);
    if (!commit_with.ok()) {
      tree->tree->Discard();  // as after every commit that fails
      return commit_with.status();
    }
    auto done = std::make_unique<firn_commit>();
    FIRN_ASSIGN_OR_RETURN(firn::CommitResult result, tree->tree->Commit(*commit_with));
    if (commit == nullptr) return absl::OkStatus();
    if (result.proof.has_value()) done->proof.emplace(*std::move(result.proof));
    result.proof.reset();
    done->result = std::move(result);
    *commit = done.release();
    return absl::OkStatus();
  });
}

firn_digest firn_commit_digest(const firn_commit* commit) {
  return commit == nullptr ? firn_digest{} : ToC(commit->result.digest);
}
uint64_t firn_commit_number(const firn_commit* commit) {
  return commit == nullptr ? 0 : commit->result.commit_number;
}
uint64_t firn_commit_first_operation(const firn_commit* commit) {
  return commit == nullptr ? 0 : commit->result.first_operation;
}
uint64_t firn_commit_last_operation(const firn_commit* commit) {
  return commit == nullptr ? 0 : commit->result.last_operation;
}
uint64_t firn_commit_checkpoint(const firn_commit* commit) {
  return commit == nullptr ? 0 : commit->result.checkpoint.value_or(0);
}
firn_code firn_commit_checkpoint_status(const firn_commit* commit, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(commit, "commit"));
    return commit->result.checkpoint_status;
  });
}
const firn_proof* firn_commit_proof(const firn_commit* commit) {
  return commit == nullptr || !commit->proof.has_value() ? nullptr : &*commit->proof;
}
void firn_commit_free(firn_commit* commit) { delete commit; }
