#include "firn/operation_buffer.h"

#include <utility>

#include "base/clock.h"
#include "base/status.h"

namespace firn {

OperationBuffer::OperationBuffer(AuthenticatedTree& tree, OperationBufferOptions options)
    : tree_(tree), options_(std::move(options)) {}

uint64_t OperationBuffer::Now() const {
  return options_.now_milliseconds ? options_.now_milliseconds()
                                   : SystemClock().MonotonicMicroseconds() / 1000;
}

bool OperationBuffer::IsFull() const {
  return buffered_ >= options_.operations || bytes_ >= options_.bytes;
}

bool OperationBuffer::IsTime() const {
  return options_.milliseconds != 0 && buffered_ > 0 && Now() - since_ms_ >= options_.milliseconds;
}

absl::StatusOr<OldValue> OperationBuffer::Add(const Operation& operation) {
  absl::StatusOr<OldValue> old = tree_.Apply(operation);
  FIRN_RETURN_IF_ERROR(old.status());
  if (buffered_ == 0 && options_.milliseconds != 0) since_ms_ = Now();
  ++buffered_;
  bytes_ += operation.key.size() + operation.value.size();
  if (IsFull() || IsTime()) FIRN_RETURN_IF_ERROR(Flush());
  return old;
}

absl::Status OperationBuffer::Flush() {
  const size_t committing = std::exchange(buffered_, 0);
  bytes_ = 0;
  if (committing == 0) return absl::OkStatus();
  FIRN_RETURN_IF_ERROR(tree_.Commit({.durability = options_.durability}).status());
  acknowledged_ += committing;
  ++commits_;
  return absl::OkStatus();
}

absl::Status OperationBuffer::FlushIfDue() { return IsTime() ? Flush() : absl::OkStatus(); }

}  // namespace firn
