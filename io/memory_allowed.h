// io/memory_allowed.h: how much memory this process may use: what the machine has, and what its control
// groups (cgroups, version 1 or 2) allow.
#ifndef FIRN_IO_MEMORY_ALLOWED_H_
#define FIRN_IO_MEMORY_ALLOWED_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace firn {

// The least of the machine's memory and of the limits of its control groups, told by the content of
// /proc/meminfo and of the files memory.max (or memory.limit_in_bytes); 0 if none of them tells.
uint64_t MemoryAllowed(absl::string_view meminfo, const std::vector<std::string>& limits);
// Of this process.
uint64_t ReadMemoryAllowed();

}  // namespace firn

#endif  // FIRN_IO_MEMORY_ALLOWED_H_
