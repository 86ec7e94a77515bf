// tree/operation_log.h: the operations of a store by number, by time and by key. Entries are only
// ever appended; their bytes stand in tree/operation_record.h.
//
// Rows of the keyspace "indexes", all integers big-endian:
//
//   time -> operations   tree (4), 01, time in ms (8), first number (8) -> varint count: a run of
//                        operations with consecutive numbers and one time
//   key -> operation     tree (4), 02, key length (2), key, number (8) -> empty
#ifndef FIRN_TREE_OPERATION_LOG_H_
#define FIRN_TREE_OPERATION_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/keyspace.h"
#include "firn/snapshot.h"
#include "firn/write_batch.h"
#include "tree/node_codec.h"
#include "tree/operation_record.h"

namespace firn {

// The longest key that an operation may have here; a tree's are at most 255.
inline constexpr size_t kLoggedKeySizeMax = 60'000;

// Thread-safe.
class OperationLog {
 public:
  OperationLog(Keyspace operations, Keyspace indexes)
      : operations_(std::move(operations)), indexes_(std::move(indexes)) {}

  // Adds the entry and its key's index row to `batch`.
  void Append(uint64_t number, const LogEntry& entry, WriteBatch& batch) const;
  // Adds the index row of operations [first, first + count), which all have this time.
  struct TimeRun {
    TreeNumber tree = 0;
    uint64_t time_ms = 0;
    uint64_t first = 0;
    uint64_t count = 0;
  };
  void AppendTimeRun(const TimeRun& run, WriteBatch& batch) const;

  // The last number; 0 if the log is empty.
  absl::StatusOr<uint64_t> LastNumber(const Snapshot& snapshot) const;
  // NotFound/kNotRetained if there is no such operation.
  absl::StatusOr<LogEntry> Get(uint64_t number, const Snapshot& snapshot) const;

  // What Read..() calls with each entry; false ends the reading.
  using Visitor = std::function<absl::StatusOr<bool>(uint64_t number, LogEntry entry)>;
  // Numbers [first, last] that are there, in order. Costs what is there, not what is asked for.
  absl::Status Read(uint64_t first, uint64_t last, const Snapshot& snapshot,
                    const Visitor& visit) const;
  // Times [begin_ms, limit_ms): by time, then by number.
  struct TimeRange {
    uint64_t begin_ms = 0;
    uint64_t limit_ms = 0;
  };
  absl::Status ReadByTime(TreeNumber tree, TimeRange range, const Snapshot& snapshot,
                          const Visitor& visit) const;
  // Operations of one key, in order.
  absl::Status ReadByKey(TreeNumber tree, absl::string_view key, const Snapshot& snapshot,
                         const Visitor& visit) const;

 private:
  Keyspace operations_;
  Keyspace indexes_;
};

}  // namespace firn

#endif  // FIRN_TREE_OPERATION_LOG_H_
