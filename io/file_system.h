// io/file_system.h: everything firn asks of an operating system, and what each answer promises.
//
// The interface blocks, in batches: ReadMany() and WriteAndSync() carry what io_uring can give an
// LSM engine (parallel reads, a write linked to its sync) without colouring every signature above.
// Implementations: UringFileSystem, PosixFileSystem (its twin where io_uring may not run),
// MemoryFileSystem (crash simulator and in-memory backend), FaultInjectingFileSystem (wraps one).
//
// What is durable:
//   * file content: what a successful Sync()/WriteAndSync() of that file covered;
//   * a new, renamed or removed name: after SyncDirectory() of its folder.
// Everything else may be lost, kept or torn (per 512-byte sector) by a crash, in any combination.
// After a failed write or sync the file's state is unknown: the caller gives the file up (the files
// of real disks return that error from every later write, sync and close).
//
// Paths are passed as given to the operating system. Errors name the path and, where there is one,
// the offset. Unless said otherwise every object here is thread-safe.
#ifndef FIRN_IO_FILE_SYSTEM_H_
#define FIRN_IO_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"

namespace firn {

// One read of a batch. `target` is filled completely, or `status` says why not: OutOfRange if the
// file ends first, an I/O error otherwise.
struct ReadRequest {
  uint64_t offset = 0;
  absl::Span<uint8_t> target;
  absl::Status status;
};

// One read of a batch over several files of one file system.
class RandomAccessFile;
struct FileRead {
  RandomAccessFile* file = nullptr;
  ReadRequest request;
};

// A file opened for reading. Its content must not change while it is open, except by appends.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Fills `target` from `offset`. OutOfRange if the file ends before that.
  virtual absl::Status Read(uint64_t offset, absl::Span<uint8_t> target) = 0;
  // All requests in one submission; each gets its own status. Returns the first error in it, or OK.
  virtual absl::Status ReadMany(absl::Span<ReadRequest> requests) = 0;
  // As ReadMany(), but each of its own file, which the file system opened that opened this one: in one
  // submission where it can do that, otherwise file by file. This file need not be among them.
  virtual absl::Status ReadTogether(absl::Span<FileRead> reads);
  // Bytes in the file when it was opened.
  virtual uint64_t size() const = 0;
  virtual const std::string& path() const = 0;
};

enum class FileAccess : uint8_t {
  kBuffered = 1,  // through the page cache
  kDirect = 2,    // past it where the file system can: offsets, sizes and memory aligned to 4096
};

// A file opened for writing. One thread at a time, except that Write() and WriteAndSync() at
// disjoint ranges may run concurrently (the log has several flushes in flight).
class WritableFile {
 public:
  virtual ~WritableFile() = default;  // releases; what must be durable was synced before
  // Writes `pieces` one after the other at `offset`; extends the file if needed. Not durable.
  virtual absl::Status Write(uint64_t offset, absl::Span<const ByteSpan> pieces) = 0;
  // As Write(), then makes these bytes (and all earlier completed writes of this file) durable.
  virtual absl::Status WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) = 0;
  // Makes all completed writes of this file durable, its size included (fdatasync).
  virtual absl::Status Sync() = 0;
  // A hint: these bytes, written through the page cache, will not change soon; the system may begin to
  // take them to the disk, so that a later Sync() waits less. Promises nothing, waits for nothing.
  virtual void StartWriteBack(uint64_t offset, uint64_t size) {
    static_cast<void>(offset);
    static_cast<void>(size);
  }
  // Cuts or extends (with zeroes) to `size` bytes. Durable after Sync().
  virtual absl::Status Truncate(uint64_t size) = 0;
  // As Truncate() to a larger `size` than the file has, but with the disk's blocks taken: a Write()
  // within them does not meet a full disk. Cheaper than writing zeroes where the file system can do it
  // by bookkeeping (then the first write and sync of each block cost more); else it writes them.
  virtual absl::Status Allocate(uint64_t size) = 0;
  // Reports what closing reports. No call may follow.
  virtual absl::Status Close() = 0;
  // One past the last byte written or found at open.
  virtual uint64_t size() const = 0;
  virtual const std::string& path() const = 0;
  // What was granted: kBuffered although kDirect was asked where the file system knows no direct
  // I/O. The alignment that kDirect asks for is checked (InvalidArgument) in both cases.
  virtual FileAccess access() const { return FileAccess::kBuffered; }

  // Write() at the end of the file.
  absl::Status Append(ByteSpan bytes) { return Write(size(), {bytes}); }
};

