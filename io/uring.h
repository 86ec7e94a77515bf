// io/uring.h: one io_uring, used by one thread at a time to run a batch and wait for it.
//
// The queue is bounded: at most entries() operations are in flight, the rest of a batch follows as
// completions come in; all that is ready goes to the kernel in one call, and all that has completed is
// taken in one go. When a call returns nothing of it is in flight, so the caller's memory is its own
// again. Short transfers are resubmitted, EINTR and EAGAIN repeated.
//
// Flags: IORING_SETUP_COOP_TASKRUN where known (no interrupt of the thread that waits anyway). No
// SINGLE_ISSUER or DEFER_TASKRUN, since rings move between threads; no SQPOLL or IOPOLL, no DRAIN
// (docs/decisions/0010). No registered buffers or files: the callers' memory and files change with
// every call, and on the kernel measured (6.18, virtio disk) they gave 79 -> 76 us for a durable
// 16 KiB write and 94 -> 95 for 64 KiB.
#ifndef FIRN_IO_URING_H_
#define FIRN_IO_URING_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "io/file_system.h"

namespace firn {

// One read in flight. The kernel holds its address as user_data: it lives in a fixed pool, unmoved.
struct ReadOperation {
  int descriptor = -1;
  absl::string_view path;
  ReadRequest* request = nullptr;
  size_t done = 0;  // bytes already in the target
};

// Takes in the result of one read. False: submit the rest (reads may be short). True: finished, and
// request->status says how.
bool FinishRead(ReadOperation& operation, int result);

// One thread at a time.
class Uring {
 public:
  // Unavailable or Unimplemented with the reason in words if the kernel refuses a ring, or one of the
  // operations that are needed.
  static absl::StatusOr<std::unique_ptr<Uring>> Create(unsigned entries);
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // Reads a file in memory through the ring: that the kernel grants a ring does not
  // mean that it lets it work.
  absl::Status Probe();

  // One read of a batch, and the file that it is of.
  struct FileRequest {
    int descriptor = -1;
    absl::string_view path;
    ReadRequest* request = nullptr;
  };
  // OK: each request has its own status. An error: the ring broke, what the requests hold is unknown,
  // and the caller reads them by other means.
  absl::Status ReadMany(absl::Span<const FileRequest> requests);

  unsigned entries() const { return entries_; }
  // The kernel refused a submission for good: the ring is to be thrown away.
  bool is_broken() const { return is_broken_; }

 private:
  explicit Uring(unsigned entries) : entries_(entries) {}

  absl::Status CheckOperations();
  // Hands what is prepared to the kernel and waits for `completions`. Returns how many entries the
  // kernel took. An error: the ring is broken, and nothing is in flight any more.
  absl::StatusOr<unsigned> SubmitAndWait(unsigned completions);
  void Abandon();
  void PrepareRead(ReadOperation& operation);
  io_uring_sqe* NextEntry();

  io_uring ring_ = {};
  bool is_initialised_ = false;
  bool is_broken_ = false;
  const unsigned entries_;
  unsigned in_flight_ = 0;                 // prepared or taken by the kernel, and not yet completed
  std::vector<ReadOperation> operations_;  // entries_ of them, fixed
  std::vector<ReadOperation*> free_operations_;
};

}  // namespace firn

#endif  // FIRN_IO_URING_H_
