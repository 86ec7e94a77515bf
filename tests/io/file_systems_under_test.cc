#include "tests/io/file_systems_under_test.h"

#include "base/check.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "io/posix_file_system.h"
#ifdef FIRN_HAVE_URING
#include "io/uring_file_system.h"
#endif
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

// Another rig behind a fault injector with nothing to inject.
class FaultlessRig final : public FileSystemRig {
 public:
  explicit FaultlessRig(std::unique_ptr<FileSystemRig> base)
      : base_(std::move(base)), file_system_(base_->file_system()) {
    file_system_.KeepOldBytes();
    file_system_.SetSpace(uint64_t{1} << 30);
  }
  FileSystem& file_system() override { return file_system_; }
  const std::string& root() const override { return base_->root(); }

 private:
  const std::unique_ptr<FileSystemRig> base_;
  FaultInjectingFileSystem file_system_;
};

std::unique_ptr<FileSystemRig> PosixRig() {
  return std::make_unique<DiskRig>(std::make_unique<PosixFileSystem>());
}

}  // namespace

std::vector<FileSystemUnderTest> FileSystemsUnderTest() {
  std::vector<FileSystemUnderTest> all = {
      {"Posix", PosixRig},
      {"Memory", [] { return std::make_unique<MemoryRig>(MemoryFileSystemOptions{}); }},
      {"MemoryBackend",
       [] {
         return std::make_unique<MemoryRig>(MemoryFileSystemOptions{.track_unsynced = false});
       }},
      {"FaultyMemory",
       [] {
         return std::make_unique<FaultlessRig>(
             std::make_unique<MemoryRig>(MemoryFileSystemOptions{}));
       }},
      {"FaultyPosix", [] { return std::make_unique<FaultlessRig>(PosixRig()); }},
  };
#ifdef FIRN_HAVE_URING
  // Where the kernel refuses io_uring there is nothing to test; tests/io/uring_test.cc says so.
  if (UringFileSystem::Create().ok()) {
    all.push_back({"Uring", [] { return std::make_unique<DiskRig>(*UringFileSystem::Create()); }});
  }
#endif
  return all;
}

}  // namespace firn
