// tools/command.h: what all subcommands of `firn` share: exit codes, text and JSON output, errors,
// hex arguments, a progress bar.
//
// A subcommand is thin: it reads flags, calls a library function that a test calls too, prints.
#ifndef FIRN_TOOLS_COMMAND_H_
#define FIRN_TOOLS_COMMAND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "nlohmann/json.hpp"

namespace firn {

using Json = nlohmann::ordered_json;

// The contract of DESIGN section 14.
enum class ExitCode : int {
  kSuccess = 0,
  kNegative = 1,  // "proof rejected", "damage found", "key absent"
  kUsage = 2,     // wrong flags or arguments
  kError = 3,
};

// The state of one run of the program. One thread.
struct Command {
  bool json = false;                   // --json
  ExitCode code = ExitCode::kSuccess;  // what main returns
};

// Adds --json to a subcommand and makes `run` its body: an error it returns is printed on stderr as
// one sentence and becomes exit code 3 (2 if it is InvalidArgument about an option or argument).
void SetBody(CLI::App& app, Command& command, std::function<absl::Status()> run);

// Prints `document` as one JSON line, or with --json absent as `name: value` lines in its order.
void Print(const Command& command, const Json& document);

std::string ToHex(absl::string_view bytes);

// How a KEY or VALUE on the command line is to be read.
struct BytesForm {
  bool text = false;    // --text: the argument's own bytes, of a value too
  bool hashed = false;  // --hashed: BLAKE2b-256 of the argument's bytes, as imports make keys
};
// Adds --text (and --hashed for keys).
void AddBytesFlags(CLI::App& app, BytesForm& form);
// InvalidArgument naming the argument if it is not hex.
absl::StatusOr<std::string> KeyArgument(absl::string_view argument, const BytesForm& form);
absl::StatusOr<std::string> ValueArgument(absl::string_view argument, const BytesForm& form);

// A store and the tree in it, opened for a command; views of the tree must be gone before Close().
struct Store {
  std::unique_ptr<Database> database;
  std::unique_ptr<AuthenticatedTree> tree;  // goes first

  absl::Status Close();
};

// How a command opens stores; every field has a flag, added by AddStoreFlags().
struct StoreOptions {
  std::optional<uint64_t> memory_budget;            // --memory-budget; none: as in OPTIONS.toml
  std::optional<uint64_t> memtable_size;            // --memtable-size; the same
  std::optional<uint64_t> block_cache_size;         // --block-cache-size; the same
  uint64_t node_cache_size = uint64_t{256} << 20;   // --node-cache-size
  uint64_t node_cache_nodes = 0;                    // --node-cache-nodes; 0: by bytes alone
  uint64_t checkpoint_every = 100'000;              // --checkpoint-every operations
  DigestPolicy digests = DigestPolicy::kPerCommit;  // --digests commit|operation
  bool verbose = false;                             // --verbose: what the store does, on stderr
};
void AddStoreFlags(CLI::App& app, StoreOptions& options);

// Opens an existing store; FailedPrecondition/kNotAStore names the folder and `firn create`.
absl::StatusOr<Store> OpenStore(const std::string& directory, const StoreOptions& options);

// Makes a store with an empty tree in `directory`, which must be absent or empty. AlreadyExists if
// it is a store. It is opened with `options` from then on (OPTIONS.toml).
absl::StatusOr<Store> CreateStore(const std::string& directory, const TreeParameters& parameters,
                                  Options options = {});

// Bytes of all files under `directory`, as the file system counts their sizes.
uint64_t BytesOnDisk(const std::string& directory);

// 66 hex digits; InvalidArgument otherwise.
absl::StatusOr<Digest> DigestArgument(absl::string_view argument);

// A bar on stderr, if it is a terminal and the work takes longer than a second. One thread.
class Progress {
 public:
  // `total` 0: not known.
  Progress(std::string what, uint64_t total);
  ~Progress();  // wipes the bar
  void Update(uint64_t done, absl::string_view note);

 private:
  const std::string what_;
  const uint64_t total_;
  const bool terminal_;
  SystemClock clock_;
  const uint64_t start_us_;
  uint64_t shown_us_ = 0;
};

}  // namespace firn

#endif  // FIRN_TOOLS_COMMAND_H_
