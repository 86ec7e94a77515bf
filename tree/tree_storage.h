// tree/tree_storage.h: what stands behind firn::TreeStorage: three thin stores (nodes, operations,
// checkpoints) on the keyspaces of one database.
#ifndef FIRN_TREE_TREE_STORAGE_H_
#define FIRN_TREE_TREE_STORAGE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "firn/tree_storage.h"
#include "tree/append_queue.h"
#include "tree/operation_log.h"
#include "tree/tree_keyspaces.h"

namespace firn {

// Thread-safe.
class TreeStorageImpl {
 public:
  static absl::StatusOr<std::unique_ptr<TreeStorageImpl>> Open(std::unique_ptr<Database> database,
                                                               const TreeStorageOptions& options);

  // One atomic piece; at most options.batch_size nodes.
  absl::Status StorePiece(absl::Span<const NodeRecord> nodes) ABSL_LOCKS_EXCLUDED(nodes_mutex_);
  absl::StatusOr<std::vector<std::optional<NodeRecord>>> GetNodes(
      absl::Span<const Label> digests) const;
  absl::Status ScanNodes(absl::string_view first, absl::string_view last,
                         const std::function<bool(const NodeRecord&)>& visit) const;

  absl::StatusOr<uint64_t> Reserve();
  absl::StatusOr<uint64_t> Append(absl::Span<const OperationRecord> operations);
  // The visitor of a log for up to `limit` records, which it appends to `records`.
  OperationLog::Visitor Collect(std::vector<OperationRecord>& records, size_t limit) const;
  const OperationLog& log() const { return log_; }
  uint64_t last_sequence() const { return last_sequence_.load(std::memory_order_acquire); }

  absl::StatusOr<uint64_t> StoreCheckpoint(CheckpointRecord checkpoint);

  Database& database() { return *database_; }
  Snapshot database_snapshot() const { return database_->TakeSnapshot(); }
  const TreeKeyspaces& keyspaces() const { return keyspaces_; }
  const TreeStorageOptions& options() const { return options_; }
  TreeStorageStatistics statistics() const;

 private:
  TreeStorageImpl(std::unique_ptr<Database> database, TreeKeyspaces keyspaces,
                  const TreeStorageOptions& options);
  absl::Status LoadNumbers();

  void ClaimDigests(absl::Span<const NodeRecord> nodes) ABSL_LOCKS_EXCLUDED(nodes_mutex_);
  void ReleaseDigests(absl::Span<const NodeRecord> nodes) ABSL_LOCKS_EXCLUDED(nodes_mutex_);
  absl::Status StoreClaimed(absl::Span<const NodeRecord> nodes);

  // Called by the queue's leader alone.
  void AppendGroup(absl::Span<AppendQueue::Request* const> requests);
  absl::Status AddToBatch(AppendQueue::Request& request, uint64_t& last, WriteBatch& batch);
  absl::Status CheckSequence(uint64_t sequence, uint64_t last) const;
  uint64_t Now() const;

  const std::unique_ptr<Database> database_;
  const TreeKeyspaces keyspaces_;
  const TreeStorageOptions options_;
  const OperationLog log_;

  // Digests that some thread is storing at present: two never store the same one at once.
  Mutex nodes_mutex_;
  CondVar nodes_changed_;
  absl::flat_hash_set<Label> storing_ ABSL_GUARDED_BY(nodes_mutex_);

  // Written by whoever has the queue's turn.
  std::atomic<uint64_t> last_sequence_{0};
  uint64_t reserved_ = 0;            // the highest number handed out or logged
  uint64_t last_checkpoint_ = 0;     // the highest id
  std::optional<Digest> last_root_;  // after the last operation
  AppendQueue queue_;

  mutable std::atomic<uint64_t> nodes_stored_{0};
  mutable std::atomic<uint64_t> nodes_skipped_{0};
  mutable std::atomic<uint64_t> nodes_read_{0};
  mutable std::atomic<uint64_t> nodes_missed_{0};
  std::atomic<uint64_t> operations_logged_{0};
  std::atomic<uint64_t> checkpoints_stored_{0};
};

}  // namespace firn

#endif  // FIRN_TREE_TREE_STORAGE_H_
