#include "tools/space_use.h"

#include <memory>

#include "base/status.h"

namespace firn {
namespace {

// What a key is stored with: sequence number and kind.
constexpr uint64_t kInternalKeyTrailer = 8;

}  // namespace

absl::StatusOr<std::vector<SpaceUse>> MeasureSpace(Database& database) {
  std::vector<SpaceUse> uses;
  SpaceUse all;
  for (const std::string& name : database.ListKeyspaces()) {
    FIRN_ASSIGN_OR_RETURN(const Keyspace keyspace, database.OpenKeyspace(name));
    FIRN_RETURN_IF_ERROR(database.Flush(keyspace));
    SpaceUse use;
    use.keyspace = name;
    const std::unique_ptr<Iterator> iterator = keyspace.NewIterator({});
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      ++use.live_entries;
      use.live_raw_bytes +=
          iterator->key().size() + kInternalKeyTrailer + iterator->value().size();
    }
    FIRN_RETURN_IF_ERROR(iterator->status());
    uses.push_back(std::move(use));
  }
  for (const KeyspaceStatistics& keyspace : database.statistics().keyspaces) {
    for (SpaceUse& use : uses) {
      if (use.keyspace != keyspace.name) continue;
      use.disk_raw_bytes = keyspace.raw_bytes;
      for (const LevelStatistics& level : keyspace.levels) use.disk_bytes += level.bytes;
      all.live_entries += use.live_entries;
      all.live_raw_bytes += use.live_raw_bytes;
      all.disk_raw_bytes += use.disk_raw_bytes;
      all.disk_bytes += use.disk_bytes;
    }
  }
  uses.push_back(all);
  return uses;
}

}  // namespace firn
