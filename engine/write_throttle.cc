#include "engine/write_throttle.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace firn {
namespace {

// 0 up to `slow`, 1 from `stop` on, linear between.
double Pressure(uint64_t debt, uint64_t slow, uint64_t stop) {
  FIRN_DCHECK(slow < stop);
  if (debt >= stop) return 1;
  if (debt <= slow) return 0;
  return static_cast<double>(debt - slow) / static_cast<double>(stop - slow);
}

}  // namespace

WriteThrottleLimits LimitsFor(size_t memtable_size, size_t immutable_memtables_max,
                              size_t level0_segments_slow, size_t level0_segments_stop) {
  const uint64_t unflushed_max = uint64_t{memtable_size} * (immutable_memtables_max + 1);
  return {
      .unflushed_bytes_slow = unflushed_max - unflushed_max / 4,
      .unflushed_bytes_stop = unflushed_max + memtable_size,
      .immutable_memtables_slow = immutable_memtables_max,
      .immutable_memtables_stop = immutable_memtables_max + 2,
      .level0_segments_slow = level0_segments_slow,
      .level0_segments_stop = std::max(level0_segments_stop, level0_segments_slow + 1),
  };
}

ThrottleDecision DecideThrottle(const WriteDebt& debt, const WriteThrottleLimits& limits,
                                uint64_t group_bytes) {
  const double pressure = std::max(
      {Pressure(debt.unflushed_bytes, limits.unflushed_bytes_slow, limits.unflushed_bytes_stop),
       Pressure(debt.all_unflushed_bytes, limits.all_unflushed_bytes_slow,
                limits.all_unflushed_bytes_stop),
       Pressure(debt.immutable_memtables, limits.immutable_memtables_slow,
                limits.immutable_memtables_stop),
       Pressure(debt.level0_segments, limits.level0_segments_slow, limits.level0_segments_stop)});
  if (pressure >= 1) return {.kind = ThrottleDecision::Kind::kStop};
  const double bytes = static_cast<double>(std::max(group_bytes, kThrottledBytesMin));
  const double delay_us = bytes * pressure * pressure / (1 - pressure) / 16;
  const double longest = static_cast<double>(kWriteDelayMax.count());
  const std::chrono::microseconds delay(static_cast<int64_t>(std::min(delay_us, longest)));
  if (delay.count() == 0) return {.kind = ThrottleDecision::Kind::kGo};
  return {.kind = ThrottleDecision::Kind::kDelay, .delay = delay};
}

std::chrono::microseconds OwedDelay::Add(std::chrono::microseconds delay) {
  owed_ += delay;
  if (owed_ < kSleepMin) return {};
  return std::exchange(owed_, {});
}

ThrottleLog::Change ThrottleLog::Note(ThrottleDecision::Kind kind, uint64_t now_us) {
  if (kind == ThrottleDecision::Kind::kGo) {
    if (worst_ == ThrottleDecision::Kind::kGo || now_us < last_held_us_ + kQuietUs) {
      return Change::kNone;
    }
    worst_ = kind;
    return Change::kFreed;
  }
  last_held_us_ = now_us;
  if (kind <= worst_) return Change::kNone;
  worst_ = kind;
  return kind == ThrottleDecision::Kind::kStop ? Change::kStopped : Change::kSlowed;
}

}  // namespace firn
