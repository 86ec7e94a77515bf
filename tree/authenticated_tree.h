// tree/authenticated_tree.h: what stands behind firn::AuthenticatedTree. It joins the writer's tree
// (tree_state), the commit in progress (staging) and the published view; no algorithm lives here.
#ifndef FIRN_TREE_AUTHENTICATED_TREE_H_
#define FIRN_TREE_AUTHENTICATED_TREE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "firn/authenticated_tree.h"
#include "tree/staging.h"
#include "tree/tree_state.h"
#include "tree/tree_view.h"

namespace firn {

// Members that are not guarded belong to the writer's thread.
class TreeImpl {
 public:
  static absl::StatusOr<std::unique_ptr<TreeImpl>> Open(Database& database,
                                                        const TreeOptions& options);

  ~TreeImpl() { store_->database.ReturnMemory(store_->reserved.load()); }
  TreeImpl(const TreeImpl&) = delete;
  TreeImpl& operator=(const TreeImpl&) = delete;

  absl::StatusOr<OldValue> Apply(const Operation& operation, std::optional<uint64_t> time_ms);
  absl::StatusOr<CommitResult> Commit(const CommitOptions& options) ABSL_LOCKS_EXCLUDED(mutex_);
  void Discard();
  absl::StatusOr<Digest> StagedDigest();
  const Staging& staging() const { return staging_; }
  absl::Status StageMetadata(absl::string_view key, absl::string_view value);
  absl::StatusOr<Checkpoint> MakeCheckpoint(const std::map<std::string, std::string>& metadata)
      ABSL_LOCKS_EXCLUDED(mutex_);

  uint64_t SetNodeCacheSize(uint64_t bytes) ABSL_LOCKS_EXCLUDED(cache_size_mutex_);

  // Thread-safe.
  std::shared_ptr<const TreeView> view() const ABSL_LOCKS_EXCLUDED(mutex_);
  TreeStatistics statistics() const ABSL_LOCKS_EXCLUDED(mutex_);
  TreeStore& store() const { return *store_; }
  absl::StatusOr<std::shared_ptr<const TreeView>> ViewAtCheckpoint(uint64_t id) const;

 private:
  TreeImpl(std::shared_ptr<TreeStore> store, const TreeOptions& options);
  absl::Status Recover(const TreeOptions& options);

  absl::Status CheckAllowed(const Operation& operation);
  // Notes what the prover has applied.
  absl::Status Stage(const Operation& operation, const OldValue& old,
                     std::optional<uint64_t> time_ms);
  absl::Status FinishBegunCheckpoint();
  absl::StatusOr<CommitResult> CommitStaged(const CommitOptions& options);
  std::optional<CheckpointReason> DueCheckpoint() const;
  void CheckpointIfDue(CommitResult& result);
  void Publish() ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t Now() const;
  void Log(absl::string_view line) const;

  std::shared_ptr<const void> claim_;  // on the database's tree
  const std::shared_ptr<TreeStore> store_;
  const DigestPolicy digests_;
  const CheckpointPolicy checkpoints_;
  const std::function<uint64_t()> now_milliseconds_;
  const LogSink log_sink_;
  std::unique_ptr<TreeState> state_;
  Staging staging_;
  uint64_t last_checkpoint_ms_ = 0;  // or when the tree was opened
  std::string buffer_;
  TreeStatistics totals_;  // the writer's; copied by Publish()

  Mutex cache_size_mutex_;  // of resizing the node cache
  mutable Mutex mutex_;  // held for a copy of a pointer or a struct, never across I/O
  std::shared_ptr<const TreeView> view_ ABSL_GUARDED_BY(mutex_);
  TreeStatistics published_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_TREE_AUTHENTICATED_TREE_H_
