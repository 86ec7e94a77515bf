// io/uring_file_system.h: real disks over io_uring: batches of reads in one submission, and a write
// with its sync behind it in another. What is neither goes the way of PosixFileSystem.
//
// A call borrows a ring from a small pool for its duration; nobody waits for one: when all are lent,
// or the kernel has no memory for another, the call does the same with plain system calls, and is
// counted. So a log with two flushes in flight has two rings, a background worker one, and none
// belongs to a client's thread.
#ifndef FIRN_IO_URING_FILE_SYSTEM_H_
#define FIRN_IO_URING_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "io/posix_file_system.h"

namespace firn {

class UringPool;

// Thread-safe. Files may outlive it.
class UringFileSystem final : public PosixFileSystem {
 public:
  // Calls served since the start.
  struct Counters {
    uint64_t ring_calls = 0;
    uint64_t plain_calls = 0;  // batches and synced writes for which there was no ring
  };

  // Makes one ring and tries it. The error says in words why io_uring cannot be used.
  static absl::StatusOr<std::unique_ptr<UringFileSystem>> Create();
  ~UringFileSystem() override;

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForDirectRead(
      absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      absl::string_view path, FileAccess access = FileAccess::kBuffered) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, FileAccess access = FileAccess::kBuffered) override;
  absl::string_view name() const override { return "io_uring"; }

  Counters counters() const;

 private:
  explicit UringFileSystem(std::shared_ptr<UringPool> pool);

  const std::shared_ptr<UringPool> pool_;
};

}  // namespace firn

#endif  // FIRN_IO_URING_FILE_SYSTEM_H_
