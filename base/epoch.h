// base/epoch.h: objects that readers use without a count or a lock, and that go when no reader can
// still see them (epoch-based reclamation: Fraser, "Practical lock-freedom", 2004).
//
//     reader                                      writer
//     Epochs::Guard guard(epochs);                std::shared_ptr<const T> old = Exchange(...);
//     const T* t = pointer.load();                pointer.store(fresh.get());
//     use *t                                      epochs.Retire(std::move(old));
//
// A guard notes the epoch in which it began in a slot of its thread; Retire() tags the garbage with
// the epoch and begins the next one. Garbage goes when every active guard began in a later epoch
// than its tag: such a guard read the pointer after it had been replaced.
// The pointer itself must be loaded, and replaced before Retire(), with sequential consistency (the
// default of std::atomic): the guard's store and the pointer's load must not change places.
// A guard is for moments: nothing is reclaimed meanwhile. No I/O, no waiting inside.
#ifndef FIRN_BASE_EPOCH_H_
#define FIRN_BASE_EPOCH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/mutex.h"
#include "base/per_thread.h"

namespace firn {

// Thread-safe. Outlives its guards.
class Epochs {
 private:
  static constexpr uint64_t kIdle = UINT64_MAX;
  struct Thread {
    std::atomic<uint64_t> epoch{kIdle};  // in which its outermost guard began
    uint32_t depth = 0;                  // the thread's own
  };

 public:
  Epochs() = default;
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;
  // FIRN_CHECK: no guard is active. Drops what is left.
  ~Epochs();

  // May be nested on one thread; must end on the thread on which it began.
  class Guard {
   public:
    explicit Guard(Epochs& epochs) : thread_(epochs.threads_.Mine()) {
      if (thread_.depth++ != 0) return;
      thread_.epoch.store(epochs.current_.load());
    }
    ~Guard() {
      if (--thread_.depth == 0) thread_.epoch.store(kIdle, std::memory_order_release);
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Thread& thread_;
  };

  // Drops `garbage` of `bytes` when no guard is left that may see it: at once, or in a later Retire() or
  // Collect(). The caller has made it unreachable for new guards. Its destructor may run on any
  // thread that calls these, never inside a lock of this class.
  void Retire(std::shared_ptr<const void> garbage, size_t bytes = 0) ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops what can be dropped now.
  void Collect() ABSL_LOCKS_EXCLUDED(mutex_);

  // As Collect(), but gives readers that are about to leave a little time: what still waits afterwards
  // is seen by a reader that has lost its processor. Not inside a guard.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

  // Objects retired and not yet dropped.
  size_t pending() const ABSL_LOCKS_EXCLUDED(mutex_);
  // And their bytes.
  size_t pending_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Objects: the scan of all threads is shared by so many. Or bytes: so much may wait uncharged.
  static constexpr size_t kCollectAt = 32;
  static constexpr size_t kCollectBytesAt = size_t{1} << 20;

  struct Garbage {
    uint64_t epoch;
    size_t bytes;
    std::shared_ptr<const void> object;
  };

  uint64_t OldestActive() const;

  std::atomic<uint64_t> current_{1};
  PerThread<Thread> threads_;
  mutable Mutex mutex_;
  std::deque<Garbage> garbage_ ABSL_GUARDED_BY(mutex_);  // epochs ascend
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of garbage_
  size_t collect_at_ ABSL_GUARDED_BY(mutex_) = kCollectAt;
  size_t collect_bytes_at_ ABSL_GUARDED_BY(mutex_) = kCollectBytesAt;
};

}  // namespace firn

#endif  // FIRN_BASE_EPOCH_H_
