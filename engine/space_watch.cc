#include "engine/space_watch.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/space_guard.h"

namespace firn {

SpaceWatch::SpaceWatch(FileSystem& file_system, absl::string_view directory,
                       uint64_t free_space_min, LogSink say)
    : file_system_(file_system),
      directory_(directory),
      free_space_min_(free_space_min),
      say_(std::move(say)) {}

absl::Status SpaceWatch::CheckWrite(uint64_t bytes, Unflushed unflushed) {
  {
    MutexLock lock(mutex_);
    unlooked_ += bytes;
    if (!seen_.is_short && unlooked_ <= look_after_) return absl::OkStatus();
  }
  const SpaceDebt debt{free_space_min_, unflushed(), bytes};
  const absl::StatusOr<uint64_t> free = file_system_.FreeSpace(directory_);
  if (!free.ok()) return absl::OkStatus();
  std::string line;
  absl::Status status;
  {
    MutexLock lock(mutex_);
    const uint64_t needed = seen_.is_short ? SpaceToResume(debt) : SpaceNeeded(debt);
    const bool is_short = *free < needed;
    if (is_short) {
      status = OutOfSpace(directory_, *free, needed);
      ++seen_.refused;
    }
    if (is_short != seen_.is_short) {
      line = is_short ? std::string(status.message())
                      : absl::StrCat(directory_, ": there is room again, ", *free,
                                     " bytes: writes go on");
    }
    unlooked_ = 0;
    look_after_ = LookAgainAfter(*free, needed);
    seen_.free = *free;
    seen_.needed = needed;
    seen_.is_short = is_short;
  }
  if (!line.empty()) say_(line);
  return status;
}

absl::Status SpaceWatch::CheckMerge(uint64_t bytes, Unflushed unflushed) {
  return CheckRoom(bytes, unflushed, "merge segments");
}

absl::Status SpaceWatch::CheckIngest(uint64_t bytes, Unflushed unflushed) {
  return CheckRoom(bytes, unflushed, "copy segments in");
}

absl::Status SpaceWatch::CheckRoom(uint64_t bytes, Unflushed unflushed, absl::string_view to_do) {
  const uint64_t needed = SpaceNeeded({free_space_min_, unflushed(), 0}) + bytes;
  const absl::StatusOr<uint64_t> free = file_system_.FreeSpace(directory_);
  if (!free.ok() || *free >= needed) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kDiskFull,
                   absl::StrCat(directory_, ": No space left to ", to_do, ": ", *free,
                                " bytes are free, and ", needed,
                                " are needed; it works again when there is room"));
}

SpaceStatistics SpaceWatch::statistics() const {
  MutexLock lock(mutex_);
  return seen_;
}

}  // namespace firn
