// base/futex.h: waiting for a word to change without a lock around it. A condition variable's waiter takes
// a mutex on its way in and out; where dozens are woken at once they queue up for it.
#ifndef FIRN_BASE_FUTEX_H_
#define FIRN_BASE_FUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace firn {

// Sleeps while `word` is `expected`, until FutexWake(). May wake without cause: loop. T is an integer or
// enum of 32 bits.
template <typename T>
void FutexWait(std::atomic<T>& word, T expected) {
  static_assert(sizeof(std::atomic<T>) == sizeof(uint32_t) && std::atomic<T>::is_always_lock_free);
  static_cast<void>(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, static_cast<uint32_t>(expected),
                            nullptr, nullptr, 0));
}

// Wakes whoever sleeps on `word`. Nothing is read there: it may be gone, and whoever sleeps at the same
// address by then wakes without cause.
template <typename T>
void FutexWake(std::atomic<T>* word) {
  static_cast<void>(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0));
}

}  // namespace firn

#endif  // FIRN_BASE_FUTEX_H_
