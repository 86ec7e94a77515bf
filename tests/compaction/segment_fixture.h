// tests/compaction/segment_fixture.h: segments in a memory file system, and what a job needs to write
// and read them.
#ifndef FIRN_TESTS_COMPACTION_SEGMENT_FIXTURE_H_
#define FIRN_TESTS_COMPACTION_SEGMENT_FIXTURE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "compaction/job.h"
#include "compaction/levels.h"
#include "compaction/segment_sink.h"
#include "io/memory_file_system.h"
#include "sstable/segment_cache.h"
#include "sstable/segment_reader.h"
#include "tests/support/vector_iterator.h"

namespace firn {

class SegmentFixture {
 public:
  explicit SegmentFixture(MemoryFileSystemOptions options = {})
      : file_system(options),
        cache(file_system, 100, nullptr, nullptr),
        directory(cache, "segments") {
    created = file_system.CreateDirectory("segments");
  }

  SegmentSinkOptions SinkOptions(uint64_t segment_size) {
    SegmentSinkOptions sink;
    sink.directory = "segments";
    sink.segment_size = segment_size;
    sink.segment.block_size = 256;
    sink.allocate_number = [this] { return FileNumber{++last_number}; };
    sink.draw_id = [this] {
      MutexLock lock(mutex);
      return ids.Next();
    };
    return sink;
  }
  JobContext Context(uint64_t segment_size, std::vector<SequenceNumber> snapshots = {}) {
    JobContext context;
    context.file_system = &file_system;
    context.sink = SinkOptions(segment_size);
    context.snapshots = std::move(snapshots);
    return context;
  }

  // Segments that hold `entries`, in key order.
  absl::StatusOr<std::vector<SegmentPtr>> Write(std::vector<StoredEntry> entries,
                                                uint64_t segment_size) {
    std::sort(entries.begin(), entries.end(), InKeyOrder);
    SegmentSink sink(file_system, SinkOptions(segment_size));
    for (const StoredEntry& entry : entries) {
      FIRN_RETURN_IF_ERROR(sink.Add(entry.key, entry.value));
    }
    return sink.Finish();
  }

  absl::StatusOr<std::vector<StoredEntry>> Read(const SegmentMeta& segment) {
    FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> reader,
                          directory.Get(segment));
    const auto iterator = reader->NewIterator();
    std::vector<StoredEntry> entries = ReadAll(*iterator);
    FIRN_RETURN_IF_ERROR(iterator->status());
    return entries;
  }
  absl::StatusOr<std::vector<StoredEntry>> ReadLevels(const Levels& levels) {
    std::vector<StoredEntry> all;
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : levels.level({level})) {
        FIRN_ASSIGN_OR_RETURN(const std::vector<StoredEntry> entries, Read(*segment));
        all.insert(all.end(), entries.begin(), entries.end());
      }
    }
    return all;
  }

  MemoryFileSystem file_system;
  SegmentCache cache;
  SegmentDirectory directory;
  absl::Status created;
  std::atomic<uint64_t> last_number = 0;
  Mutex mutex;
  Random ids ABSL_GUARDED_BY(mutex){99};
};

}  // namespace firn

#endif  // FIRN_TESTS_COMPACTION_SEGMENT_FIXTURE_H_
