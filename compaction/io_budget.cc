#include "compaction/io_budget.h"

#include <algorithm>
#include <cmath>

namespace firn {
namespace {

constexpr double kBurstSeconds = 0.1;

}  // namespace

IoBudget::IoBudget(Clock& clock, uint64_t bytes_per_second)
    : clock_(clock),
      bytes_per_second_(bytes_per_second),
      refilled_at_us_(clock.MonotonicMicroseconds()) {}

std::chrono::microseconds IoBudget::Charge(uint64_t bytes) {
  std::chrono::microseconds sleep{0};
  {
    MutexLock lock(mutex_);
    charged_bytes_ += bytes;
    const uint64_t now_us = clock_.MonotonicMicroseconds();
    const double elapsed_us = static_cast<double>(now_us - std::min(now_us, refilled_at_us_));
    refilled_at_us_ = now_us;
    if (bytes_per_second_ == 0) return sleep;
    const double rate = static_cast<double>(bytes_per_second_);
    tokens_ = std::min(tokens_ + elapsed_us * rate / 1e6, kBurstSeconds * rate);
    tokens_ -= static_cast<double>(bytes);
    if (tokens_ < 0) {
      sleep = std::chrono::microseconds(static_cast<int64_t>(std::ceil(-tokens_ / rate * 1e6)));
    }
  }
  if (sleep.count() > 0) clock_.SleepFor(sleep);
  return sleep;
}

void IoBudget::SetRate(uint64_t bytes_per_second) {
  MutexLock lock(mutex_);
  bytes_per_second_ = bytes_per_second;
  tokens_ = 0;
}

uint64_t IoBudget::charged_bytes() const {
  MutexLock lock(mutex_);
  return charged_bytes_;
}

}  // namespace firn
