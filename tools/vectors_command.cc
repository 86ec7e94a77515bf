// tools/vectors_command.cc: firn vectors: replays AVL+ vectors of the reference implementations.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tools/commands.h"
#include "tools/store_vector_tree.h"
#include "tools/vectors.h"

namespace firn {
namespace {

enum class Through : uint8_t { kMemory = 1, kStore = 2, kBoth = 3 };

struct VectorFlags {
  std::vector<std::string> files;
  Through through = Through::kBoth;
  StoreVectorOptions store;
  bool check_invariants = false;
};

struct Way {
  const char* name;
  VectorOptions options;
};

std::vector<Way> WaysOf(const VectorFlags& flags) {
  std::vector<Way> ways;
  VectorOptions options;
  options.check_invariants = flags.check_invariants;
  if (flags.through != Through::kStore) ways.push_back({"memory", options});
  if (flags.through != Through::kMemory) {
    options.make_tree = [store = flags.store](const TreeParameters& parameters) {
      return NewStoreVectorTree(parameters, store);
    };
    ways.push_back({"store", options});
  }
  return ways;
}

absl::Status Replay(const VectorFlags& flags, Command& command) {
  VectorCounts total;
  Json files = Json::array();
  for (const Way& way : WaysOf(flags)) {
    for (const std::string& file : flags.files) {
      Progress progress(absl::StrCat(file, " through ", way.name), 0);
      FIRN_ASSIGN_OR_RETURN(const VectorCounts counts,
                            ReplayVectors(file, way.options, [&](const VectorCounts& so_far) {
                              progress.Update(so_far.operations,
                                              absl::StrCat(so_far.operations, " operations"));
                            }));
      total.passed += counts.passed;
      total.failed += counts.failed;
      if (command.json) {
        files.push_back({{"file", file},
                         {"through", way.name},
                         {"passed", counts.passed},
                         {"failed", counts.failed},
                         {"operations", counts.operations},
                         {"failures", counts.failures}});
        continue;
      }
      std::printf("%s through %s: %llu passed, %llu failed, %llu operations\n", file.c_str(),
                  way.name, static_cast<unsigned long long>(counts.passed),
                  static_cast<unsigned long long>(counts.failed),
                  static_cast<unsigned long long>(counts.operations));
      for (const std::string& failure : counts.failures) std::printf("  %s\n", failure.c_str());
      std::fflush(stdout);
    }
  }
  // A run that replayed nothing has shown nothing.
  if (total.failed > 0 || total.passed == 0) command.code = ExitCode::kNegative;
  if (command.json) {
    Print(command, {{"files", files}, {"passed", total.passed}, {"failed", total.failed}});
  } else {
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(total.passed),
                static_cast<unsigned long long>(total.failed));
  }
  return absl::OkStatus();
}

}  // namespace

void RegisterVectors(CLI::App& app, Command& command) {
  CLI::App& vectors = *app.add_subcommand(
      "vectors", "Replay AVL+ vectors on prover and verifier, in memory and through a store");
  auto flags = std::make_shared<VectorFlags>();
  vectors.add_option("FILE", flags->files, "JSON lines, gzip-compressed or plain")->required();
  vectors.add_option("--through", flags->through, "memory, store or both (default)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Through>{
          {"memory", Through::kMemory}, {"store", Through::kStore}, {"both", Through::kBoth}}));
  vectors.add_option("--node-cache-nodes", flags->store.node_cache_nodes,
                     "Nodes that the store's cache holds (100)");
  vectors.add_flag("--check-invariants", flags->check_invariants,
                   "Also walk the whole tree after each batch");
  SetBody(vectors, command, [flags, &command] { return Replay(*flags, command); });
}

}  // namespace firn
