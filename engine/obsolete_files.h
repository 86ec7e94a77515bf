// engine/obsolete_files.h: segments that no state names any more, and when they may be deleted.
//
// Invariant: a segment's file is deleted only after the edit that removed it is synced (the caller
// adds it then) and no live version names it: versions hold segments by SegmentPtr, so the last
// reader's pointer going is the sign.
#ifndef FIRN_ENGINE_OBSOLETE_FILES_H_
#define FIRN_ENGINE_OBSOLETE_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "compaction/levels.h"
#include "io/file_system.h"
#include "sstable/segment_cache.h"

namespace firn {

// Thread-safe. No lock is held across I/O.
class ObsoleteFiles {
 public:
  ObsoleteFiles(FileSystem& file_system, SegmentCache& cache)
      : file_system_(file_system), cache_(cache) {}

  // `segment` was removed by an edit that is synced; its file stands in `directory`.
  void Add(const SegmentPtr& segment, absl::string_view directory) ABSL_LOCKS_EXCLUDED(mutex_);

  // Deletes what nobody reads any more; the rest waits for a later call. Returns the first error;
  // a file whose removal failed is left to the next open, which removes orphans.
  absl::Status Collect() ABSL_LOCKS_EXCLUDED(mutex_);

  size_t waiting() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiting {
    std::weak_ptr<const SegmentMeta> segment;
    FileNumber number;
    std::string path;
  };

  FileSystem& file_system_;
  SegmentCache& cache_;
  mutable Mutex mutex_;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_ENGINE_OBSOLETE_FILES_H_
