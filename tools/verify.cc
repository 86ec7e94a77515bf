// tools/verify.cc: firn verify: looks for damage, changes nothing of what it looks at.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tools/commands.h"

namespace firn {
namespace {

enum class Level : uint8_t { kFiles = 1, kBlocks = 2, kTree = 3 };

struct VerifyFlags {
  std::string directory;
  Level level = Level::kTree;
  bool all_checkpoints = false;
  StoreOptions store;
};

void Report(const Json& report, Command& command) {
  const bool clean = report["damage"].empty();
  if (!clean) command.code = ExitCode::kNegative;
  if (command.json) {
    Print(command, report);
    return;
  }
  for (const auto& [name, value] : report.items()) {
    if (value.is_array()) continue;
    std::printf("%s: %s\n", name.c_str(),
                value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
  for (const Json& note : report["notes"]) {
    std::printf("note: %s\n", note.get<std::string>().c_str());
  }
  for (const Json& damage : report["damage"]) {
    std::printf("DAMAGE: %s\n", damage.get<std::string>().c_str());
  }
  std::printf("%s\n", clean ? "clean" : "damage found; the files are as they were. Restore a backup, "
                                        "or start from the operations of an intact copy");
}

void Append(Json& list, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) list.push_back(line);
}

absl::Status VerifyTree(Store& store, const VerifyFlags& flags, Json& report) {
  const absl::StatusOr<TreeVerifyReport> checked =
      store.tree->VerifyTree(flags.all_checkpoints ? TreeVerifyLevel::kAllCheckpoints
                                                   : TreeVerifyLevel::kNewest);
  if (absl::IsDataLoss(checked.status())) {
    // A row that cannot be read ends the walk: a finding, beside those that the blocks gave.
    report["damage"].push_back(std::string(checked.status().message()));
    return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(checked.status());
  const TreeVerifyReport& tree = *checked;
  report["root"] = tree.digest.ToHex();
  report["nodes"] = tree.nodes;
  report["leaves"] = tree.leaves;
  report["records"] = tree.records;
  report["operations"] = tree.operations;
  report["checkpoints"] = tree.checkpoints;
  Append(report["damage"], tree.damage);
  Append(report["notes"], tree.notes);
  return absl::OkStatus();
}

absl::Status Verify(const VerifyFlags& flags, Command& command) {
  Json report = {{"store", flags.directory},
                 {"damage", Json::array()},
                 {"notes", Json::array()}};
  absl::StatusOr<Store> store = OpenStore(flags.directory, flags.store);
  if (absl::IsDataLoss(store.status())) {
    // A store too damaged to open: that is the finding.
    report["damage"].push_back(std::string(store.status().message()));
    Report(report, command);
    return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(store.status());
  FIRN_ASSIGN_OR_RETURN(const VerifyReport files,
                        store->database->Verify(flags.level == Level::kFiles
                                                    ? VerifyLevel::kFiles
                                                    : VerifyLevel::kBlocks));
  report["files"] = files.files;
  report["blocks"] = files.blocks;
  report["entries"] = files.entries;
  report["bytes"] = files.bytes;
  Append(report["damage"], files.damage);
  Append(report["notes"], files.notes);
  if (flags.level == Level::kTree) FIRN_RETURN_IF_ERROR(VerifyTree(*store, flags, report));
  Report(report, command);
  return store->Close();
}

}  // namespace

void RegisterVerify(CLI::App& app, Command& command) {
  CLI::App& verify = *app.add_subcommand("verify", "Look for damage in files, blocks and tree");
  auto flags = std::make_shared<VerifyFlags>();
  verify.add_option("DIR", flags->directory, "The store")->required();
  verify.add_option("--level", flags->level, "files, blocks or tree (default; the last covers all)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Level>{
          {"files", Level::kFiles}, {"blocks", Level::kBlocks}, {"tree", Level::kTree}}));
  verify.add_flag("--all-checkpoints", flags->all_checkpoints,
                  "Also that every older checkpoint has all its nodes");
  AddStoreFlags(verify, flags->store);
  SetBody(verify, command, [flags, &command] { return Verify(*flags, command); });
}

}  // namespace firn
