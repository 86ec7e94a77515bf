// tools/checkpoint.cc: firn checkpoint create|list|show.
#include <memory>
#include <string>

#include "base/status.h"
#include "tools/commands.h"

namespace firn {
namespace {

struct CheckpointFlags {
  std::string directory;
  uint64_t id = 0;
  StoreOptions store;
};

absl::string_view ReasonName(CheckpointReason reason) {
  switch (reason) {
    case CheckpointReason::kRequested:
      return "requested";
    case CheckpointReason::kOperations:
      return "operations";
    case CheckpointReason::kTime:
      return "time";
    case CheckpointReason::kDirtyBytes:
      return "dirty bytes";
    case CheckpointReason::kEveryCommit:
      return "every commit";
  }
  return "unknown";
}

Json Document(const Checkpoint& checkpoint) {
  return {{"id", checkpoint.id},
          {"root", checkpoint.digest.ToHex()},
          {"time_ms", checkpoint.time_ms},
          {"last_operation", checkpoint.last_operation},
          {"commit", checkpoint.commit_number},
          {"nodes", checkpoint.node_count},
          {"reason", std::string(ReasonName(checkpoint.reason))},
          {"metadata", checkpoint.metadata}};
}

absl::Status Create(const CheckpointFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  FIRN_ASSIGN_OR_RETURN(const Checkpoint made, store.tree->MakeCheckpoint());
  Print(command, Document(made));
  return store.Close();
}

absl::Status List(const CheckpointFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  FIRN_ASSIGN_OR_RETURN(const std::vector<Checkpoint> all, store.tree->ListCheckpoints());
  if (command.json) {
    Json list = Json::array();
    for (const Checkpoint& checkpoint : all) list.push_back(Document(checkpoint));
    Print(command, {{"checkpoints", list}});
  } else {
    for (const Checkpoint& checkpoint : all) {
      std::printf("%llu %s operation %llu, %llu nodes, %s\n",
                  static_cast<unsigned long long>(checkpoint.id),
                  checkpoint.digest.ToHex().c_str(),
                  static_cast<unsigned long long>(checkpoint.last_operation),
                  static_cast<unsigned long long>(checkpoint.node_count),
                  std::string(ReasonName(checkpoint.reason)).c_str());
    }
    if (all.empty()) std::printf("no checkpoint yet; firn checkpoint create makes one\n");
  }
  return store.Close();
}

absl::Status Show(const CheckpointFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  FIRN_ASSIGN_OR_RETURN(const Checkpoint checkpoint, store.tree->GetCheckpoint(flags.id));
  Print(command, Document(checkpoint));
  return store.Close();
}

}  // namespace

void RegisterCheckpoint(CLI::App& app, Command& command) {
  CLI::App& group = *app.add_subcommand("checkpoint", "Make, list and show retained roots");
  group.require_subcommand(1);
  auto flags = std::make_shared<CheckpointFlags>();
  const auto add = [&](const char* name, const char* what,
                       absl::Status (*run)(const CheckpointFlags&, const Command&)) -> CLI::App& {
    CLI::App& sub = *group.add_subcommand(name, what);
    AddStoreFlags(sub, flags->store);
    SetBody(sub, command, [flags, &command, run] { return run(*flags, command); });
    return sub;
  };
  // `firn checkpoint DIR create`: the store comes before what is done with it, as in the other groups.
  group.add_option("DIR", flags->directory, "The store")->required();
  add("create", "Make a checkpoint of the present root", Create);
  add("list", "List checkpoints, newest first", List);
  add("show", "Show one checkpoint", Show).add_option("ID", flags->id, "Its number")->required();
}

}  // namespace firn
