// io/uring_file_system.h: real disks over io_uring: batches of reads in one submission. Single reads,
// writes and syncs go the way of PosixFileSystem: a write and its sync were faster as two system calls
// than linked in a ring (docs/decisions/0010).
//
// A call borrows a ring from a small pool for its duration; nobody waits for one: when all are lent,
// or the kernel has no memory for another, the call does the same with plain system calls, and is
// counted. None belongs to a client's thread.
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
    uint64_t plain_calls = 0;  // batches for which there was no ring
  };

  // Makes one ring and tries it. The error says in words why io_uring cannot be used.
  static absl::StatusOr<std::unique_ptr<UringFileSystem>> Create();
  using PosixFileSystem::Create;  // of a file
  ~UringFileSystem() override;

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForDirectRead(
      absl::string_view path) override;
  absl::string_view name() const override { return "io_uring"; }

  Counters counters() const;

 private:
  explicit UringFileSystem(std::shared_ptr<UringPool> pool);

  const std::shared_ptr<UringPool> pool_;
};

}  // namespace firn

#endif  // FIRN_IO_URING_FILE_SYSTEM_H_
