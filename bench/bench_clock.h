// bench/bench_clock.h: time in nanoseconds, as a parameter: base/clock.h counts microseconds, and a
// cached read is done in less than one.
#ifndef FIRN_BENCH_BENCH_CLOCK_H_
#define FIRN_BENCH_BENCH_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace firn::bench {

// Thread-safe.
class BenchClock {
 public:
  virtual ~BenchClock() = default;
  // Never goes back; the zero is arbitrary.
  virtual uint64_t Now() = 0;
  // Returns at `time` or later; at once if it has passed.
  virtual void SleepUntil(uint64_t time) = 0;
};

class SystemBenchClock final : public BenchClock {
 public:
  uint64_t Now() override {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
  }
  void SleepUntil(uint64_t time) override {
    std::this_thread::sleep_until(
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(time)));
  }
};

// Stands still until it is advanced; SleepUntil() advances it.
class ManualBenchClock final : public BenchClock {
 public:
  uint64_t Now() override { return now_.load(); }
  void SleepUntil(uint64_t time) override {
    if (time > now_.load()) now_.store(time);
  }
  void Advance(uint64_t nanoseconds) { now_.fetch_add(nanoseconds); }

 private:
  std::atomic<uint64_t> now_{1'000'000'000};
};

}  // namespace firn::bench

#endif  // FIRN_BENCH_BENCH_CLOCK_H_
