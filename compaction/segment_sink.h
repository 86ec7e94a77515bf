// compaction/segment_sink.h: cuts a sorted stream of entries into segments of a target size; flush and
// compaction both end in one.
//
// Invariants:
//   1. Versions of one user key are never split over two segments: below level 0 a lookup asks one
//      segment a level. (So a key with very many versions makes a segment beyond the target.)
//   2. When Finish() returns OK every segment is complete and synced, and so is the folder.
//   3. created() names every file that may exist, whatever failed.
#ifndef FIRN_COMPACTION_SEGMENT_SINK_H_
#define FIRN_COMPACTION_SEGMENT_SINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "compaction/levels.h"
#include "io/file_system.h"
#include "sstable/segment_format.h"
#include "sstable/segment_writer.h"

namespace firn {

struct SegmentSinkOptions {
  std::string directory;                        // files are directory/SegmentFileName(number)
  uint64_t segment_size = uint64_t{64} << 20;   // target, bytes of the file
  // And so many entries at most, of one key more: a filter in the making takes 8 to 16 bytes of memory
  // for each key, which counts where values are tiny.
  uint64_t segment_entries_max = uint64_t{1} << 20;
  SegmentOptions segment;
  std::function<FileNumber()> allocate_number;  // never twice the same
  std::function<uint64_t()> draw_id;            // fresh and random: a segment's id
};

// One thread at a time. After an error every call returns it.
class SegmentSink {
 public:
  SegmentSink(FileSystem& file_system, SegmentSinkOptions options);
  // A segment in progress stays on disk, unfinished, named in created().
  ~SegmentSink();

  // Entries in ascending order of internal keys. The views need not outlive the call.
  absl::Status Add(absl::string_view internal_key, absl::string_view value);

  // Finishes the segment in progress and syncs the folder (also if nothing was added: then there is
  // nothing to sync and no segment). The segments, in key order.
  absl::StatusOr<std::vector<SegmentPtr>> Finish();

  const std::vector<FileNumber>& created() const { return created_; }
  // Bytes of finished segments, and an estimate for the one in progress.
  uint64_t bytes_written() const;

 private:
  absl::Status StartSegment();
  absl::Status FinishSegment();
  absl::Status Remember(absl::Status status);

  FileSystem& file_system_;
  const SegmentSinkOptions options_;
  std::unique_ptr<SegmentWriter> writer_;  // null between segments
  std::string last_user_key_;              // of the segment in progress
  std::vector<SegmentPtr> segments_;
  std::vector<FileNumber> created_;
  uint64_t finished_bytes_ = 0;
  absl::Status error_;
};

}  // namespace firn

#endif  // FIRN_COMPACTION_SEGMENT_SINK_H_
