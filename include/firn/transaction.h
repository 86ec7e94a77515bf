// firn/transaction.h: reads at one point in time and writes that happen together, or not at all.
//
// Example:
//     absl::Status moved = database->RunInTransaction(
//         [&](firn::Transaction& transaction) -> absl::Status {
//           auto balance = transaction.Get(accounts, "alice");
//           if (!balance.ok()) return balance.status();
//           if (absl::Status put = transaction.Put(accounts, "alice", Less(balance->view()));
//               !put.ok()) {
//             return put;
//           }
//           return transaction.Put(log, NextKey(), "alice paid");
//         },
//         {});
//
// Transactions are optimistic: nothing is locked while one is built, and any number may be open. At
// Commit() the writes get their place in the order of all writes; there it is checked that nobody
// else came first:
//   * kSnapshot (the default): no key that it writes, or read with GetForUpdate(), was written by
//     anyone since its snapshot. First committer wins; two transactions that each read what the
//     other writes may both commit (write skew).
//   * kSerializable: nor was any key that it looked up, present or absent, nor any key in a range
//     that an iterator of it walked over. Transactions of this kind that write have an effect as if
//     they had run one at a time, in the order of their commits; one that writes nothing ran at its
//     snapshot.
// Plain Database::Write() calls count as transactions that read nothing.
#ifndef FIRN_TRANSACTION_H_
#define FIRN_TRANSACTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/iterator.h"
#include "firn/keyspace.h"
#include "firn/options.h"
#include "firn/snapshot.h"

namespace firn {

class TransactionImpl;

enum class Isolation : uint8_t {
  kSnapshot = 1,      // checks what was written
  kSerializable = 2,  // and what was read: costs memory for each key and range read, and retries
};

struct TransactionOptions {
  Isolation isolation = Isolation::kSnapshot;
  size_t write_bytes_max = size_t{16} << 20;  // [1 KiB, 64 MiB]; keys and values written, with 16
                                              // bytes an entry. A write beyond it is refused
  size_t read_bytes_max = size_t{16} << 20;   // [1 KiB, 1 GiB]; what is remembered to be checked,
                                              // with 64 bytes an entry. A read beyond it is refused
};

struct RunOptions {
  TransactionOptions transaction;
  Durability durability = Durability::kSynced;  // kSynced or kBuffered
  uint32_t attempts_max = 100;                  // [1, 1000000]
  uint32_t backoff_us_min = 50;       // the second attempt waits up to so long, by chance; each
  uint32_t backoff_us_max = 20'000;   // later one up to twice that; and never longer than this
};

// One thread at a time, its iterators included; different transactions are independent. Keeps its
// snapshot (see firn/snapshot.h for what that costs) until it ends. Must not outlive its Database.
// Once it has ended every call returns FailedPrecondition/kTransactionEnded.
//
// Errors of reads and writes, beside those of firn/keyspace.h: InvalidArgument/kTooLarge at a limit
// of TransactionOptions, or for a key or value over its own. A refused write has no effect.
class Transaction {
 public:
  ~Transaction();  // as Rollback()
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // --- reads: the snapshot, with this transaction's own writes over it
  // NotFound, with an empty message, if absent.
  absl::StatusOr<PinnedValue> Get(const Keyspace& keyspace, absl::string_view key);
  // As Get(), and Commit() of a transaction that writes anything fails if anyone else writes `key`
  // meanwhile, whatever the isolation.
  absl::StatusOr<PinnedValue> GetForUpdate(const Keyspace& keyspace, absl::string_view key);
  // One result a key, in the order of `keys`.
  std::vector<absl::StatusOr<PinnedValue>> MultiGet(const Keyspace& keyspace,
                                                    absl::Span<const absl::string_view> keys);
  // Never null. `options.snapshot` must be empty. Shows the transaction's writes as they are when it
  // moves, also those made after it was. After the end of the transaction it is not Valid().
  std::unique_ptr<Iterator> NewIterator(const Keyspace& keyspace,
                                        const IteratorOptions& options = {});

  // --- writes: seen by nobody else before Commit(). The last one for a key counts.
  absl::Status Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value);
  absl::Status Remove(const Keyspace& keyspace, absl::string_view key);

  // --- savepoints: a stack of names
  // AlreadyExists/kSavepointExists.
  absl::Status CreateSavepoint(absl::string_view name);
  // Undoes what was written since, in every keyspace, and forgets the later savepoints. What was read
  // since is forgotten too and no longer checked: do not act on it. The savepoint itself stays, and
  // can be gone back to again. NotFound/kSavepointNotFound.
  absl::Status RollbackToSavepoint(absl::string_view name);
  // Forgets the savepoint and the later ones; undoes nothing.
  absl::Status ReleaseSavepoint(absl::string_view name);
  std::vector<std::string> savepoint_names() const;  // oldest first
  // Puts and removes since then that were not undone. Repeated ones for a key count each.
  absl::StatusOr<size_t> ChangesSince(absl::string_view name) const;

  // --- the end
  // Makes the writes durable and visible, as one write. Without any it only ends. Whatever it
  // returns, the transaction has ended. Errors: Aborted/kConflict, naming keyspace and key: run it
  // again from the beginning; InvalidArgument for kVolatile; and those of Database::Write().
  absl::Status Commit(Durability durability = Durability::kSynced);
  absl::Status Rollback();

  bool ended() const;
  // Keys that it would write.
  size_t write_count() const;
  // What it reads; empty once it has ended.
  const Snapshot& snapshot() const;
  Isolation isolation() const;

  // For the engine.
  explicit Transaction(std::shared_ptr<TransactionImpl> impl) : impl_(std::move(impl)) {}

 private:
  const std::shared_ptr<TransactionImpl> impl_;
};

// A part of a transaction that is undone as a whole unless Keep() is called: a savepoint with the life
// of a C++ scope. They nest. The transaction must outlive it.
//
//     firn::NestedTransaction part(transaction);
//     if (TryTransfer(transaction).ok()) part.Keep();
class NestedTransaction {
 public:
  explicit NestedTransaction(Transaction& transaction);
  ~NestedTransaction();  // undoes it; does nothing once it was kept or the transaction has ended
  NestedTransaction(const NestedTransaction&) = delete;
  NestedTransaction& operator=(const NestedTransaction&) = delete;

  // Its writes now belong to what is around it.
  absl::Status Keep();
  // Undoes its writes; it may go on, and be kept later.
  absl::Status Undo();

 private:
  Transaction& transaction_;
  const std::string name_;
  absl::Status begun_;
  bool open_ = false;
};

}  // namespace firn

#endif  // FIRN_TRANSACTION_H_
