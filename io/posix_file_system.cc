#include "io/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "io/posix_directory_lock.h"

namespace firn {
namespace {

absl::StatusOr<FileDescriptor> OpenDescriptor(const std::string& path, int flags,
                                              absl::string_view what) {
  int descriptor = -1;
  do {
    descriptor = open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return ErrnoStatus(errno, absl::StrCat(what, " ", path));
  return FileDescriptor(descriptor);
}

// Asked for after the open: open(O_CREAT | O_DIRECT) fails with EINVAL where direct I/O is unknown,
// but leaves the new file behind.
absl::StatusOr<FileAccess> MakeDirect(const FileDescriptor& file, const std::string& path) {
  const int flags = fcntl(file.get(), F_GETFL);
  if (flags >= 0 && fcntl(file.get(), F_SETFL, flags | O_DIRECT) == 0) return FileAccess::kDirect;
  if (errno == EINVAL) return FileAccess::kBuffered;
  return ErrnoStatus(errno, absl::StrCat("ask for direct I/O on ", path));
}

// What direct reads of the file ask for; 0 if it has none. Kernels before 6.1 do not tell: every disk in
// use takes kDirectAlignment.
uint32_t DirectReadAlignment(const FileDescriptor& file) {
#ifdef STATX_DIOALIGN
  struct statx info = {};
  if (statx(file.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) == 0 &&
      (info.stx_mask & STATX_DIOALIGN) != 0) {
    const bool fits = std::has_single_bit(info.stx_dio_offset_align) &&
                      info.stx_dio_offset_align <= kDirectAlignment &&
                      info.stx_dio_mem_align <= kDirectAlignment;
    return fits ? info.stx_dio_offset_align : 0;
  }
#endif
  return kDirectAlignment;
}

}  // namespace

absl::StatusOr<PosixFileSystem::OpenedFile> PosixFileSystem::Open(absl::string_view path,
                                                                  OpenMode mode,
                                                                  FileAccess access) {
  OpenedFile opened;
  opened.path = std::string(path);
  const int flags = mode == OpenMode::kRead     ? O_RDONLY
                    : mode == OpenMode::kCreate ? O_WRONLY | O_CREAT | O_EXCL
                                                : O_WRONLY;
  FIRN_ASSIGN_OR_RETURN(opened.file, OpenDescriptor(opened.path, flags,
                                                    mode == OpenMode::kCreate ? "create" : "open"));
  struct stat info = {};
  if (fstat(opened.file.get(), &info) != 0) {
    return ErrnoStatus(errno, absl::StrCat("stat ", opened.path));
  }
  if (!S_ISREG(info.st_mode)) return InvalidArgument(absl::StrCat(path, " is not a regular file"));
  opened.size = static_cast<uint64_t>(info.st_size);
  if (access == FileAccess::kDirect) {
    opened.access.asked = FileAccess::kDirect;
    FIRN_ASSIGN_OR_RETURN(opened.access.granted, MakeDirect(opened.file, opened.path));
  }
  return opened;
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> PosixFileSystem::OpenForRead(
    absl::string_view path) {
  FIRN_ASSIGN_OR_RETURN(OpenedFile opened, Open(path, OpenMode::kRead, FileAccess::kBuffered));
  return std::make_unique<PosixRandomAccessFile>(std::move(opened.file), std::move(opened.path),
                                                 opened.size);
}

absl::StatusOr<PosixFileSystem::OpenedDirect> PosixFileSystem::OpenDirect(absl::string_view path) {
  OpenedDirect direct;
  FIRN_ASSIGN_OR_RETURN(direct.opened, Open(path, OpenMode::kRead, FileAccess::kDirect));
  if (direct.opened.access.granted == FileAccess::kDirect) {
    direct.alignment = DirectReadAlignment(direct.opened.file);
    if (direct.alignment == 0) {
      FIRN_ASSIGN_OR_RETURN(direct.opened, Open(path, OpenMode::kRead, FileAccess::kBuffered));
    }
  }
  return direct;
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> PosixFileSystem::OpenForDirectRead(
    absl::string_view path) {
  FIRN_ASSIGN_OR_RETURN(OpenedDirect direct, OpenDirect(path));
  return std::make_unique<PosixRandomAccessFile>(std::move(direct.opened.file),
                                                 std::move(direct.opened.path), direct.opened.size,
                                                 direct.alignment);
}

absl::StatusOr<std::unique_ptr<WritableFile>> PosixFileSystem::Create(absl::string_view path,
                                                                      FileAccess access) {
  FIRN_ASSIGN_OR_RETURN(OpenedFile opened, Open(path, OpenMode::kCreate, access));
  return std::make_unique<PosixWritableFile>(std::move(opened.file), std::move(opened.path),
                                             opened.size, opened.access);
}

absl::StatusOr<std::unique_ptr<WritableFile>> PosixFileSystem::OpenForWrite(absl::string_view path,
                                                                            FileAccess access) {
  FIRN_ASSIGN_OR_RETURN(OpenedFile opened, Open(path, OpenMode::kWrite, access));
  return std::make_unique<PosixWritableFile>(std::move(opened.file), std::move(opened.path),
                                             opened.size, opened.access);
}

absl::StatusOr<FileInfo> PosixFileSystem::Stat(absl::string_view path) {
  struct stat info = {};
  if (stat(std::string(path).c_str(), &info) != 0) {
    return ErrnoStatus(errno, absl::StrCat("stat ", path));
  }
  return FileInfo{.size = static_cast<uint64_t>(info.st_size),
                  .is_directory = S_ISDIR(info.st_mode)};
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::List(absl::string_view directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(std::string(directory).c_str()),
                                                   closedir);
  if (stream == nullptr) return ErrnoStatus(errno, absl::StrCat("list ", directory));
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = readdir(stream.get());
    if (entry == nullptr) break;
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return ErrnoStatus(errno, absl::StrCat("list ", directory));
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status PosixFileSystem::CreateDirectory(absl::string_view path) {
  if (mkdir(std::string(path).c_str(), 0700) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("create folder ", path));
}

absl::Status PosixFileSystem::RemoveFile(absl::string_view path) {
  if (unlink(std::string(path).c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("remove ", path));
}

absl::Status PosixFileSystem::RemoveDirectory(absl::string_view path) {
  if (rmdir(std::string(path).c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("remove folder ", path));
}

absl::Status PosixFileSystem::Rename(absl::string_view from, absl::string_view to) {
  if (rename(std::string(from).c_str(), std::string(to).c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("rename ", from, " to ", to));
}

absl::Status PosixFileSystem::Link(absl::string_view existing, absl::string_view name) {
  if (link(std::string(existing).c_str(), std::string(name).c_str()) == 0) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, absl::StrCat("link ", name, " to ", existing));
}

absl::Status PosixFileSystem::SyncDirectory(absl::string_view directory) {
  const std::string path(directory);
  FIRN_ASSIGN_OR_RETURN(FileDescriptor file,
                        OpenDescriptor(path, O_RDONLY | O_DIRECTORY, "open folder"));
  if (fsync(file.get()) != 0) return ErrnoStatus(errno, absl::StrCat("sync folder ", path));
  const int error_number = file.Close();
  if (error_number != 0) return ErrnoStatus(error_number, absl::StrCat("close folder ", path));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> PosixFileSystem::Lock(absl::string_view path) {
  const std::string name(path);
  FIRN_ASSIGN_OR_RETURN(FileDescriptor file, OpenDescriptor(name, O_RDWR | O_CREAT, "open"));
  return PosixDirectoryLock::Take(std::move(file), name);
}

absl::StatusOr<uint64_t> PosixFileSystem::FreeSpace(absl::string_view path) {
  struct statvfs info = {};
  if (statvfs(std::string(path).c_str(), &info) != 0) {
    return ErrnoStatus(errno, absl::StrCat("free space of ", path));
  }
  return static_cast<uint64_t>(info.f_bavail) * static_cast<uint64_t>(info.f_frsize);
}

}  // namespace firn
