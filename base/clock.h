// base/clock.h: time as a parameter. Nothing in firn reads the time by itself.
#ifndef FIRN_BASE_CLOCK_H_
#define FIRN_BASE_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace firn {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970, UTC: what records carry.
  virtual uint64_t NowMilliseconds() = 0;
  // A clock that never goes back, for durations and pacing.
  virtual uint64_t MonotonicMicroseconds() = 0;
  // Returns after `duration` of this clock's time.
  virtual void SleepFor(std::chrono::microseconds duration) = 0;
};

class SystemClock final : public Clock {
 public:
  uint64_t NowMilliseconds() override {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  }
  uint64_t MonotonicMicroseconds() override {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
  }
  void SleepFor(std::chrono::microseconds duration) override {
    std::this_thread::sleep_for(duration);
  }
};

// Stands still until it is advanced; SleepFor() advances it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(uint64_t start_milliseconds = 1'000'000'000'000)
      : microseconds_(start_milliseconds * 1000) {}
  uint64_t NowMilliseconds() override { return microseconds_.load() / 1000; }
  uint64_t MonotonicMicroseconds() override { return microseconds_.load(); }
  void SleepFor(std::chrono::microseconds duration) override { Advance(duration); }
  void Advance(std::chrono::microseconds duration) {
    microseconds_.fetch_add(static_cast<uint64_t>(duration.count()));
  }

 private:
  std::atomic<uint64_t> microseconds_;
};

}  // namespace firn

#endif  // FIRN_BASE_CLOCK_H_
