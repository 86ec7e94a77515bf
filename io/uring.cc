#include "io/uring.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "io/posix_file.h"

namespace firn {
namespace {

// The length of an entry has 32 bits; a longer read is a short one that is resubmitted.
constexpr size_t kReadSizeMax = size_t{1} << 30;
// The kernel is short of memory for requests; it gets this many chances to find some.
constexpr int kBusyRetriesMax = 100'000;

// What an administrator can do about a refusal.
std::string Hint(int error_number) {
  if (error_number == EPERM || error_number == EACCES) {
    std::ifstream setting("/proc/sys/kernel/io_uring_disabled");
    int value = 0;
    if (setting >> value && value != 0) return absl::StrCat("kernel.io_uring_disabled=", value);
    return "probably a seccomp filter, as containers have";
  }
  if (error_number == ENOSYS) return "a kernel without io_uring, or a seccomp filter";
  if (error_number == ENOMEM) {
    rlimit limit = {};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
      return absl::StrCat("locked memory is limited to ", limit.rlim_cur, " bytes");
    }
    return "no memory for a ring";
  }
  return "an old kernel?";
}

absl::Status Refused(int error_number) {
  return Annotate(ErrnoStatus(error_number, "io_uring_setup"),
                  absl::StrCat("io_uring is refused (", Hint(error_number), ")"));
}

}  // namespace

bool FinishRead(ReadOperation& operation, int result) {
  const absl::string_view path = operation.path;
  if (result == -EINTR || result == -EAGAIN) return false;
  ReadRequest& request = *operation.request;
  const uint64_t at = request.offset + operation.done;
  if (result < 0) {
    request.status = ErrnoStatus(-result, absl::StrCat("read ", path, " at offset ", at));
    return true;
  }
  if (result == 0) {
    request.status = absl::OutOfRangeError(absl::StrCat(path, ": offset ", at, ": end of file"));
    return true;
  }
  operation.done += static_cast<size_t>(result);
  FIRN_CHECK(operation.done <= request.target.size());
  if (operation.done < request.target.size()) return false;
  request.status = absl::OkStatus();
  return true;
}

absl::StatusOr<std::unique_ptr<Uring>> Uring::Create(unsigned entries) {
  auto uring = absl::WrapUnique(new Uring(entries));
  io_uring_params params = {};
  params.flags = IORING_SETUP_COOP_TASKRUN;
  int result = io_uring_queue_init_params(entries, &uring->ring_, &params);
  if (result == -EINVAL) {  // before Linux 5.19
    params = {};
    result = io_uring_queue_init_params(entries, &uring->ring_, &params);
  }
  if (result < 0) return Refused(-result);
  uring->is_initialised_ = true;
  FIRN_RETURN_IF_ERROR(uring->CheckOperations());
  uring->operations_.resize(entries);
  for (ReadOperation& operation : uring->operations_) {
    uring->free_operations_.push_back(&operation);
  }
  return uring;
}

Uring::~Uring() {
  FIRN_CHECK(in_flight_ == 0);
  if (is_initialised_) io_uring_queue_exit(&ring_);
}

absl::Status Uring::CheckOperations() {
  const std::unique_ptr<io_uring_probe, void (*)(io_uring_probe*)> probe(
      io_uring_get_probe_ring(&ring_), io_uring_free_probe);
  if (probe == nullptr) {
    return MakeError(absl::StatusCode::kUnavailable, ErrorReason::kIo,
                     "io_uring is refused (io_uring_register does not list the operations)");
  }
  constexpr struct {
    int code;
    absl::string_view name;
  } kNeeded[] = {{IORING_OP_READ, "READ"}};
  for (const auto& needed : kNeeded) {
    if (io_uring_opcode_supported(probe.get(), needed.code) == 0) {
      return MakeError(absl::StatusCode::kUnimplemented, ErrorReason::kUnsupported,
                       absl::StrCat("io_uring of this kernel does not know ", needed.name));
    }
  }
  return absl::OkStatus();
}

