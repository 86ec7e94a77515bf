// engine/statistics.h: what the engine counts, and the plain struct that a client reads.
//
// Counters are relaxed: for people, not for decisions. What every read counts is striped over cache
// lines, so that readers on different processors share none.
#ifndef FIRN_ENGINE_STATISTICS_H_
#define FIRN_ENGINE_STATISTICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/histogram.h"
#include "base/mutex.h"
#include "firn/statistics.h"
#include "sstable/segment_reader.h"

namespace firn {

// A small number of the calling thread, the same for its life.
size_t StripeOfThread();

// Thread-safe.
class StripedCounter {
 public:
  void Add(uint64_t amount) {
    stripes_[StripeOfThread() % kStripes].value.fetch_add(amount, std::memory_order_relaxed);
  }
  uint64_t Total() const;

 private:
  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::atomic<uint64_t> value{0};
  };
  std::array<Stripe, kStripes> stripes_;
};

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
  std::atomic<uint64_t> compactions{0};
  std::atomic<uint64_t> compaction_read_bytes{0};
  std::atomic<uint64_t> compaction_written_bytes{0};
  std::atomic<uint64_t> slowdown_us{0};
  uint64_t recovered_batches = 0;  // set before the database is shared
  uint64_t recovered_bytes = 0;
  uint64_t recovery_us = 0;
  StripedCounter gets;
  StripedHistogram write_us;
  StripedHistogram sync_us;
  SegmentCounters segments;

  // Fills in all that is counted here.
  void Read(Statistics& statistics) const;
};

}  // namespace firn

#endif  // FIRN_ENGINE_STATISTICS_H_
