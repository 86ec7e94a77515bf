// base/counter.h: a counter that many threads add to and few read: for people, not for decisions.
#ifndef FIRN_BASE_COUNTER_H_
#define FIRN_BASE_COUNTER_H_

#include <atomic>
#include <cstdint>

#include "base/per_thread.h"

namespace firn {

// Thread-safe. Each thread adds in a place of its own, so that adding shares no cache line and takes no
// locked instruction.
class Counter {
 public:
  void Add(uint64_t amount) {
    std::atomic<uint64_t>& mine = parts_.Mine();
    mine.store(mine.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  // Every Add() that happened before is in it.
  uint64_t Total() const {
    uint64_t total = 0;
    parts_.ForEach([&total](const std::atomic<uint64_t>& part) {
      total += part.load(std::memory_order_relaxed);
    });
    return total;
  }

 private:
  PerThread<std::atomic<uint64_t>> parts_;
};

}  // namespace firn

#endif  // FIRN_BASE_COUNTER_H_
