// io/fault_injecting_file_system.h: another file system with faults on order: errors, short
// transfers, flipped bits, delays, a full disk.
//
// Rules say which operations are hit, by kind, path and count, and how. Each operation goes through
// the rules in the order in which they were added; the first that hits decides. WriteAndSync() is a
// kWrite followed by a kSync; each request of a ReadMany() is a kRead of its own. This file system
// forgives: after an error the next call may succeed, so that callers that go on are found out.
#ifndef FIRN_IO_FAULT_INJECTING_FILE_SYSTEM_H_
#define FIRN_IO_FAULT_INJECTING_FILE_SYSTEM_H_

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/file_system.h"

namespace firn {

enum class FileOperation : uint8_t {
  kOpenForRead,
  kRead,
  kCreate,
  kOpenForWrite,
  kWrite,
  kSync,
  kTruncate,
  kAllocate,
  kClose,
  kStat,
  kList,
  kCreateDirectory,
  kRemoveFile,
  kRemoveDirectory,
  kRename,  // its path is the old name
  kLink,    // its path is the new name
  kSyncDirectory,
  kLock,
  kFreeSpace,
};
inline constexpr size_t kFileOperations = static_cast<size_t>(FileOperation::kFreeSpace) + 1;

enum class FaultEffect : uint8_t {
  kFail,     // nothing is done, and the error returned
  kShorten,  // half of a read or write is done, then the error returned; else as kFail
  kCorrupt,  // one bit of the bytes read or written is flipped, and OK returned; else no effect
  kDelay,    // done, after `delay`
  kLoseUnsynced,  // of a kSync: as Linux after a failed write-back, the file goes back to what its
                  // last successful sync left, for good, and the error is returned; else as kFail
};

struct FaultRule {
  static constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();

  std::optional<FileOperation> operation = {};  // none: every kind
  std::string path_part = {};                   // hit are paths that contain this; empty: all
  uint64_t skip = 0;   // matching operations that pass before the first hit
  uint64_t count = 1;  // hits; kForever: from then on always
  FaultEffect effect = FaultEffect::kFail;
  int error_number =
      EIO;  // mapped as a system call's would be: ENOSPC is ResourceExhausted/kDiskFull
  std::chrono::microseconds delay{0};
};

class FaultPlan;

// Thread-safe. Borrows the file system that it wraps (and the clock that delays sleep by), which
// outlive it. Open files may outlive it, but not those two.
class FaultInjectingFileSystem final : public FileSystem {
 public:
  explicit FaultInjectingFileSystem(FileSystem& base);
  FaultInjectingFileSystem(FileSystem& base, Clock& clock);
  ~FaultInjectingFileSystem() override;

  // Returns the number of the rule, from 0.
  size_t AddRule(FaultRule rule);
  // Takes all rules away. Their counts of hits are forgotten.
  void ClearRules();
  // Operations that rule `number` has hit.
  uint64_t hits(size_t number) const;
  // Operations of this kind so far, faulty ones included; and of all kinds.
  uint64_t count(FileOperation operation) const;
  uint64_t operations() const;

  // From now on `bytes` more fit; growing a file beyond that writes what fits and then fails as
  // ENOSPC. Overwriting needs no room; removing the last name and handle of a file, or cutting it,
  // gives its bytes back. FreeSpace() tells what is left.
  void SetSpace(uint64_t bytes);
  void ClearSpace();

  // Has to be on before the first write that kLoseUnsynced is to take back: from then on the bytes
  // that writes replace are kept until the file is synced.
  void KeepOldBytes();

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
  // Of the file system that is wrapped.
  absl::string_view name() const override { return base_.name(); }

 private:
  class ReadHandle;
  class WriteHandle;

  // A file that nobody opened here has no account of its bytes yet; where space is limited it gets
  // one before its name changes, so that its bytes come back as well.
  void OpenAccount(absl::string_view path);

  FileSystem& base_;
  const std::shared_ptr<FaultPlan> plan_;
};

}  // namespace firn

#endif  // FIRN_IO_FAULT_INJECTING_FILE_SYSTEM_H_
