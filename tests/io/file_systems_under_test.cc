#include "tests/io/file_systems_under_test.h"

#include "base/check.h"
#include "io/memory_file_system.h"
#include "io/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

class DiskRig final : public FileSystemRig {
 public:
  explicit DiskRig(std::unique_ptr<FileSystem> file_system)
      : file_system_(std::move(file_system)) {}
  FileSystem& file_system() override { return *file_system_; }
  const std::string& root() const override { return directory_.path(); }

 private:
  const TemporaryDirectory directory_;
  const std::unique_ptr<FileSystem> file_system_;
};

class MemoryRig final : public FileSystemRig {
 public:
  explicit MemoryRig(MemoryFileSystemOptions options) : file_system_(options) {
    FIRN_CHECK(file_system_.CreateDirectory(root_).ok());
  }
  FileSystem& file_system() override { return file_system_; }
  const std::string& root() const override { return root_; }

 private:
  MemoryFileSystem file_system_;
  const std::string root_ = "/store";
};

}  // namespace

std::vector<FileSystemUnderTest> FileSystemsUnderTest() {
  return {
      {"Posix", [] { return std::make_unique<DiskRig>(std::make_unique<PosixFileSystem>()); }},
      {"Memory", [] { return std::make_unique<MemoryRig>(MemoryFileSystemOptions{}); }},
      {"MemoryBackend",
       [] { return std::make_unique<MemoryRig>(MemoryFileSystemOptions{.track_unsynced = false}); }},
  };
}

}  // namespace firn
