// bench/memory_cgroup.h: a control group that limits the memory, page cache included, of the processes
// that join it. Needs root and a writable cgroup file system, version 1 or 2.
#ifndef FIRN_BENCH_MEMORY_CGROUP_H_
#define FIRN_BENCH_MEMORY_CGROUP_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace firn::bench {

class MemoryCgroup {
 public:
  // An error says what is missing. `root` is where the cgroup file systems are mounted.
  static absl::StatusOr<std::unique_ptr<MemoryCgroup>> Create(uint64_t limit,
                                                              const std::string& root);
  // Its processes must have ended.
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;

  // Puts the calling process into the group.
  absl::Status Join() const;
  const std::string& path() const { return path_; }

 private:
  explicit MemoryCgroup(std::string path);

  const std::string path_;
};

}  // namespace firn::bench

#endif  // FIRN_BENCH_MEMORY_CGROUP_H_
