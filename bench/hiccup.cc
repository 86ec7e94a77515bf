#include "bench/hiccup.h"

#include <algorithm>

namespace firn::bench {
namespace {

constexpr uint64_t kStep = 1'000'000;
constexpr uint64_t kPauseMin = 500'000;

}  // namespace

uint64_t LongestNetOf(const std::vector<TimeSpan>& calls, const std::vector<TimeSpan>& pauses) {
  uint64_t longest = 0;
  for (const TimeSpan& call : calls) {
    uint64_t net = call.end - call.begin;
    for (const TimeSpan& pause : pauses) {
      const uint64_t begin = std::max(call.begin, pause.begin);
      const uint64_t end = std::min(call.end, pause.end);
      if (begin < end) net -= end - begin;  // pauses do not overlap
    }
    longest = std::max(longest, net);
  }
  return longest;
}

HiccupMeter::HiccupMeter(BenchClock& clock) : clock_(clock), thread_([this] { Measure(); }) {}

HiccupMeter::~HiccupMeter() { Stop(); }

void HiccupMeter::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void HiccupMeter::Measure() {
  while (!stopping_) {
    const uint64_t due = clock_.Now() + kStep;
    clock_.SleepUntil(due);
    const uint64_t woken = clock_.Now();
    histogram_.Add(woken - due);
    if (woken - due >= kPauseMin) pauses_.push_back({due, woken});
  }
}

}  // namespace firn::bench
