#include "engine/system_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace firn {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
// Code, stacks, logs and jobs in progress, as engine/memory_budget.h has them without a budget.
constexpr uint64_t kFixed = 32 * kMiB;

uint64_t ToMiB(uint64_t bytes) { return bytes / kMiB; }

}  // namespace

uint64_t MemoryNeeded(const Options& options) {
  if (options.memory_budget > 0) return options.memory_budget;
  return kFixed + options.memtable_size * (options.immutable_memtables_max + 1) +
         options.block_cache_size + options.transaction_memory;
}

std::vector<std::string> MachineWarnings(const MachineFacts& facts, const Options& options) {
  std::vector<std::string> warnings;
  const uint64_t needed = MemoryNeeded(options);
  if (facts.memory > 0 && facts.memory < kMachineMemoryMin) {
    warnings.push_back(absl::StrCat("this process may use ", ToMiB(facts.memory),
                                    " MiB of memory; firn asks for ", ToMiB(kMachineMemoryMin),
                                    " MiB, and then for the preset low-memory"));
  }
  if (facts.memory > 0 && needed > facts.memory) {
    warnings.push_back(absl::StrCat("the options allow ", ToMiB(needed),
                                    " MiB of memory with one busy keyspace, but this process may use ",
                                    ToMiB(facts.memory), " MiB: set memory_budget lower"));
  }
  const uint64_t disk = std::max<uint64_t>(kDiskFreeMin, 2 * options.log_size_max);
  if (options.storage == Storage::kDisk && facts.disk_free < disk) {
    warnings.push_back(absl::StrCat("the disk has ", ToMiB(facts.disk_free),
                                    " MiB free; logs and flushes alone may take ", ToMiB(disk)));
  }
  if (facts.processors == 1 && options.background_threads > 2) {
    warnings.push_back(absl::StrCat("background_threads is ", options.background_threads,
                                    " on one processor: 2 leave more of it to clients"));
  }
  return warnings;
}

}  // namespace firn
