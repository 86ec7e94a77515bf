#include "engine/obsolete_files.h"

#include <utility>

#include "base/status.h"
#include "sstable/segment_format.h"

namespace firn {

void ObsoleteFiles::Add(const SegmentPtr& segment, absl::string_view directory) {
  MutexLock lock(mutex_);
  waiting_.push_back(
      {segment, segment->number, JoinPath(directory, SegmentFileName(segment->number))});
}

absl::Status ObsoleteFiles::Collect() {
  std::vector<Waiting> free;
  {
    MutexLock lock(mutex_);
    std::vector<Waiting> in_use;
    for (Waiting& waiting : waiting_) {
      (waiting.segment.expired() ? free : in_use).push_back(std::move(waiting));
    }
    waiting_ = std::move(in_use);
  }
  absl::Status first_error;
  for (const Waiting& waiting : free) {
    cache_.Erase(waiting.number);
    const absl::Status removed = file_system_.RemoveFile(waiting.path);
    if (first_error.ok() && !removed.ok()) first_error = removed;
  }
  return first_error;
}

size_t ObsoleteFiles::waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

}  // namespace firn
