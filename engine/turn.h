// engine/turn.h: one at a time, also across I/O. A mutex must not be held while a disk is waited for
// (DESIGN section 4), yet some work, such as appending to the manifest, takes one thread at a time
// from its first read to its last write: it takes a turn.
#ifndef FIRN_ENGINE_TURN_H_
#define FIRN_ENGINE_TURN_H_

#include "base/mutex.h"

namespace firn {

// Thread-safe. Whoever has the turn must not wait for a background task.
class Turn {
 public:
  // Has the turn for a scope.
  class Holder {
   public:
    explicit Holder(Turn& turn) : turn_(turn) { turn_.Take(); }
    ~Holder() { turn_.End(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   private:
    Turn& turn_;
  };

  void Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    while (taken_) ended_.Wait(mutex_);
    taken_ = true;
  }
  // False, at once, if somebody has it.
  bool TryTake() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (taken_) return false;
    taken_ = true;
    return true;
  }
  void End() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(mutex_);
      taken_ = false;
    }
    ended_.NotifyOne();
  }

 private:
  Mutex mutex_;
  CondVar ended_;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace firn

#endif  // FIRN_ENGINE_TURN_H_
