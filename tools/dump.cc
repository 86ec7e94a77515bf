// tools/dump.cc: firn dump: looks inside a file.
#include <cstdio>
#include <memory>
#include <string>

#include "base/status.h"
#include "io/posix_file_system.h"
#include "tools/commands.h"
#include "tools/dump_files.h"

namespace firn {
namespace {

struct DumpFlags {
  std::string path;
  DumpOptions options;
};

absl::Status Dump(const DumpFlags& flags, Command& command) {
  PosixFileSystem files;
  Json lines = Json::array();
  const DumpSink sink = [&](absl::string_view line) {
    if (command.json) {
      lines.push_back(std::string(line));
    } else {
      std::printf("%s\n", std::string(line).c_str());
    }
  };
  const absl::Status dumped = DumpFile(files, flags.path, flags.options, sink);
  if (!dumped.ok() && !absl::IsDataLoss(dumped)) return dumped;
  if (command.json) {
    Print(command, {{"file", flags.path},
                    {"lines", lines},
                    {"damage", dumped.ok() ? Json() : Json(std::string(dumped.message()))}});
  } else if (!dumped.ok()) {
    std::printf("DAMAGE: %s\n", std::string(dumped.message()).c_str());
  }
  if (!dumped.ok()) command.code = ExitCode::kNegative;
  return absl::OkStatus();
}

}  // namespace

void RegisterDump(CLI::App& app, Command& command) {
  CLI::App& dump = *app.add_subcommand(
      "dump", "Show what stands in a segment, log, manifest, FIRN file or proof bundle");
  auto flags = std::make_shared<DumpFlags>();
  dump.add_option("FILE", flags->path, "Told apart by its content")->required();
  dump.add_flag("--entries", flags->options.entries, "Entries of blocks, batches and edits too");
  dump.add_flag("--hex", flags->options.hex, "Keys and values in hex, whole");
  dump.add_option("--limit", flags->options.limit,
                  "At most so many entries (blocks or records without --entries)");
  SetBody(dump, command, [flags, &command] { return Dump(*flags, command); });
}

}  // namespace firn
