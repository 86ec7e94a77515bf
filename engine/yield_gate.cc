#include "engine/yield_gate.h"

#include <algorithm>

namespace firn {

YieldGate::Pass YieldGate::Enter(uint64_t now) {
  uint64_t until = shut_until_.load(std::memory_order_relaxed);
  if (until == 0) return Pass::kOpen;
  if (now < until) return Pass::kNo;
  // Only one of those who find it is time.
  const uint64_t next = now + pause_.load(std::memory_order_relaxed);
  const bool mine = shut_until_.compare_exchange_strong(until, next, std::memory_order_relaxed);
  return mine ? Pass::kTrial : Pass::kNo;
}

uint64_t YieldGate::LongerPause() {
  const uint64_t pause = pause_.load(std::memory_order_relaxed);
  pause_.store(std::min(2 * pause, kPauseMaxUs), std::memory_order_relaxed);
  return pause;
}

bool YieldGate::Took(Pass pass, uint64_t elapsed, uint64_t now) {
  if (elapsed <= kLostUs) return true;
  if (pass == Pass::kTrial) {
    shut_until_.store(now + LongerPause(), std::memory_order_relaxed);
    return false;
  }
  // Of the many that find out at once one shuts it.
  uint64_t open = 0;
  if (!shut_until_.compare_exchange_strong(open, now + kPauseMinUs, std::memory_order_relaxed)) {
    return false;
  }
  const uint64_t stayed = now - std::min(now, opened_at_.load(std::memory_order_relaxed));
  if (stayed > pause_.load(std::memory_order_relaxed)) {
    pause_.store(2 * kPauseMinUs, std::memory_order_relaxed);
  } else {
    shut_until_.store(now + LongerPause(), std::memory_order_relaxed);
  }
  return false;
}

void YieldGate::Leave(Pass pass, uint64_t now) {
  if (pass != Pass::kTrial) return;
  opened_at_.store(now, std::memory_order_relaxed);
  shut_until_.store(0, std::memory_order_relaxed);
}

}  // namespace firn
