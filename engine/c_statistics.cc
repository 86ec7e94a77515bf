// The C API of statistics: firn::Statistics as lines "name value", and one of them by its name.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/c_handles.h"
#include "engine/options_file.h"
#include "firn/c.h"
#include "firn/statistics.h"

namespace firn {
namespace {

struct Line {
  std::string name;
  std::string value;
};

class Lines {
 public:
  void Add(absl::string_view name, absl::string_view value) {
    lines_.push_back({absl::StrCat(prefix_, name), std::string(value)});
  }
  void Add(absl::string_view name, uint64_t value) { Add(name, absl::StrCat(value)); }
  void Add(absl::string_view name, const Distribution& distribution) {
    const std::string outer = Enter(name);
    Add("count", distribution.count);
    Add("mean", static_cast<uint64_t>(distribution.mean));
    Add("p50", distribution.p50);
    Add("p99", distribution.p99);
    Add("p999", distribution.p999);
    Add("max", distribution.max);
    prefix_ = outer;
  }
  void Add(absl::string_view name, const MemoryPart& part) {
    Add(absl::StrCat(name, ".used"), part.used);
    Add(absl::StrCat(name, ".share"), part.share);
  }
  // Names that follow stand below `name`, until the prefix that is returned is put back.
  std::string Enter(absl::string_view name) {
    std::string outer = prefix_;
    absl::StrAppend(&prefix_, name, ".");
    return outer;
  }
  void Leave(std::string outer) { prefix_ = std::move(outer); }
  std::vector<Line> Take() { return std::move(lines_); }

 private:
  std::string prefix_;
  std::vector<Line> lines_;
};

void AddKeyspace(const KeyspaceStatistics& keyspace, Lines& lines) {
  std::string outer = lines.Enter(absl::StrCat("keyspaces.", keyspace.name));
  lines.Add("id", keyspace.id);
  lines.Add("bytes", keyspace.bytes);
  lines.Add("size_limits.soft", keyspace.size_limits.soft);
  lines.Add("size_limits.hard", keyspace.size_limits.hard);
  lines.Add("above_soft_limit", uint64_t{keyspace.above_soft_limit});
  lines.Add("refused", keyspace.refused);
  lines.Add("memtable_bytes", keyspace.memtable_bytes);
  lines.Add("entries_estimate", keyspace.entries_estimate);
  lines.Add("compression", CompressionName(keyspace.compression.codec));
  lines.Add("compression_level", uint64_t{keyspace.compression.level});
  lines.Add("raw_bytes", keyspace.raw_bytes);
  lines.Add("stored_bytes", keyspace.stored_bytes);
  for (size_t level = 0; level < keyspace.levels.size(); ++level) {
    lines.Add(absl::StrCat("levels.", level, ".segments"), keyspace.levels[level].segments);
    lines.Add(absl::StrCat("levels.", level, ".bytes"), keyspace.levels[level].bytes);
  }
  lines.Leave(std::move(outer));
}

void AddWrites(const Statistics& statistics, Lines& lines) {
  lines.Add("writes", statistics.writes);
  lines.Add("entries_written", statistics.entries_written);
  lines.Add("bytes_written", statistics.bytes_written);
  lines.Add("log_bytes", statistics.log_bytes);
  lines.Add("log_flushes", statistics.log_flushes);
  lines.Add("log_syncs", statistics.log_syncs);
  lines.Add("flushes", statistics.flushes);
  lines.Add("flushed_bytes", statistics.flushed_bytes);
  lines.Add("compactions", statistics.compactions);
  lines.Add("compactions_by_size", statistics.compactions_by_size);
  lines.Add("compactions_by_timer", statistics.compactions_by_timer);
  lines.Add("compactions_manual", statistics.compactions_manual);
  lines.Add("batch_bytes_peak", statistics.batch_bytes_peak);
  lines.Add("compaction_read_bytes", statistics.compaction_read_bytes);
  lines.Add("compaction_written_bytes", statistics.compaction_written_bytes);
  lines.Add("slowdown_us", statistics.slowdown_us);
  lines.Add("write_us", statistics.write_us);
  lines.Add("sync_us", statistics.sync_us);
}

void AddReads(const Statistics& statistics, Lines& lines) {
  lines.Add("gets", statistics.gets);
  lines.Add("filter_checks", statistics.filter_checks);
  lines.Add("filter_negatives", statistics.filter_negatives);
  lines.Add("block_cache_hits", statistics.block_cache_hits);
  lines.Add("block_cache_misses", statistics.block_cache_misses);
  lines.Add("block_cache_bytes", statistics.block_cache_bytes);
  lines.Add("block_cache_inserts", statistics.block_cache_inserts);
  lines.Add("block_cache_evictions", statistics.block_cache_evictions);
  lines.Add("snapshots", statistics.snapshots);
  lines.Add("oldest_reader_ms", statistics.oldest_reader_ms);
  lines.Add("long_readers", statistics.long_readers);
}

void AddMemoryAndSpace(const Statistics& statistics, Lines& lines) {
  lines.Add("memory.budget", statistics.memory.budget);
  lines.Add("memory.memtables", statistics.memory.memtables);
  lines.Add("memory.block_cache", statistics.memory.block_cache);
  lines.Add("memory.transactions", statistics.memory.transactions);
  lines.Add("memory.indexes", statistics.memory.indexes);
  lines.Add("memory.fixed", statistics.memory.fixed);
  lines.Add("memory.reserved", statistics.memory.reserved);
  lines.Add("space.free", statistics.space.free);
  lines.Add("space.needed", statistics.space.needed);
  lines.Add("space.refused", statistics.space.refused);
  lines.Add("space.is_short", uint64_t{statistics.space.is_short});
}

std::vector<Line> LinesOf(const Statistics& statistics) {
  Lines lines;
  lines.Add("io", statistics.io);
  lines.Add("io_reason", statistics.io_reason);
  lines.Add("last_sequence", statistics.last_sequence);
  AddWrites(statistics, lines);
  AddReads(statistics, lines);
  AddMemoryAndSpace(statistics, lines);
  lines.Add("transactions_open", statistics.transactions_open);
  lines.Add("transactions_committed", statistics.transactions_committed);
  lines.Add("transactions_conflicted", statistics.transactions_conflicted);
  lines.Add("recovered_batches", statistics.recovered_batches);
  lines.Add("recovered_bytes", statistics.recovered_bytes);
  lines.Add("recovery_us", statistics.recovery_us);
  for (const KeyspaceStatistics& keyspace : statistics.keyspaces) AddKeyspace(keyspace, lines);
  return lines.Take();
}

}  // namespace
}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;

firn_code firn_database_statistics(const firn_database* database, char** text, size_t* size,
                                   firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(text, "text"));
    *text = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(size, "size"));
    *size = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    std::string all;
    for (const firn::Line& line : firn::LinesOf(database->database->statistics())) {
      absl::StrAppend(&all, line.name, " ", line.value, "\n");
    }
    *text = static_cast<char*>(firn::CopyForC(all));
    *size = all.size();
    return absl::OkStatus();
  });
}

firn_code firn_database_statistic(const firn_database* database, firn_bytes name, uint64_t* value,
                                  firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(value, "value"));
    *value = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view which, firn::FromC(name, "name"));
    for (const firn::Line& line : firn::LinesOf(database->database->statistics())) {
      if (line.name != which) continue;
      if (absl::SimpleAtoi(line.value, value)) return absl::OkStatus();
      return firn::InvalidArgument(absl::StrCat("the statistic '", which, "' is no number"));
    }
    return absl::NotFoundError(absl::StrCat("there is no statistic '", which, "'"));
  });
}
