#include "tools/compact_store.h"

#include "base/clock.h"
#include "base/status.h"

namespace firn {
namespace {

uint64_t BytesOf(const Statistics& statistics, const std::string& name) {
  for (const KeyspaceStatistics& keyspace : statistics.keyspaces) {
    if (keyspace.name != name) continue;
    uint64_t bytes = keyspace.memtable_bytes;
    for (const LevelStatistics& level : keyspace.levels) bytes += level.bytes;
    return bytes;
  }
  return 0;  // dropped meanwhile
}

uint64_t WrittenBytes(const Statistics& statistics) {
  return statistics.flushed_bytes + statistics.compaction_written_bytes;
}

}  // namespace

absl::StatusOr<CompactReport> CompactStore(Database& database, const std::string& name,
                                           const std::string& begin, const std::string& limit) {
  std::vector<std::string> names = {name};
  if (name.empty()) names = database.ListKeyspaces();
  std::vector<Keyspace> keyspaces;  // all are there, or nothing is done
  for (const std::string& one : names) {
    FIRN_ASSIGN_OR_RETURN(Keyspace keyspace, database.OpenKeyspace(one));
    keyspaces.push_back(std::move(keyspace));
  }
  SystemClock clock;
  const uint64_t start_us = clock.MonotonicMicroseconds();
  const Statistics before = database.statistics();
  for (const Keyspace& keyspace : keyspaces) {
    FIRN_RETURN_IF_ERROR(Annotate(database.Compact(keyspace, begin, limit), keyspace.name()));
  }
  FIRN_RETURN_IF_ERROR(database.WaitForBackgroundWork());
  const Statistics after = database.statistics();
  CompactReport report;
  for (const std::string& one : names) {
    report.keyspaces.push_back({one, BytesOf(before, one), BytesOf(after, one)});
    report.bytes_before += report.keyspaces.back().bytes_before;
    report.bytes_after += report.keyspaces.back().bytes_after;
  }
  report.bytes_read = after.compaction_read_bytes - before.compaction_read_bytes;
  report.bytes_written = WrittenBytes(after) - WrittenBytes(before);
  report.duration_us = clock.MonotonicMicroseconds() - start_us;
  return report;
}

}  // namespace firn
