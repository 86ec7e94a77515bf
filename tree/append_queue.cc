#include "tree/append_queue.h"

#include <algorithm>

#include "base/check.h"
#include "base/status.h"

namespace firn {

absl::StatusOr<uint64_t> AppendQueue::Run(absl::Span<const OperationRecord> operations) {
  FIRN_CHECK(!operations.empty());
  Request mine{.operations = operations, .status = absl::OkStatus()};
  mutex_.Lock();
  waiting_.push_back(&mine);
  for (;;) {
    const auto answered = std::find(answered_.begin(), answered_.end(), &mine);
    if (answered != answered_.end()) {
      answered_.erase(answered);
      break;
    }
    if (busy_) {
      changed_.Wait(mutex_);
      continue;
    }
    busy_ = true;
    const std::vector<Request*> group = TakeGroup();
    mutex_.Unlock();
    append_(group);
    mutex_.Lock();
    answered_.insert(answered_.end(), group.begin(), group.end());
    EndTurn();
  }
  mutex_.Unlock();
  if (!mine.status.ok()) return mine.status;
  return mine.first;
}

absl::Status AppendQueue::RunAlone(const std::function<absl::Status()>& work) {
  mutex_.Lock();
  while (busy_) changed_.Wait(mutex_);
  busy_ = true;
  mutex_.Unlock();
  const absl::Status status = work();
  mutex_.Lock();
  EndTurn();
  mutex_.Unlock();
  return status;
}

std::vector<AppendQueue::Request*> AppendQueue::TakeGroup() {
  std::vector<Request*> group;
  size_t operations = 0;
  while (!waiting_.empty()) {
    Request* const next = waiting_.front();
    if (!group.empty() && operations + next->operations.size() > kOperationsPerWrite) break;
    operations += next->operations.size();
    group.push_back(next);
    waiting_.pop_front();
  }
  return group;
}

void AppendQueue::EndTurn() {
  busy_ = false;
  changed_.NotifyAll();
}

}  // namespace firn
