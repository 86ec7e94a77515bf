#include "base/time_slice.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace firn {
namespace {

constexpr uint64_t kSliceNs = 20'000'000;

// sched_setattr(2), which the C library does not declare.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;  // of an ordinary thread: its slice
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

void AskForLongSlices() {
  const int saved_errno = errno;
  SchedulingAttributes attributes;
  const long got = syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0);
  constexpr uint32_t kOrdinaryPolicy = 0;  // SCHED_OTHER; who chose another keeps it
  if (got == 0 && attributes.policy == kOrdinaryPolicy) {
    attributes.size = sizeof(attributes);
    attributes.runtime_ns = kSliceNs;
    static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
  }
  errno = saved_errno;
}

}  // namespace firn
