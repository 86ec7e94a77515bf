// tools/layout.cc: firn layout: the files of a store and what each is for.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "io/file_system.h"
#include "tools/commands.h"
#include "tools/store_layout.h"

namespace firn {
namespace {

absl::Status Layout(const std::string& directory, Command& command) {
  std::string reason;
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> file_system, NewDiskFileSystem(&reason));
  FIRN_ASSIGN_OR_RETURN(const std::vector<LayoutEntry> entries,
                        ListLayout(*file_system, directory));
  Json files = Json::array();
  uint64_t unknown = 0;
  for (const LayoutEntry& entry : entries) {
    if (!entry.is_known()) ++unknown;
    files.push_back({{"path", entry.path},
                     {"bytes", entry.bytes},
                     {"role", entry.is_known() ? entry.role : "unknown"}});
    if (command.json) continue;
    absl::PrintF("%12d  %-28s %s\n", entry.bytes, entry.path,
                 entry.is_known() ? entry.role : "UNKNOWN: firn makes no such file");
  }
  if (command.json) {
    Print(command, {{"store", directory}, {"files", files}, {"unknown", unknown}});
  }
  if (unknown > 0) command.code = ExitCode::kNegative;
  return absl::OkStatus();
}

}  // namespace

void RegisterLayout(CLI::App& app, Command& command) {
  CLI::App& layout = *app.add_subcommand(
      "layout", "List a store's files and what they are for; 1 if there are others. Changes nothing");
  auto directory = std::make_shared<std::string>();
  layout.add_option("DIR", *directory, "The store")->required();
  SetBody(layout, command, [directory, &command] { return Layout(*directory, command); });
}

}  // namespace firn