// Exclusive ownership of a folder by one process; released by the destructor or the process's end.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

// The alignment that FileAccess::kDirect asks for: enough for every disk in use.
inline constexpr size_t kDirectAlignment = 4096;

struct FileInfo {
  uint64_t size = 0;
  bool is_directory = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // NotFound if absent.
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(absl::string_view path) = 0;
  // The same file, read past the page cache where the file system can do that: the disk is asked for
  // the sectors around each read, and nothing is kept. Offsets, sizes and memory may be any.
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForDirectRead(
      absl::string_view path) {
    return OpenForRead(path);
  }
  // Creates an empty file, mode 0600. AlreadyExists if the name is taken.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      absl::string_view path, FileAccess access = FileAccess::kBuffered) = 0;
  // Opens an existing file for writing; its content stays. NotFound if absent.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, FileAccess access = FileAccess::kBuffered) = 0;

  virtual absl::StatusOr<FileInfo> Stat(absl::string_view path) = 0;  // NotFound if absent
  // Names (not paths) in a folder, sorted; without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(absl::string_view directory) = 0;
  // Mode 0700. AlreadyExists if the name is taken.
  virtual absl::Status CreateDirectory(absl::string_view path) = 0;
  virtual absl::Status RemoveFile(absl::string_view path) = 0;
  virtual absl::Status RemoveDirectory(absl::string_view path) = 0;  // an empty one
  // Replaces `to` if it exists, atomically.
  virtual absl::Status Rename(absl::string_view from, absl::string_view to) = 0;
  // A second name for the same immutable content. Unavailable across devices.
  virtual absl::Status Link(absl::string_view existing, absl::string_view name) = 0;
  // Makes creations, renames and removals in `directory` durable.
  virtual absl::Status SyncDirectory(absl::string_view directory) = 0;
  // Opens or creates the file `path` and locks it. FailedPrecondition/kLocked if it is held, by this
  // process or another, naming the holder's pid where it is known.
  virtual absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(absl::string_view path) = 0;
  // Bytes that may still be written to the file system that holds `path`.
  virtual absl::StatusOr<uint64_t> FreeSpace(absl::string_view path) = 0;

  // "io_uring", "posix", "memory": for logs and statistics. Says nothing about faults wrapped round.
  virtual absl::string_view name() const = 0;
};

// Reads a whole file of at most `size_max` bytes; ResourceExhausted if it is larger.
absl::StatusOr<std::string> ReadWholeFile(FileSystem& file_system, absl::string_view path,
                                          uint64_t size_max);

// Durable replacement: writes `path`.tmp, syncs, renames over `path`, syncs the folder.
absl::Status WriteFileAtomically(FileSystem& file_system, absl::string_view path,
                                 absl::string_view content);

// "dir" + "name" -> "dir/name".
std::string JoinPath(absl::string_view directory, absl::string_view name);
// "a/b/c" -> "a/b"; "c" -> ".".
std::string DirectoryOf(absl::string_view path);

// The file system for real disks: io_uring, or its pread/pwrite twin when the kernel refuses
// io_uring or the environment says FIRN_IO=posix (FIRN_IO=uring: an error instead of the twin).
// `*reason` (if not null) says in one sentence why the twin was chosen; empty if it was not.
absl::StatusOr<std::unique_ptr<FileSystem>> NewDiskFileSystem(std::string* reason);

}  // namespace firn

#endif  // FIRN_IO_FILE_SYSTEM_H_
