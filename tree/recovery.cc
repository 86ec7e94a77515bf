#include "tree/recovery.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tree/checkpoint.h"
#include "tree/operation.h"

namespace firn {
namespace {

absl::Status Gap(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSequenceGap, what);
}

absl::Status Differs(uint64_t number, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kStateMismatch,
                   absl::StrCat("operation ", number, ": ", what));
}

std::string Found(const Digest& expected, const Digest& actual) {
  return absl::StrCat("the log says digest ", expected.ToHex(), ", replaying gives ",
                      actual.ToHex());
}

// Applies the entries of the log, one after the other.
class Replay {
 public:
  Replay(TreeState& state, TreeStore& store, std::optional<Checkpoint> begun)
      : state_(state), store_(store), begun_(std::move(begun)), position_(state.position()) {}

  absl::Status Run() {
    FIRN_RETURN_IF_ERROR(FinishCheckpointIfDue());
    const OperationLog::Visitor apply = [this](uint64_t number,
                                               LogEntry entry) -> absl::StatusOr<bool> {
      FIRN_RETURN_IF_ERROR(Apply(number, entry));
      if (entry.ends_commit) FIRN_RETURN_IF_ERROR(EndCommit());
      return true;
    };
    FIRN_RETURN_IF_ERROR(store_.log.Read(position_.operation + 1, UINT64_MAX, Snapshot(), apply));
    if (position_.operation != state_.position().operation) {
      return Gap(
          absl::StrCat("the log ends at operation ", position_.operation, ", within a commit"));
    }
    if (begun_.has_value()) {
      return Gap(absl::StrCat("checkpoint ", begun_->id, " was begun at operation ",
                              begun_->last_operation, ", but the log ends at ",
                              position_.operation));
    }
    return absl::OkStatus();
  }

  uint64_t operations() const { return operations_; }

 private:
  absl::Status Apply(uint64_t number, const LogEntry& entry) {
    if (number != position_.operation + 1) {
      return Gap(absl::StrCat("operation ", position_.operation + 1,
                              " is not in the log; the next one there is ", number));
    }
    if (entry.commit_number != state_.position().commit + 1) {
      return Gap(absl::StrCat("operation ", number, " is of commit ", entry.commit_number,
                              ", expected ", state_.position().commit + 1));
    }
    FIRN_ASSIGN_OR_RETURN(const Operation operation, OperationOf(number, entry));
    const absl::StatusOr<OldValue> old = state_.prover().Apply(operation);
    if (!old.ok()) return FailedToApply(number, operation, old.status());
    if (*old != entry.previous_value) {
      return Differs(number, "the log says another previous value than the tree");
    }
    FIRN_RETURN_IF_ERROR(CompareDigest(number, entry));
    FIRN_RETURN_IF_ERROR(CountKeys(operation, *old));
    position_.operation = number;
    ++operations_;
    return absl::OkStatus();
  }

  // An operation that was logged had succeeded: that it fails now is the state's fault.
  absl::Status FailedToApply(uint64_t number, const Operation& operation,
                             const absl::Status& status) {
    NodeStore nodes = store_.NodesAt(Snapshot());
    const absl::Status annotated = Annotate(WithPath(status, state_.root(), operation.key, nodes),
                                            absl::StrCat("replaying operation ", number));
    if (absl::IsDataLoss(status)) return annotated;
    switch (ReasonOf(status)) {
      case ErrorReason::kKeyNotFound:
      case ErrorReason::kKeyExists:
      case ErrorReason::kIllegalKey:
      case ErrorReason::kIllegalValue:
      case ErrorReason::kOverflow:
        return Differs(number, absl::StrCat("cannot be replayed: ", status.message()));
      default:
        return annotated;
    }
  }

  absl::Status CompareDigest(uint64_t number, const LogEntry& entry) {
    if (!entry.digest_after.has_value()) {
      if (!entry.ends_commit) return absl::OkStatus();
      return Differs(number, "ends its commit and has no digest");
    }
    const Digest digest = state_.prover().digest();
    if (digest != *entry.digest_after) return Differs(number, Found(*entry.digest_after, digest));
    return absl::OkStatus();
  }

