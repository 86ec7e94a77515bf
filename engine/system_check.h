// engine/system_check.h: whether the machine has what a store with these options needs. Nothing is refused:
// the log is told, since a machine that swaps, or kills, is found out late otherwise.
#ifndef FIRN_ENGINE_SYSTEM_CHECK_H_
#define FIRN_ENGINE_SYSTEM_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "firn/options.h"

namespace firn {

// The least that docs/operations.md names.
inline constexpr uint64_t kMachineMemoryMin = uint64_t{512} << 20;
inline constexpr uint64_t kDiskFreeMin = uint64_t{256} << 20;

struct MachineFacts {
  uint64_t memory = 0;     // bytes that this process may use; 0: not known
  uint64_t disk_free = 0;  // bytes
  uint32_t processors = 0;
};

// Bytes of memory that a store with `options` may come to use, with one busy keyspace.
uint64_t MemoryNeeded(const Options& options);

// One sentence for each thing that is short.
std::vector<std::string> MachineWarnings(const MachineFacts& facts, const Options& options);

}  // namespace firn

#endif  // FIRN_ENGINE_SYSTEM_CHECK_H_
