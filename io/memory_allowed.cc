#include "io/memory_allowed.h"

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

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

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
