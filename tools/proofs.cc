// tools/proofs.cc: firn prove and verify-proof.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "io/file_system.h"
#include "io/posix_file_system.h"
#include "tools/commands.h"
#include "tools/proof_bundle.h"

namespace firn {
namespace {

struct ProveFlags {
  std::string directory, root, output;
  std::vector<std::string> keys;
  BytesForm form;
  StoreOptions store;
};

// The view with that root: the present one, or a checkpoint's; empty `root`: the present one.
absl::StatusOr<std::shared_ptr<const TreeView>> ViewOf(const AuthenticatedTree& tree,
                                                       const std::string& root) {
  std::shared_ptr<const TreeView> present = tree.view();
  if (root.empty()) return present;
  FIRN_ASSIGN_OR_RETURN(const Digest wanted, DigestArgument(root));
  if (present->digest() == wanted) return present;
  FIRN_ASSIGN_OR_RETURN(const std::vector<Checkpoint> checkpoints, tree.ListCheckpoints());
  for (const Checkpoint& checkpoint : checkpoints) {
    if (checkpoint.digest == wanted) return tree.ViewAtCheckpoint(checkpoint.id);
  }
  return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotRetained,
                   absl::StrCat("root ", wanted.ToHex(),
                                " is neither the present one nor a checkpoint's; `firn checkpoint "
                                "DIR list` shows those"));
}

absl::Status Prove(const ProveFlags& flags, const Command& command) {
  std::vector<std::string> keys;
  for (const std::string& argument : flags.keys) {
    FIRN_ASSIGN_OR_RETURN(std::string key, KeyArgument(argument, flags.form));
    keys.push_back(std::move(key));
  }
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  {
    FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const TreeView> view,
                          ViewOf(*store.tree, flags.root));
    ProofBundle bundle;
    bundle.parameters = store.tree->parameters();
    FIRN_ASSIGN_OR_RETURN(bundle.proof, view->Prove(keys));
    // What is handed out was checked as its receiver will check it.
    FIRN_RETURN_IF_ERROR(CheckBundle(bundle, view->digest()));
    PosixFileSystem files;
    FIRN_RETURN_IF_ERROR(WriteFileAtomically(files, flags.output, EncodeBundle(bundle)));
    Json found = Json::array();
    for (const OldValue& value : bundle.proof.old_values) {
      found.push_back(value.has_value() ? Json(ToHex(*value)) : Json());
    }
    Print(command, {{"root", view->digest().ToHex()},
                    {"keys", keys.size()},
                    {"proof_bytes", bundle.proof.proof.size()},
                    {"found", found},
                    {"bundle", flags.output}});
  }
  return store.Close();
}

struct VerifyFlags {
  std::string path, root;
  std::optional<std::string> key, value;
  bool absent = false;
  BytesForm form;
};

absl::Status CheckStatement(const VerifyFlags& flags, const ProofBundle& bundle) {
  if (!flags.key.has_value()) return absl::OkStatus();
  FIRN_ASSIGN_OR_RETURN(const std::string key, KeyArgument(*flags.key, flags.form));
  const auto refuse = [&](absl::string_view what) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidProof,
                     absl::StrCat(flags.path, ": ", what, " key ", ToHex(key)));
  };
  FIRN_ASSIGN_OR_RETURN(const OldValue proven, ProvenValue(bundle, key));
  if (flags.absent && proven.has_value()) return refuse("the proof shows a value under");
  if (flags.value.has_value()) {
    FIRN_ASSIGN_OR_RETURN(const std::string value,
                          ValueArgument(*flags.value, {.text = flags.form.text}));
    if (proven != value) return refuse("the proof shows another value, or none, under");
  }
  return absl::OkStatus();
}

absl::Status VerifyBundle(const VerifyFlags& flags, Command& command) {
  FIRN_ASSIGN_OR_RETURN(const Digest root, DigestArgument(flags.root));
  absl::StatusOr<ProofBundle> bundle = ReadBundle(flags.path);
  absl::Status checked = bundle.status();
  if (checked.ok()) checked = CheckBundle(*bundle, root);
  if (checked.ok()) checked = CheckStatement(flags, *bundle);
  if (!checked.ok() && ReasonOf(checked) != ErrorReason::kInvalidProof) return checked;
  if (!checked.ok()) {
    command.code = ExitCode::kNegative;
    Print(command, {{"verified", false}, {"why", std::string(checked.message())}});
    return absl::OkStatus();
  }
  Json statements = Json::array();
  for (size_t i = 0; i < bundle->proof.operations.size(); ++i) {
    const Operation& operation = bundle->proof.operations[i];
    const OldValue& value = bundle->proof.old_values[i];
    statements.push_back({{"operation", std::string(OperationKindName(operation.kind))},
                          {"key", ToHex(operation.key)},
                          {"value", value.has_value() ? Json(ToHex(*value)) : Json()}});
  }
  Print(command, {{"verified", true},
                  {"root", root.ToHex()},
                  {"root_after", bundle->proof.digest.ToHex()},
                  {"proven", statements}});
  return absl::OkStatus();
}

}  // namespace

void RegisterProofs(CLI::App& app, Command& command) {
  auto prove_flags = std::make_shared<ProveFlags>();
  CLI::App& prove = *app.add_subcommand(
      "prove", "Write a proof of the values, or the absence, of keys to a file");
  prove.add_option("DIR", prove_flags->directory, "The store")->required();
  prove.add_option("KEY", prove_flags->keys, "In hex; one or more")->required();
  prove.add_option("--root", prove_flags->root, "Prove against this root (the present one)");
  prove.add_option("-o,--output", prove_flags->output, "The proof bundle to write")->required();
  AddBytesFlags(prove, prove_flags->form);
  AddStoreFlags(prove, prove_flags->store);
  SetBody(prove, command, [prove_flags, &command] { return Prove(*prove_flags, command); });

  auto verify_flags = std::make_shared<VerifyFlags>();
  CLI::App& verify = *app.add_subcommand(
      "verify-proof", "Check a proof bundle against a trusted root; needs no store");
  verify.add_option("FILE", verify_flags->path, "The proof bundle")->required();
  verify.add_option("--root", verify_flags->root, "The root that is trusted, 66 hex digits")
      ->required();
  auto* key = verify.add_option("--key", verify_flags->key, "Must be proven, in hex");
  verify.add_option("--value", verify_flags->value, "Must be the key's value, in hex")->needs(key);
  verify.add_flag("--absent", verify_flags->absent, "The key must be absent")->needs(key);
  AddBytesFlags(verify, verify_flags->form);
  SetBody(verify, command, [verify_flags, &command] { return VerifyBundle(*verify_flags, command); });
}

}  // namespace firn
