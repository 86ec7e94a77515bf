// base/check.h: assertions about our own mistakes. No byte from a disk, no caller's argument and no
// I/O error may reach one of these: those are a Status.
//
// FIRN_CHECK is always on and guards what would corrupt data. FIRN_DCHECK is for what costs time;
// it is on in debug and sanitizer builds (FIRN_DEBUG_CHECKS).
#ifndef FIRN_BASE_CHECK_H_
#define FIRN_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace firn {

[[noreturn]] inline void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "firn: broken invariant at %s:%d: %s\n", file, line, expression);
  std::fflush(stderr);
  std::abort();
}

}  // namespace firn

#define FIRN_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::firn::CheckFailed(#condition, __FILE__, __LINE__))

#ifdef FIRN_DEBUG_CHECKS
#define FIRN_DCHECK(condition) FIRN_CHECK(condition)
#else
#define FIRN_DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#endif

#endif  // FIRN_BASE_CHECK_H_
