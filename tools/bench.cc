// tools/bench.cc: firn bench: fio's words and fio's way of printing, for firn and its peers.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/status.h"
#include "bench/baseline.h"
#include "bench/bench_run.h"
#include "bench/job_file.h"
#include "bench/machine.h"
#include "bench/report_text.h"
#include "firn/presets.h"
#include "tools/commands.h"

namespace firn {
namespace {

struct BenchFlags {
  std::string job_file;
  std::string directory;
  std::string engine = "firn";
  std::string peers;
  uint64_t rounds = 1;
  std::string output_format = "normal";
  std::string preset;
  std::string baseline;   // an earlier run's JSON
  double tolerance = 10;  // percent
  std::map<std::string, std::string> words;  // as given on the command line
};

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return InvalidArgument(absl::StrCat("cannot read the job file ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<std::vector<bench::Workload>> JobsOf(const BenchFlags& flags) {
  const bench::WordValues words(flags.words.begin(), flags.words.end());
  if (flags.job_file.empty()) {
    if (words.empty()) return InvalidArgument("a JOBFILE or --rw and --keys say what to do");
    return bench::JobOfWords(words);
  }
  FIRN_ASSIGN_OR_RETURN(const std::string text, ReadAll(flags.job_file));
  return bench::ParseJobFile(flags.job_file, text, words);
}

// Without --directory the stores are in a folder of our own, which goes when we do.
std::unique_ptr<bench::StoreFolders> FoldersOf(const BenchFlags& flags) {
  if (!flags.directory.empty()) {
    return std::make_unique<bench::StoreFolders>(flags.directory, /*is_scratch=*/false);
  }
  const char* root = std::getenv("FIRN_BENCH_DIR");
  return std::make_unique<bench::StoreFolders>(
      absl::StrCat(root == nullptr ? "." : root, "/firn-bench.", getpid()), /*is_scratch=*/true);
}

Json DocumentOf(const BenchFlags& flags, const bench::EngineChoice& choice,
                const std::vector<bench::JobResult>& results,
                const std::vector<bench::Comparison>& comparisons, const std::string& directory) {
  SystemClock clock;
  Json document = {{"firn version", "0.1.0"},
                   {"timestamp_ms", clock.NowMilliseconds()},
                   {"jobfile", flags.job_file},
                   {"rounds", flags.rounds},
                   {"machine", bench::MachineFacts(directory)},
                   {"jobs", Json::array()},
                   {"comparisons", Json::array()},
                   {"skipped", Json::array()}};
  for (const bench::JobResult& result : results) {
    document["jobs"].push_back(bench::ToJson(result));
  }
  for (const bench::Comparison& comparison : comparisons) {
    document["comparisons"].push_back(bench::ToJson(comparison));
  }
  for (const auto& [engine, reason] : choice.skipped) {
    document["skipped"].push_back({{"engine", engine}, {"reason", reason}});
  }
  return document;
}

// A benchmark that read wrong bytes has no figures.
absl::Status CheckReads(const std::vector<bench::JobResult>& results) {
  for (const bench::JobResult& result : results) {
    if (result.wrong_reads == 0) continue;
    return absl::DataLossError(
        absl::StrFormat("engine %s, job %s: %d reads gave not what was written", result.engine,
                        result.job, result.wrong_reads));
  }
  return absl::OkStatus();
}

// Without a baseline nothing; a regression makes the command fail.
absl::StatusOr<std::vector<bench::BaselineRow>> AgainstBaseline(
    const BenchFlags& flags, absl::Span<const bench::Comparison> comparisons, Command& command) {
  if (flags.baseline.empty()) return std::vector<bench::BaselineRow>();
  FIRN_ASSIGN_OR_RETURN(const std::string document, ReadAll(flags.baseline));
  FIRN_ASSIGN_OR_RETURN(std::vector<bench::BaselineRow> rows,
                        bench::CompareWithBaseline(document, comparisons, flags.tolerance));
  for (const bench::BaselineRow& row : rows) {
    if (row.is_regression) command.code = ExitCode::kNegative;
  }
  return rows;
}

absl::StatusOr<std::string> EngineOf(const BenchFlags& flags) {
  if (flags.preset.empty()) return flags.engine;
  if (flags.engine != "firn") return InvalidOption("--preset", "is of engine firn");
  FIRN_RETURN_IF_ERROR(PresetNamed(flags.preset).status());
  return absl::StrCat("firn-", flags.preset);
}

absl::Status Bench(const BenchFlags& flags, Command& command) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<bench::Workload> jobs, JobsOf(flags));
  FIRN_ASSIGN_OR_RETURN(const std::string engine_name, EngineOf(flags));
  FIRN_ASSIGN_OR_RETURN(const bench::EngineChoice choice,
                        bench::ChooseEngines(engine_name, flags.peers, jobs));
  const bool is_json = command.json || flags.output_format == "json";
  const std::unique_ptr<bench::StoreFolders> folders = FoldersOf(flags);
  FIRN_RETURN_IF_ERROR(folders->MakeDirectory());
  if (!is_json) {
    for (const auto& [engine, reason] : choice.skipped) {
      std::printf("%s: skipped: %s\n", engine.c_str(), reason.c_str());
    }
  }
  bench::BenchRun run(jobs, *folders, choice.engines.size(),
                      [&](const bench::JobResult& result, const bench::Workload& job) {
                        if (is_json) return;
                        std::printf("%s\n", bench::JobText(result, job, flags.rounds).c_str());
                        std::fflush(stdout);
                      });
  FIRN_ASSIGN_OR_RETURN(const std::vector<bench::JobResult> results,
                        bench::RunRounds(jobs, choice.engines, flags.rounds, run));
  const std::vector<bench::Comparison> comparisons =
      bench::Compare(jobs, choice.engines, results);
  FIRN_ASSIGN_OR_RETURN(const std::vector<bench::BaselineRow> rows,
                        AgainstBaseline(flags, comparisons, command));
  if (is_json) {
    Command as_json = command;
    as_json.json = true;
    Json document = DocumentOf(flags, choice, results, comparisons, folders->directory());
    for (const bench::BaselineRow& row : rows) document["baseline"].push_back(bench::ToJson(row));
    Print(as_json, document);
  } else {
    std::printf("%s", bench::ComparisonText(comparisons).c_str());
    if (!rows.empty()) std::printf("%s", bench::BaselineText(rows, flags.tolerance).c_str());
  }
  return CheckReads(results);
}

void AddWords(CLI::App& app, BenchFlags& flags) {
  for (const bench::Word& word : bench::Words()) {
    std::string names = absl::StrCat("--", word.name);
    if (word.also != nullptr) absl::StrAppend(&names, ",--", word.also);
    CLI::Option* option = app.add_option_function<std::string>(
        names,
        [&flags, name = std::string(word.name)](const std::string& value) {
          // What stands for a flag without a value.
          flags.words[name] = value.empty() || value == "{}" ? "1" : value;
        },
        word.help);
    option->group(word.group)->type_name(word.is_flag ? "[0|1]" : "TEXT");
    if (word.is_flag) option->expected(0, 1);
  }
}

}  // namespace

