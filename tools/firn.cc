// tools/firn.cc: the command line of firn; main and dispatch.
#include <csignal>
#include <cstdio>

#include "tools/command.h"
#include "tools/commands.h"

int main(int argc, char** argv) {
  // A reader of our output that goes away is an error of a write, not a death by signal.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"firn: a storage engine for state that must be provable and never lost", "firn"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "firn 0.1.0");
  app.failure_message(CLI::FailureMessage::help);
  app.footer("Exit codes: 0 success, 1 a negative answer, 2 wrong usage, 3 an error.");
  firn::Command command;
  firn::RegisterCreate(app, command);
  firn::RegisterImport(app, command);
  firn::RegisterEntries(app, command);
  firn::RegisterProofs(app, command);
  firn::RegisterVectors(app, command);
  firn::RegisterCheckpoint(app, command);
  firn::RegisterCompact(app, command);
  firn::RegisterIngest(app, command);
  firn::RegisterVerify(app, command);
  firn::RegisterDump(app, command);
  firn::RegisterStats(app, command);
  firn::RegisterConfig(app, command);
  firn::RegisterLayout(app, command);
  firn::RegisterBench(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with code 0; a wrong flag is exit code 2.
    return app.exit(error) == 0 ? 0 : static_cast<int>(firn::ExitCode::kUsage);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "firn: cannot write to standard output\n");
    return static_cast<int>(firn::ExitCode::kError);
  }
  return static_cast<int>(command.code);
}