  absl::Status CountKeys(const Operation& operation, const OldValue& old) {
    std::optional<absl::string_view> present;
    if (old.has_value()) present = *old;
    FIRN_ASSIGN_OR_RETURN(const Evaluation evaluation,
                          Evaluate(operation, present, store_.tree.parameters, buffer_));
    if (evaluation.effect == Effect::kStore && !old.has_value()) ++position_.keys;
    if (evaluation.effect == Effect::kRemove) --position_.keys;
    return absl::OkStatus();
  }

  absl::Status EndCommit() {
    position_.commit = state_.position().commit + 1;
    state_.EndBatch(position_);
    return FinishCheckpointIfDue();
  }

  absl::Status FinishCheckpointIfDue() {
    if (!begun_.has_value() || begun_->commit_number != state_.position().commit) {
      return absl::OkStatus();
    }
    FIRN_RETURN_IF_ERROR(state_.FinishCheckpoint(*begun_));
    begun_.reset();
    return absl::OkStatus();
  }

  TreeState& state_;
  TreeStore& store_;
  std::optional<Checkpoint> begun_;
  LogPosition position_;  // of the last operation applied; the state's is that of the last commit
  uint64_t operations_ = 0;
  std::string buffer_;
};

// The checkpoint's digest is the one logged with its last operation, and its root is there.
absl::Status CheckStart(TreeStore& store, const Checkpoint& checkpoint) {
  NodeStore nodes = store.NodesAt(Snapshot());
  FIRN_RETURN_IF_ERROR(
      Annotate(nodes.Resolve(ChildRef(checkpoint.digest.label(), checkpoint.root_birth)).status(),
               absl::StrCat("root of checkpoint ", checkpoint.id)));
  if (checkpoint.last_operation == 0) return absl::OkStatus();
  const absl::StatusOr<LogEntry> entry = store.log.Get(checkpoint.last_operation, Snapshot());
  if (absl::IsNotFound(entry.status())) {
    return Gap(absl::StrCat("checkpoint ", checkpoint.id, " is of operation ",
                            checkpoint.last_operation, ", which is not in the log"));
  }
  FIRN_RETURN_IF_ERROR(entry.status());
  if (entry->digest_after != checkpoint.digest || !entry->ends_commit ||
      entry->commit_number != checkpoint.commit_number) {
    return Differs(checkpoint.last_operation,
                   absl::StrCat("differs from checkpoint ", checkpoint.id, " that was made of it"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Operation> OperationOf(uint64_t number, const LogEntry& entry) {
  Operation operation;
  operation.kind = entry.kind;
  operation.key = entry.key;
  const auto lacks = [number](absl::string_view what) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                     absl::StrCat("record of operation ", number, ": its kind needs ", what));
  };
  switch (entry.kind) {
    case OperationKind::kInsert:
    case OperationKind::kUpdate:
    case OperationKind::kInsertOrUpdate:
      if (!entry.value.has_value()) return lacks("a value");
      operation.value = *entry.value;
      break;
    case OperationKind::kUpdateLongBy:
      if (!entry.delta.has_value()) return lacks("a delta");
      operation.delta = *entry.delta;
      break;
    case OperationKind::kLookup:
    case OperationKind::kRemove:
    case OperationKind::kRemoveIfExists:
    case OperationKind::kUnknownModification:
      break;
  }
  return operation;
}

absl::StatusOr<RecoveredTree> RecoverTree(const std::shared_ptr<TreeStore>& store) {
  const CheckpointReader checkpoints(store->keyspaces.checkpoints, Snapshot());
  FIRN_ASSIGN_OR_RETURN(const std::optional<Checkpoint> latest, checkpoints.Latest());
  FIRN_ASSIGN_OR_RETURN(std::optional<Checkpoint> begun, checkpoints.Begun());
  const uint64_t next = latest.has_value() ? latest->id + 1 : 1;
  if (begun.has_value() && begun->id != next) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kStateMismatch,
                     absl::StrCat("checkpoint ", begun->id, " was begun, but the next is ", next));
  }
  RecoveredTree recovered;
  if (latest.has_value()) {
    FIRN_RETURN_IF_ERROR(CheckStart(*store, *latest));
    recovered.state = std::make_unique<TreeState>(store, *latest);
  } else {
    recovered.state = std::make_unique<TreeState>(store);
  }
  Replay replay(*recovered.state, *store, std::move(begun));
  FIRN_RETURN_IF_ERROR(replay.Run());
  recovered.operations_replayed = replay.operations();
  return recovered;
}

}  // namespace firn
