#include "bench/process_figures.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"

namespace firn::bench {
namespace {

namespace fs = std::filesystem;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The number behind "name:" in a file of such lines; 0 if there is none.
uint64_t FieldOf(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    uint64_t value = 0;
    if (word == name && file >> value) return value;
  }
  return 0;
}

void ForEachFile(const std::string& folder, absl::FunctionRef<void(const std::string&)> visit) {
  std::error_code ignored;  // files come and go while we look
  for (fs::recursive_directory_iterator at(folder, ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    std::error_code gone;
    if (at->is_regular_file(gone)) visit(at->path().string());
  }
}

}  // namespace

ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  figures.cpu_user_s = Seconds(usage.ru_utime);
  figures.cpu_system_s = Seconds(usage.ru_stime);
  figures.context_switches = static_cast<uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
  figures.major_faults = static_cast<uint64_t>(usage.ru_majflt);
  figures.minor_faults = static_cast<uint64_t>(usage.ru_minflt);
  figures.disk_written = FieldOf("/proc/self/io", "write_bytes:");
  figures.disk_read = FieldOf("/proc/self/io", "read_bytes:");
  return figures;
}

DeviceFigures ReadDeviceFigures(const std::string& folder) {
  DeviceFigures figures;
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) return figures;
  const std::string device =
      absl::StrCat("/sys/dev/block/", major(status.st_dev), ":", minor(status.st_dev));
  std::ifstream file(device + "/stat");
  uint64_t fields[5] = {};  // reads, merged, sectors, milliseconds, writes
  for (uint64_t& field : fields) {
    if (!(file >> field)) return figures;
  }
  std::error_code error;
  const fs::path target = fs::read_symlink(device, error);
  figures.known = true;
  figures.name = error ? device : target.filename().string();
  figures.reads = fields[0];
  figures.writes = fields[4];
  return figures;
}

void ResetPeakMemory() { std::ofstream("/proc/self/clear_refs") << 5; }

uint64_t PeakMemory() { return FieldOf("/proc/self/status", "VmHWM:") * 1024; }

uint64_t SpaceOf(const std::string& folder) {
  uint64_t bytes = 0;
  ForEachFile(folder, [&bytes](const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) bytes += static_cast<uint64_t>(status.st_blocks) * 512;
  });
  return bytes;
}

void DropFromPageCache(const std::string& folder) {
  ForEachFile(folder, [](const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    // Dirty pages are not dropped. A page that stays is no error: it makes a read cheaper.
    if (fdatasync(file) == 0) posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  });
}

}  // namespace firn::bench
