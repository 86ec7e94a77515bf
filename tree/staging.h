// tree/staging.h: the operations and client facts of the commit in progress, and the one write batch
// that they become: log entries, index rows, records, the removal mark, metadata.
#ifndef FIRN_TREE_STAGING_H_
#define FIRN_TREE_STAGING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"
#include "firn/write_batch.h"
#include "tree/operation.h"
#include "tree/operation_log.h"
#include "tree/tree_state.h"

namespace firn {

// An operation that was applied to the tree in memory.
struct StagedOperation {
  Operation operation;
  OldValue old_value;
  Effect effect = Effect::kNone;
  std::string new_value;         // for kStore
  std::optional<Digest> digest;  // after it, if it is kept
  std::optional<uint64_t> time_ms;  // its own; none: the commit's
};

// What an insertOrUpdate or a removeIfExists turned out to be; every other kind is itself.
OperationKind LoggedKind(const StagedOperation& staged);

// One thread at a time.
class Staging {
 public:
  void Add(StagedOperation operation);
  void SetMetadata(absl::string_view key, absl::string_view value);
  void Clear();

  const std::vector<StagedOperation>& operations() const { return operations_; }
  uint64_t logged_operations() const { return logged_; }
  bool has_metadata() const { return !metadata_.empty(); }
  bool empty() const { return operations_.empty() && metadata_.empty(); }
  // How many keys the tree has more (or, negative, fewer).
  int64_t key_difference() const { return key_difference_; }

  struct CommitFacts {
    LogPosition before;
    Digest digest;  // after all operations
    uint64_t time_ms = 0;
  };
  // The batch that makes the staged operations durable. DataLoss/kStateMismatch if a key that the
  // tree has is not in the records.
  absl::StatusOr<WriteBatch> Build(const TreeStore& store, const CommitFacts& facts) const;

 private:
  // What a commit leaves under a key.
  struct Outcome {
    const StagedOperation* last = nullptr;  // that stored or removed
    uint64_t inserted_at = 0;               // number of the operation; 0: it was there before
    bool was_there = false;                 // before the commit
  };
  using Outcomes = absl::flat_hash_map<absl::string_view, Outcome>;

  Outcomes AddLogEntries(const TreeStore& store, const CommitFacts& facts, WriteBatch& batch) const;
  void AddTimeRuns(const TreeStore& store, const CommitFacts& facts, WriteBatch& batch) const;
  static absl::Status AddRecords(const TreeStore& store, const Outcomes& outcomes,
                                 WriteBatch& batch);

  std::vector<StagedOperation> operations_;
  std::map<std::string, std::string> metadata_;
  uint64_t logged_ = 0;
  int64_t key_difference_ = 0;
  bool removes_ = false;
};

}  // namespace firn

#endif  // FIRN_TREE_STAGING_H_
