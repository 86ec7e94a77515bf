// tools/compact_store.h: what `firn compact` does: merges keyspaces of a store down to their last level,
// and counts.
#ifndef FIRN_TOOLS_COMPACT_STORE_H_
#define FIRN_TOOLS_COMPACT_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "firn/database.h"

namespace firn {

struct CompactedKeyspace {
  std::string name;
  uint64_t bytes_before = 0;  // memtables and segments
  uint64_t bytes_after = 0;
};

struct CompactReport {
  std::vector<CompactedKeyspace> keyspaces;
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  uint64_t bytes_read = 0;     // by merges
  uint64_t bytes_written = 0;  // by flushes and merges
  uint64_t duration_us = 0;
};

// Keys in [begin, limit) of the keyspace `name` (empty: of every keyspace; empty limit: to the last
// key), one keyspace after the other. Reads and writes may go on meanwhile; what other work they cause
// is counted as well. NotFound/kKeyspaceNotFound.
absl::StatusOr<CompactReport> CompactStore(Database& database, const std::string& name,
                                           const std::string& begin, const std::string& limit);

}  // namespace firn

#endif  // FIRN_TOOLS_COMPACT_STORE_H_
