// io/posix_file_system.h: real disks over plain system calls; the twin of UringFileSystem for where
// the kernel refuses io_uring, and its base for everything that is not a read, write or sync.
#ifndef FIRN_IO_POSIX_FILE_SYSTEM_H_
#define FIRN_IO_POSIX_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "io/posix_file.h"

namespace firn {

// Thread-safe; keeps no state.
class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForDirectRead(
      absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      absl::string_view path, FileAccess access = FileAccess::kBuffered) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, FileAccess access = FileAccess::kBuffered) override;
  absl::StatusOr<FileInfo> Stat(absl::string_view path) override;
  absl::StatusOr<std::vector<std::string>> List(absl::string_view directory) override;
  absl::Status CreateDirectory(absl::string_view path) override;
  absl::Status RemoveFile(absl::string_view path) override;
  absl::Status RemoveDirectory(absl::string_view path) override;
  absl::Status Rename(absl::string_view from, absl::string_view to) override;
  absl::Status Link(absl::string_view existing, absl::string_view name) override;
  absl::Status SyncDirectory(absl::string_view directory) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(absl::string_view path) override;
  absl::StatusOr<uint64_t> FreeSpace(absl::string_view path) override;
  absl::string_view name() const override { return "posix"; }

 protected:
  // What a file object of either file system is made from.
  struct OpenedFile {
    FileDescriptor file;
    std::string path;
    uint64_t size = 0;
    PosixWritableFile::Access access;
  };
  enum class OpenMode : uint8_t { kRead, kCreate, kWrite };
  static absl::StatusOr<OpenedFile> Open(absl::string_view path, OpenMode mode, FileAccess access);
  struct OpenedDirect {
    OpenedFile opened;
    uint32_t alignment = 0;  // of offsets and sizes; 0: no direct I/O here, the file is buffered
  };
  static absl::StatusOr<OpenedDirect> OpenDirect(absl::string_view path);
};

}  // namespace firn

#endif  // FIRN_IO_POSIX_FILE_SYSTEM_H_
