#include "bench/memory_cgroup.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn::bench {
namespace {

namespace fs = std::filesystem;

absl::Status WriteTo(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

bool HasWord(const std::string& path, absl::string_view word) {
  std::ifstream file(path);
  for (std::string found; file >> found;) {
    if (found == word) return true;
  }
  return false;
}

// Where the memory controller is, and the name of its file for the limit.
struct Controller {
  std::string folder;
  const char* limit_file;
};

absl::StatusOr<Controller> FindController(const std::string& root) {
  if (fs::exists(root + "/memory/memory.limit_in_bytes")) {
    return Controller{root + "/memory", "memory.limit_in_bytes"};
  }
  if (!HasWord(root + "/cgroup.controllers", "memory")) {
    return absl::FailedPreconditionError(absl::StrCat("no memory controller under ", root));
  }
  // The children of the root have it only if it is switched on for them.
  if (!HasWord(root + "/cgroup.subtree_control", "memory")) {
    FIRN_RETURN_IF_ERROR(WriteTo(root + "/cgroup.subtree_control", "+memory"));
  }
  return Controller{root, "memory.max"};
}

}  // namespace

MemoryCgroup::MemoryCgroup(std::string path) : path_(std::move(path)) {}

MemoryCgroup::~MemoryCgroup() {
  rmdir(path_.c_str());  // one that stays behind is empty, and limits nobody
}

absl::StatusOr<std::unique_ptr<MemoryCgroup>> MemoryCgroup::Create(uint64_t limit,
                                                                   const std::string& root) {
  FIRN_ASSIGN_OR_RETURN(const Controller controller, FindController(root));
  const std::string path = absl::StrCat(controller.folder, "/firn-bench.", getpid());
  std::error_code error;
  fs::create_directory(path, error);
  if (error) return ErrnoStatus(error.value(), absl::StrCat("make control group ", path));
  auto group = absl::WrapUnique(new MemoryCgroup(path));
  FIRN_RETURN_IF_ERROR(WriteTo(absl::StrCat(path, "/", controller.limit_file), absl::StrCat(limit)));
  return group;
}

absl::Status MemoryCgroup::Join() const {
  return WriteTo(path_ + "/cgroup.procs", absl::StrCat(getpid()));
}

}  // namespace firn::bench
