// tools/config.cc: firn config show, firn config check: options by name, as they are in force.
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/admin/config.h"
#include "engine/options_file.h"
#include "firn/option_names.h"
#include "tools/commands.h"

namespace firn {
namespace {

struct ConfigFlags {
  std::string directory;
  std::string file;
  std::string preset;
};

Json KeyspaceDocument(const KeyspaceOptions& options) {
  Json document = {{"layout", std::string(LayoutName(options.layout))},
                   {"compression", std::string(CompressionName(options.compression))}};
  for (const OptionName& about : KeyspaceOptionNames()) {
    document[std::string(about.name)] = GetOption(options, about.name).value();
  }
  return document;
}

Json DocumentOf(const Config& config, bool of_store) {
  Json store = {{"storage", config.store.storage == Storage::kMemory ? "memory" : "disk"}};
  for (const OptionName& about : StoreOptionNames()) {
    store[std::string(about.name)] = GetOption(config.store, about.name).value();
  }
  Json document = {{"store", store}};
  if (!of_store) document["keyspace"] = KeyspaceDocument(config.keyspace);
  Json keyspaces = Json::object();
  for (const auto& [name, options] : config.keyspaces) keyspaces[name] = KeyspaceDocument(options);
  document["keyspaces"] = keyspaces;
  return document;
}

void PrintTables(const Json& document) {
  const auto print = [](const std::string& table, const Json& options) {
    std::printf("[%s]\n", table.c_str());
    for (const auto& [name, value] : options.items()) {
      std::printf("%s = %s\n", name.c_str(), value.dump().c_str());
    }
    std::printf("\n");
  };
  print("store", document.at("store"));
  if (document.contains("keyspace")) print("keyspace", document.at("keyspace"));
  for (const auto& [name, options] : document.at("keyspaces").items()) {
    print("keyspaces." + name, options);
  }
}

absl::Status Show(const ConfigFlags& flags, const Command& command) {
  const int given = (flags.directory.empty() ? 0 : 1) + (flags.file.empty() ? 0 : 1) +
                    (flags.preset.empty() ? 0 : 1);
  if (given != 1) return InvalidOption("DIR", "give one of DIR, --config and --preset");
  Config config;
  if (!flags.preset.empty()) {
    FIRN_ASSIGN_OR_RETURN(config.preset, PresetNamed(flags.preset));
    PresetOptions expanded = ExpandPreset(config.preset);
    config.store = std::move(expanded.store);
    config.keyspace = expanded.keyspace;
  } else {
    const std::string path =
        flags.file.empty() ? absl::StrCat(flags.directory, "/OPTIONS.toml") : flags.file;
    FIRN_ASSIGN_OR_RETURN(config, ReadConfig(path));
  }
  const Json document = DocumentOf(config, !flags.directory.empty());
  if (command.json) {
    Print(command, document);
  } else {
    PrintTables(document);
  }
  return absl::OkStatus();
}

absl::Status Check(const ConfigFlags& flags, Command& command) {
  const absl::StatusOr<Config> config = ReadConfig(flags.file);
  if (absl::IsNotFound(config.status())) return config.status();
  if (!config.ok()) command.code = ExitCode::kNegative;
  Print(command, {{"file", flags.file},
                  {"valid", config.ok()},
                  {"error", config.ok() ? Json() : Json(std::string(config.status().message()))}});
  return absl::OkStatus();
}

}  // namespace

void RegisterConfig(CLI::App& app, Command& command) {
  CLI::App& config = *app.add_subcommand("config", "Options of a store, a file or a preset");
  config.require_subcommand(1);
  auto flags = std::make_shared<ConfigFlags>();
  CLI::App& show = *config.add_subcommand("show", "Print every option with the value in force");
  show.add_option("DIR", flags->directory, "A store: as it was last opened");
  show.add_option("--config", flags->file, "A TOML file (docs/operations.md), with what it leaves out");
  show.add_option("--preset", flags->preset,
                  "balanced, write-heavy, read-heavy, bulk-load or low-memory");
  SetBody(show, command, [flags, &command] { return Show(*flags, command); });
  CLI::App& check =
      *config.add_subcommand("check", "Look for what is wrong in a TOML file; 1 if something is");
  check.add_option("FILE", flags->file, "The file")->required();
  SetBody(check, command, [flags, &command] { return Check(*flags, command); });
}

}  // namespace firn
