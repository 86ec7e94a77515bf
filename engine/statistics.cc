#include "engine/statistics.h"

#include "base/thread_index.h"

namespace firn {

void StripedHistogram::Add(uint64_t value) {
  Stripe& stripe = stripes_[ThisThreadIndex() % kStripes];
  MutexLock lock(stripe.mutex);
  stripe.histogram.Add(value);
}

Distribution StripedHistogram::Read() const {
  Histogram all;
  for (const Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    all.Merge(stripe.histogram);
  }
  Distribution distribution;
  distribution.count = all.count();
  if (all.count() == 0) return distribution;
  distribution.mean = all.Average();
  distribution.p50 = all.Percentile(50);
  distribution.p99 = all.Percentile(99);
  distribution.p999 = all.Percentile(99.9);
  distribution.max = all.max();
  return distribution;
}

void EngineCounters::Read(Statistics& statistics) const {
  const auto load = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  statistics.writes = load(writes);
  statistics.entries_written = load(entries_written);
  statistics.bytes_written = load(bytes_written);
  statistics.log_flushes = load(log_flushes);
  statistics.log_syncs = load(log_syncs);
  statistics.flushes = load(flushes);
  statistics.flushed_bytes = load(flushed_bytes);
  statistics.compactions_by_size = load(compactions_by_size);
  statistics.compactions_by_timer = load(compactions_by_timer);
  statistics.compactions_manual = load(compactions_manual);
  statistics.compactions = statistics.compactions_by_size + statistics.compactions_by_timer +
                           statistics.compactions_manual;
  statistics.compaction_read_bytes = load(compaction_read_bytes);
  statistics.compaction_written_bytes = load(compaction_written_bytes);
  statistics.slowdown_us = load(slowdown_us);
  statistics.batch_bytes_peak = load(batch_bytes_peak);
  statistics.transactions_committed = load(transactions_committed);
  statistics.transactions_conflicted = load(transactions_conflicted);
  statistics.gets = gets.Total();
  statistics.filter_checks = segments.filter_checks.Total();
  statistics.filter_negatives = segments.filter_negatives.Total();
  statistics.recovered_batches = recovered_batches;
  statistics.recovered_bytes = recovered_bytes;
  statistics.recovery_us = recovery_us;
  statistics.write_us = write_us.Read();
  statistics.sync_us = sync_us.Read();
}

}  // namespace firn
