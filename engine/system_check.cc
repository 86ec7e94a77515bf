#include "engine/system_check.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace firn {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
// Code, stacks, logs and jobs in progress, as engine/memory_budget.h has them without a budget.
constexpr uint64_t kFixed = 32 * kMiB;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

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

uint64_t MemoryAllowed(absl::string_view meminfo, const std::vector<std::string>& limits) {
  uint64_t allowed = 0;
  const auto take = [&](uint64_t bytes) {
    if (bytes > 0) allowed = allowed == 0 ? bytes : std::min(allowed, bytes);
  };
  for (absl::string_view line : absl::StrSplit(meminfo, '\n')) {
    uint64_t kib = 0;
    if (!absl::ConsumePrefix(&line, "MemTotal:") || !absl::ConsumeSuffix(&line, "kB")) continue;
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &kib)) take(kib * 1024);
  }
  for (const std::string& limit : limits) {
    uint64_t bytes = 0;  // "max", or an absurdly large number: none
    if (absl::SimpleAtoi(absl::StripAsciiWhitespace(limit), &bytes)) take(bytes);
  }
  return allowed;
}

// The group of this process and those above it, of either version of control groups.
uint64_t ReadMemoryAllowed() {
  std::vector<std::string> limits;
  for (absl::string_view line : absl::StrSplit(ReadText("/proc/self/cgroup"), '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3 || (!parts[1].empty() && parts[1] != "memory")) continue;
    const bool is_second = parts[1].empty();
    const std::string root = is_second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* const file = is_second ? "/memory.max" : "/memory.limit_in_bytes";
    absl::string_view group = absl::StripSuffix(parts[2], "/");
    limits.push_back(ReadText(absl::StrCat(root, file)));  // of a container, whose root it is
    while (!group.empty()) {
      limits.push_back(ReadText(absl::StrCat(root, group, file)));
      group = group.substr(0, group.rfind('/'));
    }
  }
  return MemoryAllowed(ReadText("/proc/meminfo"), limits);
}

}  // namespace firn
