// tests/io/child.h: what a test does to its process, done to a child instead: limits, and system calls
// that a seccomp filter refuses as a container's would.
#ifndef FIRN_TESTS_IO_CHILD_H_
#define FIRN_TESTS_IO_CHILD_H_

#include <cstdint>
#include <functional>

namespace firn {

// Runs `body` in a forked child; true if it returned true.
bool InChild(const std::function<bool()>& body);

enum class SystemCall : uint8_t { kUringSetup, kUringEnter, kUringRegister };

// From now on, and for ever, the call fails with `error_number` in this process. False: the kernel
// takes no filter.
bool RefuseSystemCall(SystemCall call, int error_number);

}  // namespace firn

#endif  // FIRN_TESTS_IO_CHILD_H_
