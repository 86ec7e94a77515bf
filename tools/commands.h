// tools/commands.h: the groups of subcommands, one file each; main registers them all.
#ifndef FIRN_TOOLS_COMMANDS_H_
#define FIRN_TOOLS_COMMANDS_H_

#include "tools/command.h"

namespace firn {

void RegisterCreate(CLI::App& app, Command& command);      // create
void RegisterImport(CLI::App& app, Command& command);      // import
void RegisterEntries(CLI::App& app, Command& command);     // root get put remove scan
void RegisterProofs(CLI::App& app, Command& command);      // prove verify-proof
void RegisterVectors(CLI::App& app, Command& command);     // vectors
void RegisterCheckpoint(CLI::App& app, Command& command);  // checkpoint
void RegisterCompact(CLI::App& app, Command& command);     // compact
void RegisterIngest(CLI::App& app, Command& command);      // ingest
void RegisterVerify(CLI::App& app, Command& command);      // verify
void RegisterDump(CLI::App& app, Command& command);        // dump
void RegisterBench(CLI::App& app, Command& command);       // bench
void RegisterConfig(CLI::App& app, Command& command);      // config show, config check
void RegisterLayout(CLI::App& app, Command& command);      // layout
void RegisterStats(CLI::App& app, Command& command);       // stats

}  // namespace firn

#endif  // FIRN_TOOLS_COMMANDS_H_
