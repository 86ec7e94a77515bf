// What BackgroundWork does when something is short: disk, descriptors, memory; and how others wait for it.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/background_work.h"
#include "engine/space_guard.h"

namespace firn {
namespace {

// Between two tries of what fails for want of something. The first one comes at once: most often that
// is what somebody just made room for. A quota may be full where the disk shows room.
constexpr uint64_t kRetryMinUs = 10'000;
constexpr uint64_t kRetryMaxUs = 1'000'000;

// Microseconds, after `before` failures in a row.
uint64_t RetryPause(uint64_t before) {
  if (before == 0) return 0;
  return std::min(kRetryMinUs << std::min<uint64_t>(before - 1, 16), kRetryMaxUs);
}

}  // namespace

void BackgroundWork::NoteShortage(const absl::Status& status) {
  shortage_ = status;
  retry_at_us_ = parts_.clock.MonotonicMicroseconds() + RetryPause(shortages_in_row_++);
}

void BackgroundWork::NoteMergeFailed() {
  MutexLock lock(mutex_);
  merge_retry_at_us_ = parts_.clock.MonotonicMicroseconds() + RetryPause(merges_failed_in_row_++);
}

absl::Status BackgroundWork::error() const {
  MutexLock lock(mutex_);
  return error_.ok() ? shortage_ : error_;
}

absl::Status BackgroundWork::merge_space_error() const {
  MutexLock lock(mutex_);
  return merge_space_error_;
}

uint64_t BackgroundWork::UnflushedBytes() const {
  uint64_t bytes = 0;
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) bytes += keyspace->version()->memtable_bytes();
  return bytes;
}

absl::Status BackgroundWork::CheckMergeRoom(const Compaction& compaction) {
  return parts_.space.CheckMerge(compaction.input_bytes(), [this] { return UnflushedBytes(); });
}

void BackgroundWork::NoteMergeRoom(uint64_t bytes) {
  MutexLock lock(mutex_);
  merge_room_ = bytes;
}

void BackgroundWork::ResumeMergesIfRoom() {
  uint64_t room = 0;
  {
    MutexLock lock(mutex_);
    if (merge_space_error_.ok()) return;
    if (parts_.clock.MonotonicMicroseconds() < merge_retry_at_us_) return;
    room = merge_room_;
  }
  if (!parts_.space.CheckMerge(room, [this] { return UnflushedBytes(); }).ok()) return;
  {
    MutexLock lock(mutex_);
    merge_space_error_ = absl::OkStatus();
  }
  ScheduleAll();
}

absl::Status BackgroundWork::ResumeIfRoom() {
  ResumeMergesIfRoom();
  absl::Status full;
  {
    MutexLock lock(mutex_);
    if (!error_.ok() || shortage_.ok()) return error_;
    if (ReasonOf(shortage_) == ErrorReason::kDiskFull) full = shortage_;
    if (parts_.clock.MonotonicMicroseconds() < retry_at_us_) return full;
  }
  const uint64_t needed =
      SpaceNeeded({parts_.options.free_space_min, UnflushedBytes(), /*log=*/0});
  const absl::StatusOr<uint64_t> room = parts_.file_system.FreeSpace(parts_.directory);
  {
    MutexLock lock(mutex_);
    if (!error_.ok()) return error_;
    if (!full.ok() && (!room.ok() || *room < needed)) return full;
    shortage_ = absl::OkStatus();
  }
  ScheduleAll();
  return absl::OkStatus();
}

WriteDebt BackgroundWork::Debt() const {
  WriteDebt worst;
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) {
    const std::shared_ptr<const Version> version = keyspace->version();
    // Of an active memtable no more than it may hold: whatever one large batch has put into it, it
    // cannot get less before the next group makes it immutable, so that group must not wait.
    const Memtable& memtable = *version->active();
    const uint64_t active = memtable.ApproximateMemory();
    const uint64_t beyond = active - std::min<uint64_t>(active, parts_.options.memtable_size);
    worst.unflushed_bytes =
        std::max<uint64_t>(worst.unflushed_bytes, version->memtable_bytes() - beyond);
    for (const ImmutableMemtable& immutable : version->immutables()) {
      worst.all_unflushed_bytes += immutable.memtable->ApproximateMemory();
    }
    if (!memtable.empty()) {
      worst.all_active_bytes += active;
      worst.all_unflushed_bytes += active - beyond;
    }
    worst.immutable_memtables =
        std::max(worst.immutable_memtables, version->immutables().size());
    // Many segments on level 0 may be as it should be, which takes a closer look.
    size_t waiting = version->levels()->level0().size();
    if (waiting >= parts_.options.level0_segments_slow) {
      waiting = std::min(waiting, keyspace->work().picker->backlog(*version->levels(),
                                                                   ForPicker(*keyspace)));
    }
    worst.level0_segments = std::max(worst.level0_segments, waiting);
  }
  return worst;
}

void BackgroundWork::NoteThrottle(ThrottleDecision::Kind kind, const WriteDebt& debt) {
  const ThrottleLog::Change change =
      throttle_log_.Note(kind, parts_.clock.MonotonicMicroseconds());
  if (change == ThrottleLog::Change::kNone) return;
  if (change == ThrottleLog::Change::kFreed) return parts_.say("writers are no longer slowed");
  parts_.say(absl::StrCat(change == ThrottleLog::Change::kStopped ? "writers wait" : "writers are slowed",
                          " for the background: ", debt.unflushed_bytes, " bytes in memory, ",
                          debt.immutable_memtables, " memtables and ", debt.level0_segments,
                          " segments of level 0 to go"));
}

absl::Status BackgroundWork::AwaitIdle() {
  CollectObsolete();
  while (true) {
    ScheduleAll();
    MutexLock lock(mutex_);
    if (!error_.ok()) return error_;
    if (!shortage_.ok()) return shortage_;
    if (stopping_) return absl::OkStatus();
    if (tasks_ == 0) return merge_space_error_;
    while (tasks_ > 0 && !stopping_) parts_.executor.AwaitProgress(mutex_, changed_);
  }
}

bool BackgroundWork::AwaitChange() {
  MutexLock lock(mutex_);
  if (tasks_ == 0) return false;
  parts_.executor.AwaitProgress(mutex_, changed_);
  return true;
}

}  // namespace firn
