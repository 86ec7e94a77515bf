#include "tree/staging.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tree/record_store.h"

namespace firn {
namespace {

bool IsLogged(const StagedOperation& staged) {
  return staged.operation.kind != OperationKind::kLookup;
}

bool HasValue(OperationKind kind) {
  return kind == OperationKind::kInsert || kind == OperationKind::kUpdate ||
         kind == OperationKind::kInsertOrUpdate;
}

LogEntry MakeEntry(const StagedOperation& staged, uint64_t commit, uint64_t time_ms) {
  LogEntry entry;
  entry.kind = LoggedKind(staged);
  entry.tree = kOnlyTree;
  entry.commit_number = commit;
  entry.time_ms = staged.time_ms.value_or(time_ms);
  entry.key = staged.operation.key;
  if (HasValue(entry.kind)) entry.value = staged.operation.value;
  if (entry.kind == OperationKind::kUpdateLongBy) entry.delta = staged.operation.delta;
  entry.previous_value = staged.old_value;
  entry.digest_after = staged.digest;
  return entry;
}

absl::Status NoRecord(absl::string_view key) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kStateMismatch,
                   absl::StrCat("key ", absl::BytesToHexString(key),
                                " is in the tree but not in keyspace records"));
}

}  // namespace

OperationKind LoggedKind(const StagedOperation& staged) {
  switch (staged.operation.kind) {
    case OperationKind::kInsertOrUpdate:
      return staged.old_value.has_value() ? OperationKind::kUpdate : OperationKind::kInsert;
    case OperationKind::kRemoveIfExists:
      return staged.old_value.has_value() ? OperationKind::kRemove : OperationKind::kRemoveIfExists;
    default:
      return staged.operation.kind;
  }
}

void Staging::Add(StagedOperation operation) {
  if (IsLogged(operation)) ++logged_;
  if (operation.effect == Effect::kStore && !operation.old_value.has_value()) ++key_difference_;
  if (operation.effect == Effect::kRemove) {
    --key_difference_;
    removes_ = true;
  }
  operations_.push_back(std::move(operation));
}

void Staging::SetMetadata(absl::string_view key, absl::string_view value) {
  metadata_.insert_or_assign(std::string(key), std::string(value));
}

void Staging::Clear() {
  operations_.clear();
  metadata_.clear();
  logged_ = 0;
  key_difference_ = 0;
  removes_ = false;
}

absl::StatusOr<WriteBatch> Staging::Build(const TreeStore& store, const CommitFacts& facts) const {
  WriteBatch batch;
  const Outcomes outcomes = AddLogEntries(store, facts, batch);
  FIRN_RETURN_IF_ERROR(AddRecords(store, outcomes, batch));
  if (logged_ > 0) {
    AddTimeRuns(store, facts, batch);
  }
  if (removes_) batch.Put(store.keyspaces.metadata, RemovedKey(kOnlyTree), "");
  for (const auto& [key, value] : metadata_) {
    batch.Put(store.keyspaces.metadata, ClientKey(key), value);
  }
  return batch;
}

// One row for each run of operations with one time.
void Staging::AddTimeRuns(const TreeStore& store, const CommitFacts& facts,
                          WriteBatch& batch) const {
  OperationLog::TimeRun run{.tree = kOnlyTree, .time_ms = 0, .first = facts.before.operation + 1};
  for (const StagedOperation& staged : operations_) {
    if (!IsLogged(staged)) continue;
    const uint64_t time_ms = staged.time_ms.value_or(facts.time_ms);
    if (run.count > 0 && time_ms != run.time_ms) {
      store.log.AppendTimeRun(run, batch);
      run.first += run.count;
      run.count = 0;
    }
    run.time_ms = time_ms;
    ++run.count;
  }
  store.log.AppendTimeRun(run, batch);
}

Staging::Outcomes Staging::AddLogEntries(const TreeStore& store, const CommitFacts& facts,
                                         WriteBatch& batch) const {
  Outcomes outcomes;
  uint64_t number = facts.before.operation;
  for (const StagedOperation& staged : operations_) {
    if (!IsLogged(staged)) continue;
    ++number;
    LogEntry entry = MakeEntry(staged, facts.before.commit + 1, facts.time_ms);
    if (number == facts.before.operation + logged_) {
      entry.ends_commit = true;
      entry.digest_after = facts.digest;
    }
    store.log.Append(number, entry, batch);
    if (staged.effect == Effect::kNone) continue;
    const auto [outcome, is_first] = outcomes.try_emplace(staged.operation.key);
    if (is_first) outcome->second.was_there = staged.old_value.has_value();
    if (!staged.old_value.has_value()) outcome->second.inserted_at = number;
    outcome->second.last = &staged;
  }
  return outcomes;
}

absl::Status Staging::AddRecords(const TreeStore& store, const Outcomes& outcomes,
                                 WriteBatch& batch) {
  // Keys that stay keep their ranks, which stand in their records.
  std::vector<std::string> kept;
  std::vector<const StagedOperation*> kept_by;
  for (const auto& [key, outcome] : outcomes) {
    std::string row_key = EncodeRecordKey(kOnlyTree, key);
    if (outcome.last->effect == Effect::kRemove) {
      if (outcome.was_there) batch.Remove(store.keyspaces.records, row_key);
    } else if (outcome.inserted_at != 0) {
      const TreeRecord record{.rank = outcome.inserted_at, .value = outcome.last->new_value};
      batch.Put(store.keyspaces.records, row_key, EncodeRecord(record));
    } else {
      kept.push_back(std::move(row_key));
      kept_by.push_back(outcome.last);
    }
  }
  const std::vector<absl::string_view> views(kept.begin(), kept.end());
  const std::vector<absl::StatusOr<PinnedValue>> rows = store.keyspaces.records.MultiGet(views);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (absl::IsNotFound(rows[i].status()) && ReasonOf(rows[i].status()) == ErrorReason::kNone) {
      return NoRecord(kept_by[i]->operation.key);
    }
    FIRN_RETURN_IF_ERROR(rows[i].status());
    FIRN_ASSIGN_OR_RETURN(const RecordView record, DecodeRecord(rows[i]->view()));
    batch.Put(store.keyspaces.records, kept[i],
              EncodeRecord({.rank = record.rank, .value = kept_by[i]->new_value}));
  }
  return absl::OkStatus();
}

}  // namespace firn
