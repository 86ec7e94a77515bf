// compaction/io_budget.h: how many bytes a second the background may move: a token bucket.
//
// Tokens grow with the clock up to a tenth of a second's worth, so that a pause does not buy a
// burst. A charge may drive the bucket below zero; whoever does so sleeps until it is back at zero,
// which lets charges of any size through and keeps the long-run rate exact.
#ifndef FIRN_COMPACTION_IO_BUDGET_H_
#define FIRN_COMPACTION_IO_BUDGET_H_

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace firn {

// Thread-safe.
class IoBudget {
 public:
  // `bytes_per_second` 0: unlimited.
  IoBudget(Clock& clock, uint64_t bytes_per_second);

  // Accounts for `bytes` and sleeps for what they cost beyond the budget. Returns the sleep.
  std::chrono::microseconds Charge(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes effect with the next charge.
  void SetRate(uint64_t bytes_per_second) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t charged_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Clock& clock_;
  mutable Mutex mutex_;
  uint64_t bytes_per_second_ ABSL_GUARDED_BY(mutex_);
  double tokens_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t refilled_at_us_ ABSL_GUARDED_BY(mutex_);
  uint64_t charged_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace firn

#endif  // FIRN_COMPACTION_IO_BUDGET_H_
