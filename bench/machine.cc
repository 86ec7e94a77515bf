#include "bench/machine.h"

#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/process_figures.h"

namespace firn::bench {
namespace {

// What stands behind "name ... :" in a file of such lines.
std::string ValueIn(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (line.rfind(name, 0) != 0 || colon == std::string::npos) continue;
    return std::string(absl::StripAsciiWhitespace(absl::string_view(line).substr(colon + 1)));
  }
  return "unknown";
}

std::string FileSystemOf(const std::string& folder) {
  struct statfs status {};
  if (statfs(folder.c_str(), &status) != 0) return "unknown";
  switch (static_cast<unsigned long>(status.f_type)) {
    case 0xef53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683e:
      return "btrfs";
    case 0x01021994:
      return "tmpfs (a sync costs nothing there)";
    case 0x794c7630:
      return "overlayfs";
    default:
      return absl::StrFormat("type %#x", static_cast<unsigned long>(status.f_type));
  }
}

}  // namespace

Json MachineFacts(const std::string& folder) {
  utsname system{};
  uname(&system);
  const DeviceFigures device = ReadDeviceFigures(folder);
  return {{"processors", sysconf(_SC_NPROCESSORS_ONLN)},
          {"processor", ValueIn("/proc/cpuinfo", "model name")},
          {"memory", ValueIn("/proc/meminfo", "MemTotal")},
          {"kernel", absl::StrCat(system.sysname, " ", system.release)},
          {"file_system", FileSystemOf(folder)},
          {"disk", device.known ? device.name : "unknown"}};
}

}  // namespace firn::bench
