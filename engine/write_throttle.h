// engine/write_throttle.h: how long a writer waits for the background to keep up: a pure function
// from measured debt to go, wait so long, or stop.
//
// Each kind of debt has a slow and a stop limit; its pressure is 0 up to the first, 1 from the
// second on, and linear between. The greatest pressure p counts: a group of b bytes is delayed by
// b * p^2 / (1 - p) / 16 us, which is 0 at p = 0, grows without a jump, paces writers at 32 MB/s for
// p = 1/2 and 2 MB/s for p = 0.9, and is cut at kWriteDelayMax. A group smaller than
// kThrottledBytesMin counts as one of that size, since a tiny group too costs an entry's overhead.
#ifndef FIRN_ENGINE_WRITE_THROTTLE_H_
#define FIRN_ENGINE_WRITE_THROTTLE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace firn {

inline constexpr std::chrono::microseconds kWriteDelayMax{100'000};
inline constexpr uint64_t kThrottledBytesMin = 256;

// What the background owes, for the keyspace that is worst off.
struct WriteDebt {
  uint64_t unflushed_bytes = 0;     // in memtables, active and immutable
  uint64_t all_unflushed_bytes = 0;  // of all keyspaces together
  uint64_t all_active_bytes = 0;     // of these in active memtables
  size_t immutable_memtables = 0;   // waiting for a flush
  size_t level0_segments = 0;
};

// Of each pair the slow limit is below the stop limit.
struct WriteThrottleLimits {
  uint64_t unflushed_bytes_slow = 0;
  uint64_t unflushed_bytes_stop = 0;
  size_t immutable_memtables_slow = 0;
  size_t immutable_memtables_stop = 0;
  size_t level0_segments_slow = 0;
  size_t level0_segments_stop = 0;
  uint64_t all_unflushed_bytes_slow = UINT64_MAX - 1;
  uint64_t all_unflushed_bytes_stop = UINT64_MAX;
};

// Limits from the options. `immutable_memtables_max` waiting beside a full active memtable is all that
// memory is meant to hold: bytes slow writers from three quarters of that and stop them one
// memtable beyond it; memtables, which may also be waiting when small, slow and stop at one and two
// more.
WriteThrottleLimits LimitsFor(size_t memtable_size, size_t immutable_memtables_max,
                              size_t level0_segments_slow, size_t level0_segments_stop);

struct ThrottleDecision {
  enum class Kind : uint8_t {
    kGo = 1,
    kDelay = 2,  // sleep for `delay`, then write without asking again
    kStop = 3,   // wait for background work to finish something, then ask again
  };
  Kind kind = Kind::kGo;
  std::chrono::microseconds delay{0};  // kDelay: in (0, kWriteDelayMax]
};

// For a group of `group_bytes` encoded bytes.
ThrottleDecision DecideThrottle(const WriteDebt& debt, const WriteThrottleLimits& limits,
                                uint64_t group_bytes);

// Delays that are too short to be slept one by one: a sleep takes some 60 us longer than it was asked
// for, so a writer that pays 10 us a group would be held back six times as long as it should be. They
// add up until they are worth a sleep. One thread at a time.
class OwedDelay {
 public:
  static constexpr std::chrono::microseconds kSleepMin{300};

  // What to sleep now for this and what is owed from before: 0, or at least kSleepMin.
  std::chrono::microseconds Add(std::chrono::microseconds delay);
  // Nothing holds writers back any more.
  void Forgive() { owed_ = {}; }

 private:
  std::chrono::microseconds owed_{0};
};

// When there is something to say about the throttle: once a change, not once a write. Writers count as
// slowed until they have gone freely for kQuietUs. One thread at a time.
class ThrottleLog {
 public:
  static constexpr uint64_t kQuietUs = 1'000'000;
  enum class Change : uint8_t {
    kNone = 1,
    kSlowed = 2,   // writers are delayed from now on
    kStopped = 3,  // they wait, after they were free or delayed
    kFreed = 4,
  };

  Change Note(ThrottleDecision::Kind kind, uint64_t now_us);

 private:
  ThrottleDecision::Kind worst_ = ThrottleDecision::Kind::kGo;  // since writers were free
  uint64_t last_held_us_ = 0;
};

}  // namespace firn

#endif  // FIRN_ENGINE_WRITE_THROTTLE_H_
