// engine/statistics.h: what the engine counts, and the plain struct that a client reads.
//
// Counters are relaxed: for people, not for decisions. What every read counts is
// counted by each thread in a place of its own.
#ifndef FIRN_ENGINE_STATISTICS_H_
#define FIRN_ENGINE_STATISTICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/counter.h"
#include "base/histogram.h"
#include "base/mutex.h"
#include "firn/statistics.h"
#include "sstable/segment_reader.h"

namespace firn {

// Thread-safe.
class StripedHistogram {
 public:
  void Add(uint64_t value);
  Distribution Read() const;

 private:
  static constexpr size_t kStripes = 4;
  struct alignas(64) Stripe {
    mutable Mutex mutex;
    Histogram histogram ABSL_GUARDED_BY(mutex);
  };
  std::array<Stripe, kStripes> stripes_;
};

// One for a database. Named as in firn/statistics.h.
struct EngineCounters {
  std::atomic<uint64_t> writes{0};
  std::atomic<uint64_t> entries_written{0};
  std::atomic<uint64_t> bytes_written{0};
  std::atomic<uint64_t> log_flushes{0};
  std::atomic<uint64_t> log_syncs{0};
  std::atomic<uint64_t> flushes{0};
  std::atomic<uint64_t> flushed_bytes{0};
  std::atomic<uint64_t> compactions_by_size{0};
  std::atomic<uint64_t> compactions_by_timer{0};
  std::atomic<uint64_t> compactions_manual{0};
  std::atomic<uint64_t> compaction_read_bytes{0};
  std::atomic<uint64_t> compaction_written_bytes{0};
  std::atomic<uint64_t> slowdown_us{0};
  std::atomic<uint64_t> batch_bytes_peak{0};
  std::atomic<uint64_t> transactions_committed{0};
  std::atomic<uint64_t> transactions_conflicted{0};
  uint64_t recovered_batches = 0;  // set before the database is shared
  uint64_t recovered_bytes = 0;
  uint64_t recovery_us = 0;
  Counter gets;
  StripedHistogram write_us;
  StripedHistogram sync_us;
  SegmentCounters segments;

  // Fills in all that is counted here.
  void Read(Statistics& statistics) const;
};

}  // namespace firn

#endif  // FIRN_ENGINE_STATISTICS_H_
