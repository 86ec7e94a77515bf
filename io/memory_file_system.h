// io/memory_file_system.h: files in memory, twice of use: as a backend without a disk, and as the
// simulator in which a crash can strike any operation.
//
// A crash test runs a workload, lets operation number n be the last one, loses what was not synced
// and reopens:
//
//   for (uint64_t crash_at = 0;; ++crash_at) {
//     MemoryFileSystem file_system({.seed = seed, .crash_at_operation = crash_at});
//     const Acknowledged acknowledged = RunWorkload(file_system);
//     const bool was_hit = file_system.crashed();
//     file_system.LoseUnsyncedData();
//     ExpectHolds(acknowledged, file_system);
//     if (!was_hit) break;
//   }
//
// Operations are all calls of FileSystem and of open files but Close() and accessors, a ReadMany()
// being one; they are numbered from 0 in the order in which they begin. The one that crashes may have
// been done, not at all, or in part (a prefix of a write; the write of a WriteAndSync without its
// sync), as the seed will; it and all later ones fail with Unavailable "crashed: ...". With one
// thread, everything that follows depends on options and calls alone.
//
// Files, locks and directory handles opened before LoseUnsyncedData() belong to a process that died:
// they go on failing with Unavailable, and may be destroyed at any time, also after the file system.
#ifndef FIRN_IO_MEMORY_FILE_SYSTEM_H_
#define FIRN_IO_MEMORY_FILE_SYSTEM_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace firn {

struct MemoryFileSystemOptions {
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  uint64_t seed = 0;
  uint64_t crash_at_operation = kNever;  // number of the operation that crashes
  // False: reads, Stat and List do not count, since a crash before one equals a crash before the
  // next change. They still fail after a crash. Makes exhaustive tests several times shorter.
  bool count_reads = true;
  // False: everything is durable at once and no old byte is kept, for use as a backend.
  bool track_unsynced = true;
};

// Thread-safe. Changes are made one at a time; reads of different files do not meet.
class MemoryFileSystem final : public FileSystem {
 public:
  using Options = MemoryFileSystemOptions;

  MemoryFileSystem();
  explicit MemoryFileSystem(Options options);
  ~MemoryFileSystem() override;

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(absl::string_view path) override;
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
  absl::StatusOr<uint64_t> FreeSpace(absl::string_view path) override;  // 1 TiB, always
  absl::string_view name() const override { return "memory"; }

  // True from the operation that crashed until LoseUnsyncedData().
  bool crashed() const;
  // Operations begun so far, the one that crashed included; later ones are not counted.
  uint64_t operations() const;

  // Lets the n-th operation from now crash; 0 is the next one. Not while crashed.
  void CrashAtOperation(uint64_t n);
  // Crashes now, between two operations.
  void Crash();
  // The machine comes up again after a crash (or a power cut now, if none happened). What was not
  // synced is kept, dropped or torn by the seed and the number of earlier losses; locks are free; no
  // crash is planned.
  void LoseUnsyncedData();
  // From now on choices are drawn from `seed`: several futures of one fork.
  void Reseed(uint64_t seed);
  // The same files, names and unsynced changes, apart from now on: what a second machine with a copy
  // of this one's disk and page cache would have. Open handles stay with this one, and no lock is
  // held in the copy. Content is shared until written: O(files + pages).
  std::unique_ptr<MemoryFileSystem> Fork();

 private:
  class Core;
  class ReadHandle;
  class WriteHandle;
  class LockHandle;

  explicit MemoryFileSystem(std::shared_ptr<Core> core);

  const std::shared_ptr<Core> core_;
};

}  // namespace firn

#endif  // FIRN_IO_MEMORY_FILE_SYSTEM_H_
