// bench/process_figures.h: what the operating system counts for this process and for the disk below a
// folder; files under /proc and /sys.
#ifndef FIRN_BENCH_PROCESS_FIGURES_H_
#define FIRN_BENCH_PROCESS_FIGURES_H_

#include <cstdint>
#include <string>

namespace firn::bench {

struct ProcessFigures {
  double cpu_user_s = 0, cpu_system_s = 0;
  uint64_t context_switches = 0, major_faults = 0, minor_faults = 0;
  uint64_t disk_written = 0, disk_read = 0;  // bytes that were or will be moved to or from the disk
};
// All threads of this process, since it began.
ProcessFigures ReadProcessFigures();

struct DeviceFigures {
  bool known = false;
  std::string name;
  uint64_t reads = 0, writes = 0;  // requests that the device completed, of whatever program
};
// The disk that holds `folder`.
DeviceFigures ReadDeviceFigures(const std::string& folder);

// The peak of resident memory since it was reset, bytes. (Resetting needs no rights.)
void ResetPeakMemory();
uint64_t PeakMemory();

// Bytes that the files below `folder` occupy (holes do not count).
uint64_t SpaceOf(const std::string& folder);

// Drops the pages of all files below `folder` from the page cache, after writing out what is dirty.
void DropFromPageCache(const std::string& folder);

}  // namespace firn::bench

#endif  // FIRN_BENCH_PROCESS_FIGURES_H_
