// io/posix_directory_lock.h: the lock on a store's LOCK file, and the holder's pid in it as text.
//
// It is an open-file-description lock (F_OFD_SETLK): unlike classic fcntl locks it also refuses a
// second open by the same process, and is not lost when some other descriptor of the file closes.
// The kernel drops it with the last descriptor, so a killed process leaves no lock behind; the text
// it leaves is only believed while someone holds the lock.
#ifndef FIRN_IO_POSIX_DIRECTORY_LOCK_H_
#define FIRN_IO_POSIX_DIRECTORY_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/file_system.h"
#include "io/posix_file.h"

namespace firn {

class PosixDirectoryLock final : public DirectoryLock {
 public:
  // `file` is open for reading and writing at `path`. FailedPrecondition/kLocked if it is held.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(FileDescriptor file,
                                                             const std::string& path);
  ~PosixDirectoryLock() override;

 private:
  explicit PosixDirectoryLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace firn

#endif  // FIRN_IO_POSIX_DIRECTORY_LOCK_H_
