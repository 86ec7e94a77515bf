#include "base/thread_index.h"

#include <set>

#include "base/mutex.h"

namespace firn {
namespace {

// The numbers in use by the process: threads belong to it, not to a database.
class Registry {
 public:
  uint32_t Take() {
    MutexLock lock(mutex_);
    if (free_.empty()) return next_++;
    const uint32_t least = *free_.begin();
    free_.erase(free_.begin());
    return least;
  }
  void Return(uint32_t index) {
    MutexLock lock(mutex_);
    free_.insert(index);
  }

 private:
  Mutex mutex_;
  std::set<uint32_t> free_ ABSL_GUARDED_BY(mutex_);
  uint32_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

Registry& GetRegistry() {
  static Registry* const registry = new Registry;  // outlives every thread
  return *registry;
}

// Returns the number when the thread ends.
struct Holder {
  ~Holder() {
    if (index == internal::kNoThreadIndex) return;
    GetRegistry().Return(index);
    internal::thread_index = internal::kNoThreadIndex;
    ended = true;
  }
  uint32_t index = internal::kNoThreadIndex;
  bool ended = false;
};

}  // namespace

thread_local constinit uint32_t internal::thread_index = internal::kNoThreadIndex;

uint32_t internal::TakeThreadIndex() {
  static thread_local Holder holder;
  thread_index = GetRegistry().Take();
  // Who asks while the thread's own objects are being destroyed gets a number that is never returned.
  if (!holder.ended) holder.index = thread_index;
  return thread_index;
}

}  // namespace firn
