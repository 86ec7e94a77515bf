// firn/operation_buffer.h: operations on a tree, collected and committed together when there are enough
// of them, in number, in bytes or in time: for clients that have single operations to apply and do not
// need each to be durable at once.
//
// Example:
//     firn::OperationBuffer buffer(*tree, {.operations = 100, .milliseconds = 50});
//     firn::OldValue old = buffer.Add(firn::Operation::Insert(key, value)).value();
//     ...
//     absl::Status durable = buffer.Flush();   // all that was added
#ifndef FIRN_OPERATION_BUFFER_H_
#define FIRN_OPERATION_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "firn/authenticated_tree.h"

namespace firn {

struct OperationBufferOptions {
  // Whichever is reached first commits; each at least 1, but 0 milliseconds: not by time. More: fewer
  // syncs, and more to do again after a crash.
  size_t operations = 100;
  size_t bytes = size_t{1} << 20;  // of keys and values
  uint64_t milliseconds = 1000;    // since the first operation that is not committed
  Durability durability = Durability::kSynced;
  // Of a clock that never goes back. None: the system's.
  std::function<uint64_t()> now_milliseconds;
};

// For the tree's writer: one thread, which leaves the tree's Apply(), Commit() and Discard() alone
// meanwhile. Must not outlive the tree. What was added and not committed is lost with it, as with the
// tree: Flush() first.
class OperationBuffer {
 public:
  OperationBuffer(AuthenticatedTree& tree, OperationBufferOptions options);

  // Applies `operation` after those that are buffered; it is durable once acknowledged() counts it. A
  // failure of the operation itself has no effect, as of Apply(). A failure of a commit that this call
  // makes (or of Flush() and FlushIfDue()) drops everything that is buffered, this one included, as
  // Commit() does: the tree is what its view() says.
  absl::StatusOr<OldValue> Add(const Operation& operation);

  // Commits what is buffered.
  absl::Status Flush();
  // The same if its time has come: for a client that has nothing to add for a while.
  absl::Status FlushIfDue();

  // Operations that were added through this buffer and are as durable as was asked: the first so many,
  // unless a commit failed.
  uint64_t acknowledged() const { return acknowledged_; }
  size_t buffered() const { return buffered_; }
  size_t buffered_bytes() const { return bytes_; }
  uint64_t commits() const { return commits_; }

 private:
  bool IsFull() const;
  bool IsTime() const;
  uint64_t Now() const;

  AuthenticatedTree& tree_;
  const OperationBufferOptions options_;
  size_t buffered_ = 0;
  size_t bytes_ = 0;
  uint64_t since_ms_ = 0;  // of the first that is buffered
  uint64_t acknowledged_ = 0;
  uint64_t commits_ = 0;
};

}  // namespace firn

#endif  // FIRN_OPERATION_BUFFER_H_
