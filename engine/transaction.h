// engine/transaction.h: what stands behind firn::Transaction: a snapshot, what was written over it,
// what was read of it, and the commit, which asks until it is known whether anyone came first
// (engine/conflict_check.h says how).
//
//   open    --Commit, Rollback, destructor-->    ended: no snapshot, no sets
#ifndef FIRN_ENGINE_TRANSACTION_H_
#define FIRN_ENGINE_TRANSACTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/conflict_check.h"
#include "engine/read_set.h"
#include "engine/savepoint.h"
#include "engine/transaction_iterator.h"
#include "engine/write_set.h"
#include "firn/transaction.h"

namespace firn {

class DatabaseImpl;

// InvalidArgument/kInvalidOption.
absl::Status CheckTransactionOptions(const TransactionOptions& options);

// One thread at a time. Calls as in firn/transaction.h.
class TransactionImpl final : public TransactionView,
                              public std::enable_shared_from_this<TransactionImpl> {
 public:
  // `database` must outlive the end of the transaction.
  TransactionImpl(DatabaseImpl& database, const TransactionOptions& options);
  ~TransactionImpl() override;

  absl::StatusOr<PinnedValue> Get(const Keyspace& keyspace, absl::string_view key);
  absl::StatusOr<PinnedValue> GetForUpdate(const Keyspace& keyspace, absl::string_view key);
  std::vector<absl::StatusOr<PinnedValue>> MultiGet(const Keyspace& keyspace,
                                                    absl::Span<const absl::string_view> keys);
  std::unique_ptr<Iterator> NewIterator(const Keyspace& keyspace, const IteratorOptions& options);
  absl::Status Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value);
  absl::Status Remove(const Keyspace& keyspace, absl::string_view key);
  absl::Status CreateSavepoint(absl::string_view name);
  absl::Status RollbackToSavepoint(absl::string_view name);
  absl::Status ReleaseSavepoint(absl::string_view name);
  absl::StatusOr<size_t> ChangesSince(absl::string_view name) const;
  const SavepointStack& savepoints() const { return savepoints_; }
  absl::Status Commit(Durability durability);
  absl::Status Rollback();
  void End();

  bool ended() const { return ended_; }
  size_t write_count() const { return writes_.key_count(); }
  const Snapshot& snapshot() const { return snapshot_; }
  const TransactionOptions& options() const { return options_; }

  absl::Status CheckReadable() const override;
  const WriteSet& writes() const override { return writes_; }
  ReadSet* reads_to_check() override {
    return options_.isolation == Isolation::kSerializable ? &reads_ : nullptr;
  }

 private:
  absl::Status CheckOpen() const;
  // Also notes the keyspace, for later questions about it.
  absl::Status CheckUse(const Keyspace& keyspace);
  absl::Status CheckWrite(const Keyspace& keyspace, absl::string_view key,
                          absl::string_view value);
  absl::StatusOr<PinnedValue> Read(const Keyspace& keyspace, absl::string_view key, bool noted);
  // Notes a read in reads_, unless that passed the limit: a refused read has no effect.
  absl::Status NotePoint(const Keyspace& keyspace, absl::string_view key);
  absl::Status WriteChecked(const WriteBatch& batch, Durability durability);
  // Looks into the store up to what is published now, and lets the query go on from there.
  absl::Status LookIntoStore(const WriteBatch& batch, ConflictQuery& query);
  // No key: entries of the keyspace were dropped.
  absl::Status Conflict(uint32_t keyspace, std::optional<absl::string_view> key) const;
  ConflictQuery NewQuery() const;
  // Whether a put that did not ascend lost against a later one than the snapshot's: then the conflict.
  absl::Status AscentConflict(const absl::Status& refused) const;

  DatabaseImpl& database_;
  const TransactionOptions options_;
  bool ended_ = false;
  SequenceNumber entered_;  // for ConflictCheck::Leave()
  uint64_t drops_seen_;     // before the snapshot
  Snapshot snapshot_;
  WriteSet writes_;
  ReadSet reads_;
  SavepointStack savepoints_;
  std::map<uint32_t, Keyspace> keyspaces_;  // that it read or wrote, by id
};

}  // namespace firn

#endif  // FIRN_ENGINE_TRANSACTION_H_
