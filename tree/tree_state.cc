#include "tree/tree_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace firn {

TreeState::TreeState(std::shared_ptr<TreeStore> store)
    : store_(std::move(store)), nodes_(store_->NodesAt(Snapshot())) {
  constexpr uint64_t kFirstCheckpoint = 1;
  const ChildRef empty = EmptyTree(store_->tree.parameters);
  StartAt(ChildRef(empty.node(), empty.label(), kFirstCheckpoint), 0, kFirstCheckpoint);
  ledger_->RecordFirst(root());
}

TreeState::TreeState(std::shared_ptr<TreeStore> store, const Checkpoint& checkpoint)
    : store_(std::move(store)),
      nodes_(store_->NodesAt(Snapshot())),
      position_{.operation = checkpoint.last_operation,
                .commit = checkpoint.commit_number,
                .keys = checkpoint.node_count / 2},
      latest_checkpoint_(checkpoint) {
  StartAt(ChildRef(checkpoint.digest.label(), checkpoint.root_birth), checkpoint.digest.height(),
          checkpoint.id + 1);
}

void TreeState::StartAt(ChildRef root, uint8_t height, uint64_t next_checkpoint) {
  prover_ = std::make_unique<Prover>(
      store_->tree.parameters, std::move(root), height, &nodes_,
      Prover::Options{.recording = ProofRecording::kSkip, .birth = next_checkpoint});
  ledger_ = std::make_unique<InstanceLedger>(next_checkpoint);
}

void TreeState::EndBatch(const LogPosition& position) {
  FIRN_CHECK(!begun_.has_value());
  ledger_->Record(prover_->Changes());
  prover_->EndBatch();
  position_ = position;
}

absl::StatusOr<Checkpoint> TreeState::MakeCheckpoint(const CheckpointRequest& request) {
  FIRN_CHECK(!begun_.has_value() && prover_->batch_operations() == 0);
  Checkpoint checkpoint;
  checkpoint.id = ledger_->next_checkpoint();
  checkpoint.time_ms = request.time_ms;
  checkpoint.digest = digest();
  checkpoint.root_birth = ledger_->BirthOf(root());
  checkpoint.last_operation = position_.operation;
  checkpoint.commit_number = position_.commit;
  checkpoint.node_count = 2 * position_.keys + 1;
  checkpoint.reason = request.reason;
  checkpoint.metadata = request.metadata;
  const CheckpointWay way = WayFor(*ledger_);
  if (way == CheckpointWay::kPieces) begun_ = checkpoint;
  FIRN_RETURN_IF_ERROR(Write(checkpoint, way));
  return checkpoint;
}

absl::Status TreeState::FinishCheckpoint(const Checkpoint& begun) {
  if (begun.digest != digest() || begun.last_operation != position_.operation ||
      begun.commit_number != position_.commit || begun.id != ledger_->next_checkpoint() ||
      begun.root_birth != ledger_->BirthOf(root())) {
    return MakeError(
        absl::StatusCode::kDataLoss, ErrorReason::kStateMismatch,
        absl::StrCat("checkpoint ", begun.id, " was begun at operation ", begun.last_operation,
                     " with digest ", begun.digest.ToHex(), ", but the log leads to operation ",
                     position_.operation, " with digest ", digest().ToHex()));
  }
  begun_ = begun;
  return Write(begun, CheckpointWay::kPieces);
}

absl::Status TreeState::Write(const Checkpoint& checkpoint, CheckpointWay way) {
  CheckpointWriter writer(store_->database, store_->keyspaces, *ledger_, root(), store_->cache);
  FIRN_ASSIGN_OR_RETURN(const CheckpointCounts written, writer.Write(checkpoint, way));
  ++counts_.checkpoints;
  counts_.written.nodes += written.nodes;
  counts_.written.deaths += written.deaths;
  begun_.reset();
  latest_checkpoint_ = checkpoint;
  StartAt(ChildRef(checkpoint.digest.label(), checkpoint.root_birth), checkpoint.digest.height(),
          checkpoint.id + 1);
  return absl::OkStatus();
}

}  // namespace firn
