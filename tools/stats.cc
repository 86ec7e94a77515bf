// tools/stats.cc: firn stats: what a store holds and what opening it did.
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/options_file.h"
#include "tools/commands.h"
#include "tools/space_use.h"

namespace firn {
namespace {

struct StatsFlags {
  std::string directory;
  bool space = false;
  StoreOptions store;
};

Json KeyspacesDocument(const Statistics& statistics, Database& database) {
  Json keyspaces = Json::array();
  for (const KeyspaceStatistics& keyspace : statistics.keyspaces) {
    Json levels = Json::array();
    for (const LevelStatistics& level : keyspace.levels) {
      levels.push_back({{"segments", level.segments}, {"bytes", level.bytes}});
    }
    const absl::StatusOr<Keyspace> handle = database.OpenKeyspace(keyspace.name);
    const std::string layout(handle.ok() ? LayoutName(handle->options().layout) : "dropped");
    keyspaces.push_back({{"name", keyspace.name},
                         {"id", keyspace.id},
                         {"layout", layout},
                         {"entries_estimate", keyspace.entries_estimate},
                         {"memtable_bytes", keyspace.memtable_bytes},
                         {"compression", std::string(CompressionName(keyspace.compression.codec))},
                         {"compression_level", keyspace.compression.level},
                         {"raw_bytes", keyspace.raw_bytes},
                         {"stored_bytes", keyspace.stored_bytes},
                         {"compression_ratio", keyspace.CompressionRatio()},
                         {"levels", levels}});
  }
  return keyspaces;
}

Json SpaceDocument(const std::vector<SpaceUse>& uses) {
  Json document = Json::array();
  for (const SpaceUse& use : uses) {
    document.push_back({{"name", use.keyspace.empty() ? "(all)" : use.keyspace},
                        {"live_entries", use.live_entries},
                        {"live_raw_bytes", use.live_raw_bytes},
                        {"disk_raw_bytes", use.disk_raw_bytes},
                        {"disk_bytes", use.disk_bytes},
                        {"space_amplification", use.Amplification()}});
  }
  return document;
}

absl::Status Stats(const StatsFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  const Statistics statistics = store.database->statistics();
  const TreeStatistics tree = store.tree->statistics();
  Json document;
  {
    const std::shared_ptr<const TreeView> view = store.tree->view();
    document = {{"store", flags.directory},
                {"store_id", store.database->store_id()},
                {"root", view->digest().ToHex()},
                {"keys", view->key_count()},
                {"operations", view->operation_number()},
                {"commits", view->commit_number()}};
  }
  document["io"] = statistics.io;
  if (!statistics.io_reason.empty()) document["io_reason"] = statistics.io_reason;
  document["last_sequence"] = statistics.last_sequence;
  document["bytes_on_disk"] = BytesOnDisk(flags.directory);
  document["recovered_batches"] = statistics.recovered_batches;
  document["recovered_bytes"] = statistics.recovered_bytes;
  document["recovery_us"] = statistics.recovery_us;
  document["operations_replayed"] = tree.operations_replayed;
  document["node_loads"] = tree.node_loads;
  document["node_cache_bytes"] = tree.node_cache_bytes;
  document["node_cache_evictions"] = tree.node_cache_evictions;
  document["block_cache_bytes"] = statistics.block_cache_bytes;
  document["block_cache_evictions"] = statistics.block_cache_evictions;
  document["compactions_by_size"] = statistics.compactions_by_size;
  document["compactions_by_timer"] = statistics.compactions_by_timer;
  document["compactions_manual"] = statistics.compactions_manual;
  document["keyspaces"] = KeyspacesDocument(statistics, *store.database);
  if (flags.space) {
    FIRN_ASSIGN_OR_RETURN(const std::vector<SpaceUse> uses, MeasureSpace(*store.database));
    document["space"] = SpaceDocument(uses);
  }
  Print(command, document);
  return store.Close();
}

}  // namespace

void RegisterStats(CLI::App& app, Command& command) {
  CLI::App& stats = *app.add_subcommand("stats", "Print what a store holds, in figures");
  auto flags = std::make_shared<StatsFlags>();
  stats.add_option("DIR", flags->directory, "The store")->required();
  stats.add_flag("--space", flags->space,
                 "Also how much of the disk holds live data; reads the whole store");
  AddStoreFlags(stats, flags->store);
  SetBody(stats, command, [flags, &command] { return Stats(*flags, command); });
}

}  // namespace firn
