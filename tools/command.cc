#include "tools/command.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/blake2b.h"
#include "base/status.h"
#include "base/types.h"
#include "engine/admin/config.h"
#include "tree/label.h"

namespace firn {
namespace {

// InvalidArgument that a flag or argument caused, as against one from deep inside a store.
ExitCode CodeFor(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? ExitCode::kUsage : ExitCode::kError;
}

void LogToStderr(absl::string_view line) {
  std::fprintf(stderr, "%s\n", std::string(line).c_str());
}

std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

void SetBody(CLI::App& app, Command& command, std::function<absl::Status()> run) {
  app.add_flag("--json", command.json, "Print one JSON document instead of text");
  app.callback([&command, run = std::move(run)] {
    const absl::Status status = run();
    if (status.ok()) return;
    command.code = CodeFor(status);
    if (command.json) {
      const Json error = {{"error", std::string(status.message())},
                          {"reason", std::string(ErrorReasonName(ReasonOf(status)))},
                          {"code", static_cast<int>(command.code)}};
      std::fprintf(stderr, "%s\n",
                   error.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
      return;
    }
    std::fprintf(stderr, "firn: %s\n", std::string(status.message()).c_str());
  });
}

void Print(const Command& command, const Json& document) {
  if (command.json) {
    std::printf("%s\n", document.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return;
  }
  for (const auto& [name, value] : document.items()) {
    std::printf("%s: %s\n", name.c_str(), TextOf(value).c_str());
  }
}

std::string ToHex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

void AddBytesFlags(CLI::App& app, BytesForm& form) {
  app.add_flag("--text", form.text, "KEY and VALUE are plain text, not hex");
  app.add_flag("--hashed", form.hashed,
               "KEY is plain text; the key is its BLAKE2b-256, as deb822 imports make it");
}

absl::StatusOr<std::string> ValueArgument(absl::string_view argument, const BytesForm& form) {
  if (form.text) return std::string(argument);
  bool hex = argument.size() % 2 == 0;
  for (const char c : argument) hex = hex && absl::ascii_isxdigit(static_cast<unsigned char>(c));
  if (!hex) {
    return InvalidArgument(
        absl::StrCat("\"", absl::CHexEscape(argument.substr(0, 80)),
                     "\" is not an even number of hex digits; use --text for plain text"));
  }
  return absl::HexStringToBytes(argument);
}

absl::StatusOr<std::string> KeyArgument(absl::string_view argument, const BytesForm& form) {
  if (form.hashed) return std::string(AsText(HashBlake2b256(AsBytes(argument))));
  return ValueArgument(argument, form);
}

absl::Status Store::Close() {
  tree.reset();
  return database == nullptr ? absl::OkStatus() : database->Close();
}

namespace {

// Those that the store was created or last opened with. A cache of 64 MiB, for a store that says nothing.
absl::StatusOr<Options> StoredOptions(const std::string& directory) {
  absl::StatusOr<Config> stored = ReadConfig(directory + "/OPTIONS.toml");
  if (stored.ok()) return std::move(stored->store);
  if (!absl::IsNotFound(stored.status())) return stored.status();
  Options options;
  options.block_cache_size = size_t{64} << 20;
  return options;
}

}  // namespace

absl::StatusOr<Store> OpenStore(const std::string& directory, const StoreOptions& options) {
  FIRN_ASSIGN_OR_RETURN(Options database_options, StoredOptions(directory));
  database_options.mode = OpenMode::kOpenExisting;
  database_options.memory_budget = options.memory_budget.value_or(database_options.memory_budget);
  database_options.memtable_size = options.memtable_size.value_or(database_options.memtable_size);
  database_options.block_cache_size =
      options.block_cache_size.value_or(database_options.block_cache_size);
  if (options.verbose) database_options.log_sink = LogToStderr;
  Store store;
  FIRN_ASSIGN_OR_RETURN(store.database, Database::Open(directory, database_options));
  TreeOptions tree_options;
  tree_options.mode = OpenMode::kOpenExisting;
  tree_options.digests = options.digests;
  tree_options.checkpoints.operations = options.checkpoint_every;
  tree_options.node_cache_bytes = options.node_cache_size;
  if (options.node_cache_nodes > 0) tree_options.node_cache_nodes = options.node_cache_nodes;
  if (options.verbose) tree_options.log_sink = LogToStderr;
  FIRN_ASSIGN_OR_RETURN(store.tree, AuthenticatedTree::Open(*store.database, tree_options));
  return store;
}

absl::StatusOr<Store> CreateStore(const std::string& directory, const TreeParameters& parameters,
                                  Options options) {
  FIRN_RETURN_IF_ERROR(CheckTreeParameters(parameters));  // before anything is made
  options.mode = OpenMode::kCreateNew;
  options.identity = TreeIdentity(parameters);
  Store store;
  FIRN_ASSIGN_OR_RETURN(store.database, Database::Open(directory, options));
  TreeOptions tree_options;
  tree_options.parameters = parameters;
  FIRN_ASSIGN_OR_RETURN(store.tree, AuthenticatedTree::Open(*store.database, tree_options));
  return store;
}

uint64_t BytesOnDisk(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code ignored;  // a file that goes away while we look has no size
  for (std::filesystem::recursive_directory_iterator at(directory, ignored), end; at != end;
       at.increment(ignored)) {
    if (!at->is_regular_file(ignored)) continue;
    const uint64_t size = at->file_size(ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

absl::StatusOr<Digest> DigestArgument(absl::string_view argument) {
  absl::StatusOr<Digest> digest = Digest::FromHex(argument);
  if (!digest.ok()) {
    return InvalidArgument(absl::StrCat("a root is 66 hex digits, not \"",
                                        absl::CHexEscape(argument.substr(0, 80)), "\""));
  }
  return digest;
}

void AddStoreFlags(CLI::App& app, StoreOptions& options) {
  const CLI::AsSizeValue sizes(/*kb_is_1000=*/false);
  app.add_option("--memory-budget", options.memory_budget,
                 "Bytes for all of it, 0: none (this and the next two: as the store was last opened)")
      ->transform(sizes);
  app.add_option("--memtable-size", options.memtable_size, "Bytes; flushed when full")
      ->transform(sizes);
  app.add_option("--block-cache-size", options.block_cache_size, "Bytes")->transform(sizes);
  app.add_option("--node-cache-size", options.node_cache_size, "Bytes (256MiB)")->transform(sizes);
  app.add_option("--node-cache-nodes", options.node_cache_nodes,
                 "Keep at most so many tree nodes in memory (0: as --node-cache-size says)");
  app.add_option("--checkpoint-every", options.checkpoint_every,
                 "Operations between checkpoints (100000)");
  app.add_option("--digests", options.digests, "commit: log the root after each commit; operation: "
                                               "after each operation (hashes a path every time)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, DigestPolicy>{
          {"commit", DigestPolicy::kPerCommit}, {"operation", DigestPolicy::kPerOperation}}));
  app.add_flag("--verbose", options.verbose, "Say on stderr what the store does");
}

Progress::Progress(std::string what, uint64_t total)
    : what_(std::move(what)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_us_(clock_.MonotonicMicroseconds()) {}

Progress::~Progress() {
  if (shown_us_ != 0) std::fprintf(stderr, "\r\033[K");
}

void Progress::Update(uint64_t done, absl::string_view note) {
  if (!terminal_) return;
  const uint64_t now = clock_.MonotonicMicroseconds();
  if (now - start_us_ < 1'000'000 || now - shown_us_ < 100'000) return;
  shown_us_ = now;
  std::string bar;
  if (total_ > 0) {
    constexpr uint64_t kWidth = 30;
    const uint64_t filled = done >= total_ ? kWidth : done * kWidth / total_;
    bar = absl::StrFormat("[%s%s] %3d %% ", std::string(filled, '#'),
                          std::string(kWidth - filled, '.'),
                          done >= total_ ? uint64_t{100} : done * 100 / total_);
  }
  std::fprintf(stderr, "\r\033[K%s %s%s", what_.c_str(), bar.c_str(), std::string(note).c_str());
  std::fflush(stderr);
}

}  // namespace firn
