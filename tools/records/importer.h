// tools/records/importer.h: the main job: reads records, applies them to a tree in batches, durably.
//
// The position in the input is written by the same commit as the records before it, together with the
// hash of everything up to there. Hence an import that was killed goes on where its last commit
// ended, and an import that is run twice changes nothing the second time.
#ifndef FIRN_TOOLS_RECORDS_IMPORTER_H_
#define FIRN_TOOLS_RECORDS_IMPORTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "firn/authenticated_tree.h"
#include "tools/records/record.h"

namespace firn {

enum class OnError : uint8_t {
  kStop = 1,  // a file is checked whole before the first record is applied; a pipe stops where the
              // bad line is
  kSkip = 2,  // refused lines are reported, the others applied
};

struct RejectedLine {
  uint64_t line = 0;
  Rejection rejection;
};

struct ImportOptions {
  RecordOptions records;
  uint64_t batch = 1000;  // records a commit, [1, 1,000,000]; fewer if they are large
  Durability durability = Durability::kSynced;
  OnError on_error = OnError::kStop;
  bool dry_run = false;  // reads and checks; applies nothing
  // Whether an operation can be applied, as far as that can be told without the tree's content (its
  // key and value are legal). None: only applying it tells.
  std::function<absl::Status(const Operation&)> check_operation;
  // Called for each refused line, in order.
  std::function<void(const RejectedLine&)> on_rejected;
  // Called after each commit with the bytes and records done so far.
  std::function<void(uint64_t offset, uint64_t records)> on_progress;
};

struct ImportResult {
  uint64_t lines = 0;    // read, in all runs of this import
  uint64_t records = 0;  // applied, in all runs
  uint64_t inserted = 0, updated = 0, unchanged = 0, removed = 0;
  uint64_t rejected = 0;
  std::map<std::string, uint64_t> rejected_by_reason;
  uint64_t resumed_at_line = 0;  // 0: began at the first
  uint64_t records_this_run = 0;
  uint64_t commits_this_run = 0;
};

// `path` "-" is standard input. Nothing may be staged in `tree`, of which the caller is the writer.
// Errors: InvalidArgument (an input that cannot be understood; with kStop: the first refused line,
// by number), or the tree's. What was committed before an error stays and is resumed.
absl::StatusOr<ImportResult> Import(AuthenticatedTree& tree, const std::string& path,
                                    const ImportOptions& options);

}  // namespace firn

#endif  // FIRN_TOOLS_RECORDS_IMPORTER_H_
