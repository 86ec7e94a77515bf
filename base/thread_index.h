// base/thread_index.h: a small dense number for each live thread, to index what every thread has one
// of (base/per_thread.h).
#ifndef FIRN_BASE_THREAD_INDEX_H_
#define FIRN_BASE_THREAD_INDEX_H_

#include <cstdint>

namespace firn {

namespace internal {

inline constexpr uint32_t kNoThreadIndex = UINT32_MAX;
extern thread_local constinit uint32_t thread_index;
uint32_t TakeThreadIndex();

}  // namespace internal

// The calling thread's number: no other live thread has it; it is the least free one when the thread
// first asks, and is free again when the thread has ended. Never fails; no lock but the first time.
inline uint32_t ThisThreadIndex() {
  const uint32_t index = internal::thread_index;
  return index != internal::kNoThreadIndex ? index : internal::TakeThreadIndex();
}

}  // namespace firn

#endif  // FIRN_BASE_THREAD_INDEX_H_
