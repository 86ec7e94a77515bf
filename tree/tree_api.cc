// The public class delegates: the writer's calls to TreeImpl, reading calls to the parts that serve
// them.

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "firn/authenticated_tree.h"
#include "tree/authenticated_tree.h"
#include "tree/checkpoint.h"
#include "tree/recovery.h"
#include "tree/tree_check.h"

namespace firn {
namespace {

absl::StatusOr<LoggedOperation> ToLogged(uint64_t number, LogEntry entry) {
  LoggedOperation logged;
  logged.number = number;
  logged.commit_number = entry.commit_number;
  logged.time_ms = entry.time_ms;
  FIRN_ASSIGN_OR_RETURN(logged.operation, OperationOf(number, entry));
  logged.previous_value = std::move(entry.previous_value);
  logged.digest = entry.digest_after;
  logged.ends_commit = entry.ends_commit;
  return logged;
}

// Collects up to `limit` entries.
class Collector {
 public:
  explicit Collector(size_t limit) : limit_(limit) {}
  OperationLog::Visitor visitor() {
    return [this](uint64_t number, LogEntry entry) -> absl::StatusOr<bool> {
      if (operations_.size() >= limit_) return false;
      FIRN_ASSIGN_OR_RETURN(LoggedOperation logged, ToLogged(number, std::move(entry)));
      operations_.push_back(std::move(logged));
      return operations_.size() < limit_;
    };
  }
  std::vector<LoggedOperation> Take() { return std::move(operations_); }

 private:
  const size_t limit_;
  std::vector<LoggedOperation> operations_;
};

absl::StatusOr<Checkpoint> Found(absl::StatusOr<std::optional<Checkpoint>> checkpoint,
                                 absl::string_view which) {
  FIRN_RETURN_IF_ERROR(checkpoint.status());
  if (checkpoint->has_value()) return std::move(**checkpoint);
  return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotRetained,
                   absl::StrCat("there is no ", which));
}

}  // namespace

AuthenticatedTree::AuthenticatedTree(std::unique_ptr<TreeImpl> impl) : impl_(std::move(impl)) {}
AuthenticatedTree::~AuthenticatedTree() = default;

absl::StatusOr<std::unique_ptr<AuthenticatedTree>> AuthenticatedTree::Open(
    Database& database, const TreeOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<TreeImpl> impl, TreeImpl::Open(database, options));
  return std::make_unique<AuthenticatedTree>(std::move(impl));
}

absl::StatusOr<OldValue> AuthenticatedTree::Apply(const Operation& operation,
                                                  std::optional<uint64_t> time_ms) {
  return impl_->Apply(operation, time_ms);
}
absl::StatusOr<CommitResult> AuthenticatedTree::Commit(const CommitOptions& options) {
  return impl_->Commit(options);
}
void AuthenticatedTree::Discard() { impl_->Discard(); }
absl::StatusOr<Digest> AuthenticatedTree::StagedDigest() { return impl_->StagedDigest(); }
uint64_t AuthenticatedTree::staged_operations() const {
  return impl_->staging().operations().size();
}
absl::Status AuthenticatedTree::StageMetadata(absl::string_view key, absl::string_view value) {
  return impl_->StageMetadata(key, value);
}

absl::StatusOr<std::optional<std::string>> AuthenticatedTree::GetMetadata(
    absl::string_view key) const {
  const std::shared_ptr<const TreeView> present = view();
  return GetRow(impl_->store().keyspaces.metadata, ClientKey(key), present->snapshot());
}

std::shared_ptr<const TreeView> AuthenticatedTree::view() const { return impl_->view(); }

absl::StatusOr<Checkpoint> AuthenticatedTree::MakeCheckpoint(
    const std::map<std::string, std::string>& metadata) {
  return impl_->MakeCheckpoint(metadata);
}

absl::StatusOr<Checkpoint> AuthenticatedTree::GetCheckpoint(uint64_t id) const {
  const CheckpointReader reader(impl_->store().keyspaces.checkpoints, Snapshot());
  return Found(reader.Get(id), absl::StrCat("checkpoint ", id));
}

absl::StatusOr<Checkpoint> AuthenticatedTree::LatestCheckpoint() const {
  const CheckpointReader reader(impl_->store().keyspaces.checkpoints, Snapshot());
  return Found(reader.Latest(), "checkpoint");
}

absl::StatusOr<std::vector<Checkpoint>> AuthenticatedTree::ListCheckpoints() const {
  return CheckpointReader(impl_->store().keyspaces.checkpoints, Snapshot()).List();
}

absl::StatusOr<std::shared_ptr<const TreeView>> AuthenticatedTree::ViewAtCheckpoint(
    uint64_t id) const {
  return impl_->ViewAtCheckpoint(id);
}

absl::StatusOr<std::vector<LoggedOperation>> AuthenticatedTree::GetOperations(uint64_t first,
                                                                              uint64_t last,
                                                                              size_t limit) const {
  Collector collector(limit);
  const std::shared_ptr<const TreeView> present = view();
  FIRN_RETURN_IF_ERROR(
      impl_->store().log.Read(first, last, present->snapshot(), collector.visitor()));
  return collector.Take();
}

absl::StatusOr<std::vector<LoggedOperation>> AuthenticatedTree::GetOperationsByTime(
    uint64_t begin_ms, uint64_t limit_ms, size_t limit) const {
  Collector collector(limit);
  const std::shared_ptr<const TreeView> present = view();
  FIRN_RETURN_IF_ERROR(impl_->store().log.ReadByTime(kOnlyTree,
                                                     {.begin_ms = begin_ms, .limit_ms = limit_ms},
                                                     present->snapshot(), collector.visitor()));
  return collector.Take();
}

absl::StatusOr<std::vector<LoggedOperation>> AuthenticatedTree::History(absl::string_view key,
                                                                        size_t limit) const {
  Collector collector(limit);
  const std::shared_ptr<const TreeView> present = view();
  FIRN_RETURN_IF_ERROR(
      impl_->store().log.ReadByKey(kOnlyTree, key, present->snapshot(), collector.visitor()));
  return collector.Take();
}

absl::StatusOr<TreeVerifyReport> AuthenticatedTree::VerifyTree(TreeVerifyLevel level) const {
  const std::shared_ptr<const TreeView> present = view();
  return CheckTree(impl_->store(), present->impl(), level);
}

const TreeParameters& AuthenticatedTree::parameters() const {
  return impl_->store().tree.parameters;
}
uint8_t AuthenticatedTree::allowed() const { return impl_->store().tree.allowed; }
TreeStatistics AuthenticatedTree::statistics() const { return impl_->statistics(); }
uint64_t AuthenticatedTree::SetNodeCacheSize(uint64_t bytes) {
  return impl_->SetNodeCacheSize(bytes);
}

}  // namespace firn
