// firn/statistics.h: what a database counted since it was opened, as plain numbers.
#ifndef FIRN_STATISTICS_H_
#define FIRN_STATISTICS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "firn/options.h"

namespace firn {

// Quantiles of a measured quantity; all zero if nothing was measured.
struct Distribution {
  uint64_t count = 0;
  double mean = 0;
  uint64_t p50 = 0, p99 = 0, p999 = 0, max = 0;
};

struct LevelStatistics {
  uint64_t segments = 0;
  uint64_t bytes = 0;
};

// One part of a store's memory, in bytes.
struct MemoryPart {
  uint64_t used = 0;
  uint64_t share = 0;  // of the memory budget; without one what the part's own option allows
};

struct MemoryStatistics {
  uint64_t budget = 0;     // 0: none
  MemoryPart memtables;    // of all keyspaces, active and waiting for a flush
  MemoryPart block_cache;
  MemoryPart transactions; // keys that transactions are checked against
  MemoryPart indexes;      // of open segments
  uint64_t reserved = 0;   // by ReserveMemory()
  uint64_t fixed = 0;      // set aside for logs, threads, jobs in progress
};

struct SpaceStatistics {
  uint64_t free = 0;      // of the disk, when it was last looked at
  uint64_t needed = 0;    // at that moment, for pending flushes and recovery
  uint64_t refused = 0;   // writes, for want of room on the disk
  bool is_short = false;  // writes are refused now
};

struct KeyspaceStatistics {
  std::string name;
  uint32_t id = 0;
  uint64_t bytes = 0;                   // of memtables and segments: what size limits look at
  SizeLimits size_limits;
  bool above_soft_limit = false;
  uint64_t refused = 0;                 // writes, above the limit
  uint64_t memtable_bytes = 0;          // active and waiting for a flush
  uint64_t entries_estimate = 0;        // versions and tombstones included
  std::vector<LevelStatistics> levels;  // index = level
  CompressionChoice compression;        // of what is written from now on
  // Of segments that say how much they hold (older ones do not): keys and values before compression,
  // and the files that hold them, filter and index included.
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;

  // Raw for each stored byte; 0 without any.
  double CompressionRatio() const {
    return stored_bytes == 0 ? 0 : static_cast<double>(raw_bytes) / static_cast<double>(stored_bytes);
  }
};

struct Statistics {
  std::string io;         // "io_uring", "posix", "memory"
  std::string io_reason;  // why io_uring is not used; empty if it is
  uint64_t last_sequence = 0;

  uint64_t writes = 0;           // batches
  uint64_t entries_written = 0;  // puts and removes
  uint64_t bytes_written = 0;    // keys and values of those
  uint64_t log_bytes = 0;        // written to logs, padding included
  uint64_t log_flushes = 0;      // groups written to a log
  uint64_t log_syncs = 0;        // of these, synced
  uint64_t flushes = 0;          // memtables written to segments
  uint64_t flushed_bytes = 0;
  uint64_t compactions = 0;
  uint64_t compactions_by_size = 0;   // of these, why they ran
  uint64_t compactions_by_timer = 0;  // Options::compaction_interval_s
  uint64_t compactions_manual = 0;    // Database::Compact()
  uint64_t compaction_read_bytes = 0;
  uint64_t compaction_written_bytes = 0;
  uint64_t slowdown_us = 0;  // that writers were held back

  uint64_t gets = 0;
  uint64_t filter_checks = 0;
  uint64_t filter_negatives = 0;  // segments that a filter spared
  uint64_t block_cache_hits = 0;
  uint64_t block_cache_misses = 0;
  uint64_t block_cache_inserts = 0;    // blocks taken in
  uint64_t block_cache_evictions = 0;  // of these, pushed out for room
  uint64_t block_cache_bytes = 0;
  MemoryStatistics memory;
  SpaceStatistics space;
  uint64_t batch_bytes_peak = 0;  // most bytes of batches that one log write gathered in memory
  uint64_t snapshots = 0;         // alive, those of iterators and transactions included
  uint64_t oldest_reader_ms = 0;  // age of the oldest of them
  uint64_t long_readers = 0;      // of them, older than Options::reader_age_warning_s
  uint64_t transactions_open = 0;
  uint64_t transactions_committed = 0;   // those that wrote nothing included
  uint64_t transactions_conflicted = 0;  // refused, to be run again

  uint64_t recovered_batches = 0;  // replayed from logs at open
  uint64_t recovered_bytes = 0;
  uint64_t recovery_us = 0;

  Distribution write_us;  // a call of Write
  Distribution sync_us;   // a write+sync of the log
  std::vector<KeyspaceStatistics> keyspaces;

  // Bytes written to disk for each byte of keys and values put; 0 before the first write.
  double WriteAmplification() const {
    return bytes_written == 0
               ? 0
               : static_cast<double>(log_bytes + flushed_bytes + compaction_written_bytes) /
                     static_cast<double>(bytes_written);
  }
};

}  // namespace firn

#endif  // FIRN_STATISTICS_H_
