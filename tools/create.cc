// tools/create.cc: firn create.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/admin/config.h"
#include "firn/presets.h"
#include "tools/commands.h"

namespace firn {
namespace {

struct CreateFlags {
  std::string directory;
  uint32_t key_length = 32;
  std::string value_length = "variable";
  std::string preset;
  std::string config;
};

absl::StatusOr<TreeParameters> ParametersOf(const CreateFlags& flags) {
  TreeParameters parameters{.key_length = flags.key_length, .value_length = std::nullopt};
  if (flags.value_length == "variable") return parameters;
  uint32_t length = 0;
  if (!absl::SimpleAtoi(flags.value_length, &length)) {
    return InvalidOption("--value-length", absl::StrCat("\"", flags.value_length,
                                                        "\" is neither a number of bytes nor "
                                                        "\"variable\""));
  }
  parameters.value_length = length;
  return parameters;
}

absl::StatusOr<Options> OptionsOf(const CreateFlags& flags) {
  if (!flags.config.empty() && !flags.preset.empty()) {
    return InvalidOption("--preset", "together with --config: name it in the file instead");
  }
  if (!flags.preset.empty()) {
    FIRN_ASSIGN_OR_RETURN(const Preset preset, PresetNamed(flags.preset));
    return ExpandPreset(preset).store;
  }
  Options options;
  options.block_cache_size = size_t{64} << 20;  // beside a node cache
  if (flags.config.empty()) return options;
  FIRN_ASSIGN_OR_RETURN(const Config config, ReadConfig(flags.config));
  if (config.store.storage == Storage::kMemory) {
    return InvalidOption("storage", "\"memory\": nothing would be left of the store");
  }
  if (!config.keyspaces.empty()) {
    return InvalidOption("keyspaces", "the tree chooses the options of its keyspaces itself");
  }
  return config.store;
}

absl::Status Create(const CreateFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(const TreeParameters parameters, ParametersOf(flags));
  FIRN_ASSIGN_OR_RETURN(Options options, OptionsOf(flags));
  FIRN_ASSIGN_OR_RETURN(Store store, CreateStore(flags.directory, parameters, std::move(options)));
  Print(command, {{"store", flags.directory},
                  {"store_id", store.database->store_id()},
                  {"key_length", parameters.key_length},
                  {"value_length", parameters.value_length.has_value()
                                       ? Json(*parameters.value_length)
                                       : Json("variable")},
                  {"root", store.tree->view()->digest().ToHex()}});
  return store.Close();
}

}  // namespace

void RegisterCreate(CLI::App& app, Command& command) {
  CLI::App& create = *app.add_subcommand("create", "Make a store with an empty tree");
  auto flags = std::make_shared<CreateFlags>();
  create.add_option("DIR", flags->directory, "Folder to make; it may exist if it is empty")
      ->required();
  create.add_option("--key-length", flags->key_length, "Bytes of every key, 1 to 255 (32)");
  create.add_option("--value-length", flags->value_length,
                    "Bytes of every value, or \"variable\" (variable)");
  create.add_option("--preset", flags->preset,
                    "balanced, write-heavy, read-heavy, bulk-load or low-memory");
  create.add_option("--config", flags->config, "TOML file with options (docs/operations.md)");
  SetBody(create, command, [flags, &command] { return Create(*flags, command); });
}

}  // namespace firn
