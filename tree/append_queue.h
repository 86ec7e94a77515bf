// tree/append_queue.h: appends from many threads to one numbered log. Whoever comes first while nobody
// writes leads: takes all that waits, numbers it, writes it as one batch, wakes the others. So singles
// share a sync, and numbers have no gaps whatever fails.
#ifndef FIRN_TREE_APPEND_QUEUE_H_
#define FIRN_TREE_APPEND_QUEUE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "firn/tree_storage.h"

namespace firn {

// Thread-safe.
class AppendQueue {
 public:
  // One caller's operations: all of them are appended, or none.
  struct Request {
    absl::Span<const OperationRecord> operations;
    absl::Status status;  // the answer
    uint64_t first = 0;   // the answer: the number of the first
  };
  // Answers every request; called by one thread at a time, without the lock.
  using Append = std::function<void(absl::Span<Request* const> requests)>;

  explicit AppendQueue(Append append) : append_(std::move(append)) {}

  // The number of the first operation. `operations` is not empty.
  absl::StatusOr<uint64_t> Run(absl::Span<const OperationRecord> operations)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs `work` while nobody appends.
  absl::Status RunAlone(const std::function<absl::Status()>& work) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // So many operations a write, unless one request alone has more.
  static constexpr size_t kOperationsPerWrite = 1000;
  std::vector<Request*> TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Append append_;
  Mutex mutex_;
  CondVar changed_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Request*> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Request*> answered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_TREE_APPEND_QUEUE_H_
