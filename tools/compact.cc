// tools/compact.cc: firn compact: merges a store, a keyspace or a range of keys now.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "tools/commands.h"
#include "tools/compact_store.h"

namespace firn {
namespace {

struct CompactFlags {
  std::string directory;
  std::string keyspace;
  std::string begin;
  std::string limit;
  BytesForm form;
};

Json Document(const CompactFlags& flags, const CompactReport& report) {
  Json keyspaces = Json::array();
  for (const CompactedKeyspace& keyspace : report.keyspaces) {
    keyspaces.push_back({{"name", keyspace.name},
                         {"bytes_before", keyspace.bytes_before},
                         {"bytes_after", keyspace.bytes_after}});
  }
  return {{"store", flags.directory},
          {"bytes_before", report.bytes_before},
          {"bytes_after", report.bytes_after},
          {"bytes_read", report.bytes_read},
          {"bytes_written", report.bytes_written},
          {"seconds", static_cast<double>(report.duration_us) / 1e6},
          {"keyspaces", keyspaces}};
}

void PrintText(const CompactReport& report) {
  for (const CompactedKeyspace& keyspace : report.keyspaces) {
    absl::PrintF("%-16s %14d -> %14d bytes\n", keyspace.name, keyspace.bytes_before,
                 keyspace.bytes_after);
  }
  absl::PrintF("%-16s %14d -> %14d bytes\n", "all of these", report.bytes_before,
               report.bytes_after);
  absl::PrintF("read %d bytes, wrote %d bytes, in %.2f s\n", report.bytes_read,
               report.bytes_written, static_cast<double>(report.duration_us) / 1e6);
}

absl::Status Compact(const CompactFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(const std::string begin, KeyArgument(flags.begin, flags.form));
  FIRN_ASSIGN_OR_RETURN(const std::string limit, KeyArgument(flags.limit, flags.form));
  if (!limit.empty() && limit <= begin) {
    return InvalidArgument("--limit must be above --begin; the range is empty");
  }
  Options options;
  options.mode = OpenMode::kOpenExisting;
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                        Database::Open(flags.directory, options));
  FIRN_ASSIGN_OR_RETURN(const CompactReport report,
                        CompactStore(*database, flags.keyspace, begin, limit));
  if (command.json) {
    Print(command, Document(flags, report));
  } else {
    PrintText(report);
  }
  return database->Close();
}

}  // namespace

void RegisterCompact(CLI::App& app, Command& command) {
  CLI::App& compact =
      *app.add_subcommand("compact", "Merge now what would be merged by and by; takes its time");
  auto flags = std::make_shared<CompactFlags>();
  compact.add_option("DIR", flags->directory, "The store")->required();
  CLI::Option* const keyspace =
      compact.add_option("KEYSPACE", flags->keyspace, "Only this one (default: all)");
  compact.add_option("--begin", flags->begin, "The first key, in hex (default: the first there is)")
      ->needs(keyspace);
  compact.add_option("--limit", flags->limit, "The key behind the last, in hex (default: none)")
      ->needs(keyspace);
  compact.add_flag("--text", flags->form.text, "The keys are plain text, not hex");
  SetBody(compact, command, [flags, &command] { return Compact(*flags, command); });
}

}  // namespace firn
