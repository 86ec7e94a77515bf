// The public class delegates to TreeStorageImpl.

#include <utility>

#include "base/status.h"
#include "firn/tree_storage.h"
#include "tree/checkpoint.h"
#include "tree/tree_storage.h"

namespace firn {
namespace {

CheckpointRecord ToRecord(Checkpoint checkpoint) {
  CheckpointRecord record;
  record.id = checkpoint.id;
  record.time_ms = checkpoint.time_ms;
  record.digest = checkpoint.digest;
  record.last_sequence = checkpoint.last_operation;
  record.node_count = checkpoint.node_count;
  record.metadata = std::move(checkpoint.metadata);
  return record;
}

absl::StatusOr<std::optional<CheckpointRecord>> ToRecord(
    absl::StatusOr<std::optional<Checkpoint>> checkpoint) {
  FIRN_RETURN_IF_ERROR(checkpoint.status());
  if (!checkpoint->has_value()) return std::optional<CheckpointRecord>();
  return std::optional<CheckpointRecord>(ToRecord(std::move(**checkpoint)));
}

}  // namespace

TreeStorage::TreeStorage(std::unique_ptr<TreeStorageImpl> impl) : impl_(std::move(impl)) {}
TreeStorage::~TreeStorage() = default;

absl::StatusOr<std::unique_ptr<TreeStorage>> TreeStorage::Open(absl::string_view path,
                                                               const TreeStorageOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(path, options.database));
  return Open(std::move(database), options);
}

absl::StatusOr<std::unique_ptr<TreeStorage>> TreeStorage::Open(std::unique_ptr<Database> database,
                                                               const TreeStorageOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<TreeStorageImpl> impl,
                        TreeStorageImpl::Open(std::move(database), options));
  return std::make_unique<TreeStorage>(std::move(impl));
}

absl::Status TreeStorage::Close() { return impl_->database().Close(); }

absl::Status TreeStorage::StoreNode(const NodeRecord& node) { return impl_->StorePiece({node}); }

absl::Status TreeStorage::BatchStoreNodes(absl::Span<const NodeRecord> nodes) {
  const size_t piece = impl_->options().batch_size;
  for (size_t begin = 0; begin < nodes.size(); begin += piece) {
    FIRN_RETURN_IF_ERROR(impl_->StorePiece(nodes.subspan(begin, piece)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<NodeRecord>> TreeStorage::GetNode(const Label& digest) const {
  FIRN_ASSIGN_OR_RETURN(std::vector<std::optional<NodeRecord>> nodes, impl_->GetNodes({digest}));
  return std::move(nodes[0]);
}

absl::StatusOr<std::vector<std::optional<NodeRecord>>> TreeStorage::BatchGetNodes(
    absl::Span<const Label> digests) const {
  return impl_->GetNodes(digests);
}

absl::StatusOr<std::vector<NodeRecord>> TreeStorage::GetNodesByDigestRange(absl::string_view first,
                                                                           absl::string_view last,
                                                                           size_t limit) const {
  std::vector<NodeRecord> nodes;
  if (limit == 0) return nodes;
  FIRN_RETURN_IF_ERROR(impl_->ScanNodes(first, last, [&nodes, limit](const NodeRecord& node) {
    nodes.push_back(node);
    return nodes.size() < limit;
  }));
  return nodes;
}

absl::Status TreeStorage::ScanNodes(const std::function<bool(const NodeRecord&)>& visit) const {
  return impl_->ScanNodes("", "", visit);
}

absl::StatusOr<uint64_t> TreeStorage::NextSequenceNumber() { return impl_->Reserve(); }

absl::StatusOr<uint64_t> TreeStorage::LogOperation(const OperationRecord& operation) {
  return impl_->Append({operation});
}

absl::StatusOr<uint64_t> TreeStorage::BatchLogOperations(
    absl::Span<const OperationRecord> operations) {
  return impl_->Append(operations);
}

absl::StatusOr<std::vector<OperationRecord>> TreeStorage::GetOperations(uint64_t first,
                                                                        uint64_t last,
                                                                        size_t limit) const {
  std::vector<OperationRecord> records;
  FIRN_RETURN_IF_ERROR(impl_->log().Read(first, last, Snapshot(), impl_->Collect(records, limit)));
  return records;
}

absl::StatusOr<std::vector<OperationRecord>> TreeStorage::GetOperationsByTimeRange(
    uint64_t begin_ms, uint64_t limit_ms, size_t limit) const {
  std::vector<OperationRecord> records;
  FIRN_RETURN_IF_ERROR(impl_->log().ReadByTime(0, {.begin_ms = begin_ms, .limit_ms = limit_ms},
                                               impl_->database_snapshot(),
                                               impl_->Collect(records, limit)));
  return records;
}

absl::StatusOr<std::vector<OperationRecord>> TreeStorage::GetOperationsByKey(absl::string_view key,
                                                                             size_t limit) const {
  std::vector<OperationRecord> records;
  FIRN_RETURN_IF_ERROR(
      impl_->log().ReadByKey(0, key, impl_->database_snapshot(), impl_->Collect(records, limit)));
  return records;
}

uint64_t TreeStorage::current_sequence() const { return impl_->last_sequence(); }

absl::StatusOr<uint64_t> TreeStorage::StoreCheckpoint(const CheckpointRecord& checkpoint) {
  return impl_->StoreCheckpoint(checkpoint);
}

absl::StatusOr<std::optional<CheckpointRecord>> TreeStorage::GetCheckpoint(uint64_t id) const {
  return ToRecord(CheckpointReader(impl_->keyspaces().checkpoints, Snapshot()).Get(id));
}

absl::StatusOr<std::optional<CheckpointRecord>> TreeStorage::GetLatestCheckpoint() const {
  return ToRecord(CheckpointReader(impl_->keyspaces().checkpoints, Snapshot()).Latest());
}

absl::StatusOr<std::vector<CheckpointRecord>> TreeStorage::ListCheckpoints() const {
  FIRN_ASSIGN_OR_RETURN(std::vector<Checkpoint> checkpoints,
                        CheckpointReader(impl_->keyspaces().checkpoints, Snapshot()).List());
  std::vector<CheckpointRecord> records;
  for (Checkpoint& checkpoint : checkpoints) records.push_back(ToRecord(std::move(checkpoint)));
  return records;
}

absl::Status TreeStorage::Compact() {
  const TreeKeyspaces& keyspaces = impl_->keyspaces();
  for (const Keyspace* const keyspace :
       {&keyspaces.nodes, &keyspaces.operations, &keyspaces.checkpoints, &keyspaces.deaths,
        &keyspaces.metadata, &keyspaces.indexes, &keyspaces.records}) {
    FIRN_RETURN_IF_ERROR(impl_->database().Compact(*keyspace, "", ""));
  }
  return absl::OkStatus();
}

TreeStorageStatistics TreeStorage::Stats() const { return impl_->statistics(); }

absl::Status TreeStorage::Backup(absl::string_view /*target*/) {
  return MakeError(absl::StatusCode::kUnimplemented, ErrorReason::kUnsupported,
                   "backup of a tree storage is not offered yet");
}

Database& TreeStorage::database() { return impl_->database(); }

}  // namespace firn
