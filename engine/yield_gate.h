// engine/yield_gate.h: whether it pays at present to wait by yielding the processor.
//
// Where all that wants to run are writers of one store, a yield passes the processor on to one with work
// and comes back within microseconds: half of what a sleep and a wake-up cost. But Linux 6.18 takes a
// yield at its word: the thread goes without the rest of its slice. Where another program (or a flush)
// computes on that processor it keeps it for milliseconds, and the writer that was meanwhile told to
// lead keeps all others waiting. So the gate shuts when one yield took longer than kLostUs. After a
// pause one writer alone tries again, and opens it if its yields were short until it was told something.
// The pause grows up to kPauseMaxUs while trials fail, or what they open does not stay open for as long.
#ifndef FIRN_ENGINE_YIELD_GATE_H_
#define FIRN_ENGINE_YIELD_GATE_H_

#include <atomic>
#include <cstdint>

namespace firn {

// Thread-safe. Times are monotonic microseconds.
class YieldGate {
 public:
  static constexpr uint64_t kLostUs = 1'000;
  static constexpr uint64_t kPauseMinUs = 20'000;
  static constexpr uint64_t kPauseMaxUs = 1'280'000;

  enum class Pass : uint8_t {
    kNo = 1,     // sleep
    kOpen = 2,   // yield
    kTrial = 3,  // yield, for all
  };

  // Asked before the first yield of a wait.
  Pass Enter(uint64_t now);
  // One yield took so long. False: too long; the wait goes on asleep.
  bool Took(Pass pass, uint64_t elapsed, uint64_t now);
  // The writer was told something while it yielded.
  void Leave(Pass pass, uint64_t now);

 private:
  uint64_t LongerPause();

  std::atomic<uint64_t> shut_until_{0};  // 0: open
  std::atomic<uint64_t> opened_at_{0};
  std::atomic<uint64_t> pause_{kPauseMinUs};  // the next one
};

}  // namespace firn

#endif  // FIRN_ENGINE_YIELD_GATE_H_
