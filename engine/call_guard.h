// engine/call_guard.h: the gate that every call but reads passes; Close() shuts it and waits behind it.
// For the files of DatabaseImpl alone.
#ifndef FIRN_ENGINE_CALL_GUARD_H_
#define FIRN_ENGINE_CALL_GUARD_H_

#include "absl/status/status.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/database.h"

namespace firn {

// On the stack of a call. status() is not OK once Close() has begun: the call must then return it.
class DatabaseImpl::CallGuard {
 public:
  explicit CallGuard(DatabaseImpl& database) : database_(database) {
    MutexLock lock(database_.mutex_);
    if (database_.closing_) return;
    ++database_.calls_;
    inside_ = true;
  }
  ~CallGuard() {
    if (!inside_) return;
    MutexLock lock(database_.mutex_);
    if (--database_.calls_ == 0 && database_.closing_) database_.call_ended_.NotifyAll();
  }
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;
  absl::Status status() const { return inside_ ? absl::OkStatus() : Closed(); }

  static absl::Status Closed() {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kClosed,
                     "the database is closed");
  }

 private:
  DatabaseImpl& database_;
  bool inside_ = false;
};

}  // namespace firn

#endif  // FIRN_ENGINE_CALL_GUARD_H_