void RegisterBench(CLI::App& app, Command& command) {
  CLI::App& bench_app = *app.add_subcommand(
      "bench", "Measure firn, alone or against its peers, in fio's words");
  auto flags = std::make_shared<BenchFlags>();
  bench_app.add_option("JOBFILE", flags->job_file, "Jobs in fio's form (see bench/jobs)");
  bench_app.add_option("--directory", flags->directory,
                       "Where the stores are (default: a scratch folder in $FIRN_BENCH_DIR or here)");
  bench_app.add_option("--engine,--ioengine", flags->engine, "The engine to measure (firn)");
  bench_app.add_option("--peers", flags->peers,
                       "Engines to compare with: rocksdb,leveldb,lmdb,sqlite,naive,"
                       "firn-PRESET");
  bench_app.add_option("--preset", flags->preset,
                       "firn with these options, whatever the job says of buffers and cache");
  bench_app.add_option("--baseline", flags->baseline,
                       "JSON that an earlier run printed; 1 if a figure is worse than there");
  bench_app.add_option("--tolerance", flags->tolerance, "Percent that a figure may be worse (10)")
      ->check(CLI::Range(0.0, 1000.0));
  bench_app.add_option("--rounds", flags->rounds, "Rounds, each through all engines (1)")
      ->check(CLI::Range(1, 1000));
  bench_app.add_option("--output-format", flags->output_format, "normal or json")
      ->check(CLI::IsMember({"normal", "json"}));
  AddWords(bench_app, *flags);
  SetBody(bench_app, command, [flags, &command] { return Bench(*flags, command); });
}

}  // namespace firn
