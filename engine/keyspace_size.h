// engine/keyspace_size.h: the size limits of one keyspace and what became of them.
#ifndef FIRN_ENGINE_KEYSPACE_SIZE_H_
#define FIRN_ENGINE_KEYSPACE_SIZE_H_

#include <atomic>
#include <cstdint>

#include "engine/space_guard.h"
#include "firn/options.h"

namespace firn {

// Thread-safe; every member by itself, for limits are no invariant.
class KeyspaceSize {
 public:
  explicit KeyspaceSize(const SizeLimits& limits) { SetLimits(limits); }

  void SetLimits(const SizeLimits& limits) {
    soft_.store(limits.soft, std::memory_order_relaxed);
    hard_.store(limits.hard, std::memory_order_relaxed);
  }
  SizeLimits limits() const {
    return {soft_.load(std::memory_order_relaxed), hard_.load(std::memory_order_relaxed)};
  }
  bool limited() const {
    return soft_.load(std::memory_order_relaxed) > 0 || hard_.load(std::memory_order_relaxed) > 0;
  }

  // True if this is news: a higher limit was passed than before, or, a good deal below the lowest
  // limit, everything is well again. Merges make a size go up and down by some percent.
  bool IsNews(SizeVerdict verdict, uint64_t bytes) {
    const SizeVerdict last = last_.load(std::memory_order_relaxed);
    if (verdict > last) return last_.exchange(verdict, std::memory_order_relaxed) != verdict;
    const SizeLimits present = limits();
    const uint64_t lowest = present.soft > 0 ? present.soft : present.hard;
    if (last == SizeVerdict::kBelow || bytes > lowest - lowest / 8) return false;
    return last_.exchange(SizeVerdict::kBelow, std::memory_order_relaxed) != SizeVerdict::kBelow;
  }
  bool above_soft() const { return last_.load(std::memory_order_relaxed) != SizeVerdict::kBelow; }
  void CountRefused() { refused_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> soft_{0};
  std::atomic<uint64_t> hard_{0};
  std::atomic<SizeVerdict> last_{SizeVerdict::kBelow};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace firn

#endif  // FIRN_ENGINE_KEYSPACE_SIZE_H_
