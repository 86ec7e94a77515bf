// tools/import.cc: firn import: the main job.
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/status.h"
#include "tools/commands.h"
#include "tools/records/fields.h"
#include "tools/records/importer.h"
#include "tree/label.h"

namespace firn {
namespace {

constexpr uint64_t kRejectedShown = 20;  // lines on stderr; all go to --rejects

struct ImportFlags {
  std::string directory, path;
  std::string format;
  std::string accounts = "pseudo";
  std::string columns;
  std::vector<std::string> map;
  std::string rejects;
  ImportOptions options;
  StoreOptions store;
};

// Prints the first refused lines and writes all of them to the rejects file, one JSON object a line.
class RejectSink {
 public:
  absl::Status Open(const std::string& path) {
    if (path.empty()) return absl::OkStatus();
    file_.open(path, std::ios::out | std::ios::trunc | std::ios::binary);
    if (!file_) return ErrnoStatus(errno, absl::StrCat("cannot write rejects file ", path));
    path_ = path;
    return absl::OkStatus();
  }
  void Add(const RejectedLine& rejected) {
    const Rejection& why = rejected.rejection;
    if (count_++ < kRejectedShown) {
      std::fprintf(stderr, "firn: line %llu refused: %s: %s\n",
                   static_cast<unsigned long long>(rejected.line), why.reason.c_str(),
                   why.detail.c_str());
    }
    if (path_.empty()) return;
    const Json row = {{"line", rejected.line},
                      {"reason", why.reason},
                      {"detail", why.detail},
                      {"original", why.original}};
    file_ << row.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  absl::Status Close() {
    if (count_ > kRejectedShown) {
      std::fprintf(stderr, "firn: %llu lines refused in all; --rejects FILE keeps every one\n",
                   static_cast<unsigned long long>(count_));
    }
    if (path_.empty()) return absl::OkStatus();
    file_.close();
    if (file_.fail()) return ErrnoStatus(EIO, absl::StrCat("cannot write rejects file ", path_));
    return absl::OkStatus();
  }

 private:
  std::ofstream file_;
  std::string path_;
  uint64_t count_ = 0;
};

absl::Status ReadFlags(ImportFlags& flags) {
  RecordOptions& records = flags.options.records;
  records.format = *RecordFormatFromName(flags.format);  // CLI11 checked the name
  if (flags.accounts == "pseudo") {
    records.accounts = AccountForm::kPseudo;
  } else if (flags.accounts == "hex") {
    records.accounts = AccountForm::kHex;
  } else if (absl::StartsWith(flags.accounts, "table:")) {
    records.accounts = AccountForm::kTable;
    FIRN_ASSIGN_OR_RETURN(records.account_table, ReadAccountTable(flags.accounts.substr(6)));
  } else {
    return InvalidOption("--accounts", absl::StrCat("\"", flags.accounts,
                                                    "\" is none of pseudo, hex, table:FILE"));
  }
  if (records.scale > 18) return InvalidOption("--scale", "more than 18 decimals do not fit");
  if (!flags.columns.empty()) records.columns = absl::StrSplit(flags.columns, ',');
  for (const std::string& entry : flags.map) {
    const std::pair<std::string, std::string> names =
        absl::StrSplit(entry, absl::MaxSplits('=', 1));
    if (names.second.empty()) {
      return InvalidOption("--map", absl::StrCat("\"", entry, "\" is not NAME=COLUMN"));
    }
    records.column_map[names.first] = names.second;
  }
  return absl::OkStatus();
}

// The forms that hash their keys need a store with keys of that length.
absl::Status CheckKeyLength(const ImportFlags& flags, const AuthenticatedTree& tree) {
  constexpr uint32_t kHashSize = 32;
  const bool any_key = flags.options.records.format == RecordFormat::kJsonl;
  if (any_key || tree.parameters().key_length == kHashSize) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("the form ", flags.format, " makes keys of 32 bytes; ",
                                      flags.directory, " has keys of ",
                                      tree.parameters().key_length,
                                      "; make a store with --key-length 32"));
}

// An existing empty folder becomes a store with default parameters.
absl::StatusOr<Store> OpenOrAdopt(const ImportFlags& flags) {
  std::error_code missing;
  if (std::filesystem::is_directory(flags.directory, missing) &&
      std::filesystem::is_empty(flags.directory, missing) && !missing) {
    FIRN_ASSIGN_OR_RETURN(Store created, CreateStore(flags.directory, TreeParameters{}));
    FIRN_RETURN_IF_ERROR(created.Close());
  }
  return OpenStore(flags.directory, flags.store);
}

Json Report(const ImportResult& result, const Store& store, const std::string& directory,
            double seconds) {
  const std::shared_ptr<const TreeView> view = store.tree->view();
  const Statistics statistics = store.database->statistics();
  Json report = {{"lines", result.lines},
                 {"records", result.records},
                 {"inserted", result.inserted},
                 {"updated", result.updated},
                 {"unchanged", result.unchanged},
                 {"rejected", result.rejected},
                 {"rejected_by_reason", result.rejected_by_reason},
                 {"resumed_at_line", result.resumed_at_line},
                 {"records_this_run", result.records_this_run},
                 {"commits_this_run", result.commits_this_run},
                 {"last_operation", view->operation_number()},
                 {"keys", view->key_count()},
                 {"seconds", seconds},
                 {"records_per_second",
                  seconds > 0 ? static_cast<double>(result.records_this_run) / seconds : 0},
                 {"bytes_on_disk", BytesOnDisk(directory)},
                 {"write_amplification", statistics.WriteAmplification()},
                 {"io", statistics.io}};
  report["root"] = view->digest().ToHex();
  return report;
}

absl::Status RunImport(ImportFlags& flags, const Command& command) {
  FIRN_RETURN_IF_ERROR(ReadFlags(flags));
  FIRN_ASSIGN_OR_RETURN(Store store, OpenOrAdopt(flags));
  FIRN_RETURN_IF_ERROR(CheckKeyLength(flags, *store.tree));
  RejectSink rejects;
  FIRN_RETURN_IF_ERROR(rejects.Open(flags.rejects));
  SystemClock clock;
  const uint64_t start_us = clock.MonotonicMicroseconds();
  const auto seconds = [&] {
    return static_cast<double>(clock.MonotonicMicroseconds() - start_us) / 1e6;
  };
  std::error_code unknown;
  const auto size = std::filesystem::file_size(flags.path, unknown);
  Progress progress(absl::StrCat("importing ", flags.path), unknown ? 0 : size);
  flags.options.check_operation = [&](const Operation& operation) {
    const absl::Status key = CheckKey(operation.key, store.tree->parameters());
    if (!key.ok() || operation.kind != OperationKind::kInsertOrUpdate) return key;
    return CheckValue(operation.value, store.tree->parameters());
  };
  flags.options.on_rejected = [&](const RejectedLine& line) { rejects.Add(line); };
  flags.options.on_progress = [&](uint64_t offset, uint64_t records) {
    progress.Update(offset, absl::StrFormat("%d records, %.0f/s", records,
                                            static_cast<double>(records) / seconds()));
  };
  const absl::StatusOr<ImportResult> result = Import(*store.tree, flags.path, flags.options);
  FIRN_RETURN_IF_ERROR(rejects.Close());
  FIRN_RETURN_IF_ERROR(result.status());
  Print(command, Report(*result, store, flags.directory, seconds()));
  return store.Close();
}

}  // namespace

void RegisterImport(CLI::App& app, Command& command) {
  CLI::App& import = *app.add_subcommand(
      "import", "Read records and apply them to the tree in batches, durably; resumes by itself");
  auto flags = std::make_shared<ImportFlags>();
  RecordOptions& records = flags->options.records;
  import.add_option("DIR", flags->directory, "The store (or an empty folder)")->required();
  import.add_option("FILE", flags->path, "Input; - for standard input")->required();
  import.add_option("--format", flags->format, "edges, csv, jsonl or deb822")
      ->required()
      ->check(CLI::IsMember({"edges", "csv", "jsonl", "deb822"}));
  import.add_option("--batch", flags->options.batch, "Records a commit (1000)");
  import.add_option("--durability", flags->options.durability, "synced (default) or buffered")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Durability>{
          {"synced", Durability::kSynced}, {"buffered", Durability::kBuffered}}));
  import.add_option("--accounts", flags->accounts,
                    "pseudo (default: keys made from ids), hex (public keys) or table:FILE");
  import.add_option("--scale", records.scale, "Decimals kept: amounts are stored times 10^N (0)");
  import.add_option("--amount", records.amount, "cumulative (default) or delta")
      ->transform(CLI::CheckedTransformer(std::map<std::string, AmountForm>{
          {"cumulative", AmountForm::kCumulative}, {"delta", AmountForm::kDelta}}));
  import.add_option("--time", records.time, "auto (default), s, ms or line")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, TimeForm>{{"auto", TimeForm::kAuto},
                                          {"s", TimeForm::kSeconds},
                                          {"ms", TimeForm::kMilliseconds},
                                          {"line", TimeForm::kLine}}));
  import.add_option("--map", flags->map, "csv: NAME=COLUMN for issuer, recipient, amount, timestamp");
  import.add_option("--columns", flags->columns, "csv without a header line: its column names");
  import.add_option("--on-error", flags->options.on_error,
                    "stop (default: a bad line imports nothing) or skip")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, OnError>{{"stop", OnError::kStop}, {"skip", OnError::kSkip}}));
  import.add_option("--rejects", flags->rejects, "Write refused lines to this file, as JSON lines");
  import.add_flag("--dry-run", flags->options.dry_run, "Read and check; apply nothing");
  AddStoreFlags(import, flags->store);
  SetBody(import, command, [flags, &command] { return RunImport(*flags, command); });
}

}  // namespace firn
