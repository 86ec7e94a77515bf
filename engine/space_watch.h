// engine/space_watch.h: looks at how much room the disk has, often enough, and applies the policy of
// engine/space_guard.h to what it sees.
//
// It looks again after as many bytes as a sixteenth of what is to spare (64 KiB to 64 MiB), and before
// every write while writes are refused. What cannot be asked (an error of the file system) is not
// taken for a full disk: the next write or flush will say what is wrong.
#ifndef FIRN_ENGINE_SPACE_WATCH_H_
#define FIRN_ENGINE_SPACE_WATCH_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "firn/options.h"
#include "firn/statistics.h"
#include "io/file_system.h"

namespace firn {

// Thread-safe. No lock is held while the disk is asked.
class SpaceWatch {
 public:
  using Unflushed = absl::FunctionRef<uint64_t()>;  // bytes in memtables

  SpaceWatch(FileSystem& file_system, absl::string_view directory, uint64_t free_space_min,
             LogSink say);

  // Before a group of `bytes` is written: OK, or ResourceExhausted/kDiskFull.
  absl::Status CheckWrite(uint64_t bytes, Unflushed unflushed) ABSL_LOCKS_EXCLUDED(mutex_);
  // Before a merge whose output may take `bytes`. Looks every time.
  absl::Status CheckMerge(uint64_t bytes, Unflushed unflushed) ABSL_LOCKS_EXCLUDED(mutex_);

  // Before files of `bytes` are copied into the store. Looks every time.
  absl::Status CheckIngest(uint64_t bytes, Unflushed unflushed) ABSL_LOCKS_EXCLUDED(mutex_);

  SpaceStatistics statistics() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status CheckRoom(uint64_t bytes, Unflushed unflushed, absl::string_view to_do);

  FileSystem& file_system_;
  const std::string directory_;
  const uint64_t free_space_min_;
  const LogSink say_;

  mutable Mutex mutex_;
  uint64_t unlooked_ ABSL_GUARDED_BY(mutex_) = 0;    // bytes since the last look
  uint64_t look_after_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes
  SpaceStatistics seen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_ENGINE_SPACE_WATCH_H_
