// bench/hiccup.h: the machine's own pauses, as an idle thread sees them: it sleeps a millisecond at a
// time and notes how much later than asked it wakes. What no program could have done better is not
// an engine's fault.
#ifndef FIRN_BENCH_HICCUP_H_
#define FIRN_BENCH_HICCUP_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/bench_clock.h"
#include "bench/latency_histogram.h"

namespace firn::bench {

// [begin, end), nanoseconds of the clock.
struct TimeSpan {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// The longest of `calls` after what overlaps with `pauses` is taken off; 0 without calls.
uint64_t LongestNetOf(const std::vector<TimeSpan>& calls, const std::vector<TimeSpan>& pauses);

class HiccupMeter {
 public:
  // `clock` must outlive the meter.
  explicit HiccupMeter(BenchClock& clock);
  ~HiccupMeter();
  HiccupMeter(const HiccupMeter&) = delete;
  HiccupMeter& operator=(const HiccupMeter&) = delete;

  // Ends the measurement; what was seen may be read from then on.
  void Stop();
  const LatencyHistogram& histogram() const { return histogram_; }
  // Those of half a millisecond and more, in their order.
  const std::vector<TimeSpan>& pauses() const { return pauses_; }

 private:
  void Measure();

  BenchClock& clock_;
  std::atomic<bool> stopping_{false};
  LatencyHistogram histogram_;    // the thread's, until it is joined
  std::vector<TimeSpan> pauses_;  // likewise
  std::thread thread_;
};

}  // namespace firn::bench

#endif  // FIRN_BENCH_HICCUP_H_
