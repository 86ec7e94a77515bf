// tools/ingest.cc: firn ingest: takes segment files that were built outside into a keyspace.
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "firn/ingest.h"
#include "tools/commands.h"

namespace firn {
namespace {

struct IngestFlags {
  std::string directory;
  std::string keyspace;
  std::vector<std::string> files;
  bool link = false;
  bool move = false;
};

absl::Status Ingest(const IngestFlags& flags, const Command& command) {
  Options options;
  options.mode = OpenMode::kOpenExisting;
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                        Database::Open(flags.directory, options));
  {
    FIRN_ASSIGN_OR_RETURN(const Keyspace keyspace, database->OpenKeyspace(flags.keyspace));
    IngestOptions how;
    if (flags.link) how.mode = IngestMode::kLink;
    if (flags.move) how.mode = IngestMode::kMove;
    FIRN_ASSIGN_OR_RETURN(const IngestReport report,
                          database->IngestSegments(keyspace, flags.files, how));
    Print(command, {{"store", flags.directory},
                    {"keyspace", flags.keyspace},
                    {"segments", report.segments},
                    {"entries", report.entries},
                    {"bytes", report.bytes},
                    {"first_sequence", report.first_sequence},
                    {"last_sequence", report.last_sequence}});
  }
  return database->Close();
}

}  // namespace

void RegisterIngest(CLI::App& app, Command& command) {
  CLI::App& ingest = *app.add_subcommand(
      "ingest", "Take segment files of firn::SegmentBuilder into a keyspace: all of them, or none");
  auto flags = std::make_shared<IngestFlags>();
  ingest.add_option("DIR", flags->directory, "The store")->required();
  ingest.add_option("KEYSPACE", flags->keyspace, "A keyspace that is there")->required();
  ingest.add_option("FILE", flags->files, "Of two files with a key the later counts")->required();
  CLI::Option* const link = ingest.add_flag(
      "--link", flags->link, "A second name for the same bytes (default: a copy)");
  ingest.add_flag("--move", flags->move, "As --link; the old name is removed once it is done")
      ->excludes(link);
  SetBody(ingest, command, [flags, &command] { return Ingest(*flags, command); });
}

}  // namespace firn
