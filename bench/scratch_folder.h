// bench/scratch_folder.h: a folder for files that a benchmark writes, removed at the end. It is made in
// $FIRN_BENCH_DIR, or in the present folder: /tmp may be memory, and then a sync costs nothing.
#ifndef FIRN_BENCH_SCRATCH_FOLDER_H_
#define FIRN_BENCH_SCRATCH_FOLDER_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace firn {

class ScratchFolder {
 public:
  ScratchFolder() {
    const char* root = std::getenv("FIRN_BENCH_DIR");
    path_ = std::string(root == nullptr ? "." : root) + "/firn-bench." + std::to_string(getpid());
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace firn

#endif  // FIRN_BENCH_SCRATCH_FOLDER_H_