absl::Status Uring::Probe() {
  const FileDescriptor file(memfd_create("firn-probe", MFD_CLOEXEC));
  if (!file.is_open()) return ErrnoStatus(errno, "memfd_create, to try io_uring");
  FIRN_RETURN_IF_ERROR(WriteFully(file.get(), "io_uring probe", 0, {AsBytes("it works")}));
  std::string found(8, '\0');
  ReadRequest request;
  request.target = absl::MakeSpan(reinterpret_cast<uint8_t*>(found.data()), found.size());
  FIRN_RETURN_IF_ERROR(ReadMany({{file.get(), "io_uring probe", &request}}));
  FIRN_RETURN_IF_ERROR(request.status);
  if (found != "it works") {
    return MakeError(absl::StatusCode::kUnavailable, ErrorReason::kIo,
                     "io_uring does not do what it says: a probe found other bytes");
  }
  return absl::OkStatus();
}

io_uring_sqe* Uring::NextEntry() {
  // Never null: the queue has entries_ places at least, and in_flight_ counts those in it.
  FIRN_CHECK(in_flight_ <= entries_);
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  FIRN_CHECK(entry != nullptr);
  return entry;
}

absl::StatusOr<unsigned> Uring::SubmitAndWait(unsigned completions) {
  int result = 0;
  for (int attempt = 0; attempt < kBusyRetriesMax; ++attempt) {
    result = io_uring_submit_and_wait(&ring_, completions);
    if (result >= 0) return static_cast<unsigned>(result);
    if (result != -EINTR && result != -EAGAIN && result != -EBUSY) break;
    if (io_uring_cq_ready(&ring_) > 0) return 0u;
    if (result != -EINTR) sched_yield();
  }
  Abandon();
  return ErrnoStatus(-result, "io_uring_enter");
}

void Uring::Abandon() {
  is_broken_ = true;
  // What the kernel took may still write into the caller's memory.
  unsigned taken = in_flight_ - io_uring_sq_ready(&ring_);
  while (taken > 0) {
    io_uring_cqe* completion = nullptr;
    const int result = io_uring_wait_cqe(&ring_, &completion);
    FIRN_CHECK(result == 0 || result == -EINTR || result == -EAGAIN);
    if (result != 0) continue;
    io_uring_cqe_seen(&ring_, completion);
    --taken;
  }
  in_flight_ = 0;  // what was not taken dies with the ring
}

void Uring::PrepareRead(ReadOperation& operation) {
  const ReadRequest& request = *operation.request;
  const size_t rest = request.target.size() - operation.done;
  io_uring_sqe* const entry = NextEntry();
  io_uring_prep_read(entry, operation.descriptor, request.target.data() + operation.done,
                     static_cast<unsigned>(std::min(rest, kReadSizeMax)),
                     request.offset + operation.done);
  io_uring_sqe_set_data(entry, &operation);
}

absl::Status Uring::ReadMany(absl::Span<const FileRequest> requests) {
  FIRN_CHECK(!is_broken_ && in_flight_ == 0);
  // While more wait for a place they follow in eights: fewer calls, and the disk is kept busy.
  constexpr unsigned kRefill = 8;
  size_t next = 0;
  for (;;) {
    for (; next < requests.size() && !free_operations_.empty(); ++next) {
      ReadRequest* const request = requests[next].request;
      if (request->target.empty()) {
        request->status = absl::OkStatus();
        continue;
      }
      ReadOperation& operation = *free_operations_.back();
      free_operations_.pop_back();
      operation = {.descriptor = requests[next].descriptor,
                   .path = requests[next].path,
                   .request = request,
                   .done = 0};
      ++in_flight_;
      PrepareRead(operation);
    }
    if (in_flight_ == 0) return absl::OkStatus();
    const unsigned wanted = next < requests.size() ? std::min(kRefill, in_flight_) : in_flight_;
    FIRN_RETURN_IF_ERROR(SubmitAndWait(wanted).status());
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      ++seen;
      auto* const operation = static_cast<ReadOperation*>(io_uring_cqe_get_data(completion));
      if (FinishRead(*operation, completion->res)) {
        free_operations_.push_back(operation);
        --in_flight_;
      } else {
        PrepareRead(*operation);
      }
    }
    io_uring_cq_advance(&ring_, seen);
  }
}

}  // namespace firn
