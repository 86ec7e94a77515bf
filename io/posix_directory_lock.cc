#include "io/posix_directory_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

absl::Status HeldByAnother(int descriptor, const std::string& path) {
  std::array<char, 32> text;
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  int64_t pid = 0;
  std::string holder = "another process, or this one";
  if (size > 0 &&
      absl::SimpleAtoi(absl::string_view(text.data(), static_cast<size_t>(size)), &pid)) {
    holder =
        pid == getpid() ? absl::StrCat("this process (", pid, ")") : absl::StrCat("process ", pid);
  }
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kLocked,
                   absl::StrCat(path, ": locked by ", holder));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> PosixDirectoryLock::Take(FileDescriptor file,
                                                                        const std::string& path) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return HeldByAnother(file.get(), path);
    return ErrnoStatus(errno, absl::StrCat("lock ", path));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(file.get(), 0) != 0) return ErrnoStatus(errno, absl::StrCat("truncate ", path));
  FIRN_RETURN_IF_ERROR(WriteFully(file.get(), path, 0, {AsBytes(pid)}));
  return absl::WrapUnique<DirectoryLock>(new PosixDirectoryLock(std::move(file)));
}

PosixDirectoryLock::~PosixDirectoryLock() {
  // So that nobody is named who no longer holds it. If it fails, the text is merely stale.
  [[maybe_unused]] const int result = ftruncate(file_.get(), 0);
}

}  // namespace firn
