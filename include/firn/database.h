// firn/database.h: a store of keyspaces with atomic batches, snapshots and background compaction.
//
// Example:
//     auto database = firn::Database::Open("/var/lib/ledger", {}).value();
//     firn::Keyspace notes = database->OpenOrCreateKeyspace("notes", {}).value();
//     firn::WriteBatch batch;
//     batch.Put(notes, "alice", "10");
//     absl::Status written = database->Write(batch, firn::Durability::kSynced);
//     absl::StatusOr<firn::PinnedValue> value = notes.Get("alice");
#ifndef FIRN_DATABASE_H_
#define FIRN_DATABASE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/ingest.h"
#include "firn/keyspace.h"
#include "firn/options.h"
#include "firn/snapshot.h"
#include "firn/statistics.h"
#include "firn/transaction.h"
#include "firn/write_batch.h"

namespace firn {

class DatabaseImpl;

// How far Database::Verify() looks.
enum class VerifyLevel : uint8_t {
  kFiles = 1,   // manifest against folder: every file there, with its size and id
  kBlocks = 2,  // every block, index, filter and log record read and checked; keys in order
};

// What Verify() found. Damage is listed, never repaired.
struct VerifyReport {
  uint64_t files = 0;
  uint64_t blocks = 0;
  uint64_t entries = 0;
  uint64_t bytes = 0;
  std::vector<std::string> damage;  // one sentence each: file, offset, what
  std::vector<std::string> notes;   // what could not be judged, e.g. the last flush of an open store
  bool clean() const { return damage.empty(); }
};

// Thread-safe. One process at a time: a second one is refused by the lock (FailedPrecondition/
// kLocked).
class Database {
 public:
  // Opens, recovers or creates the store in folder `path`. Errors: InvalidArgument (an option out of
  // range, by name), FailedPrecondition (kLocked; kNotAStore: a folder with other files in it;
  // kFormatVersion), DataLoss (damage, with file and offset), or an I/O error.
  static absl::StatusOr<std::unique_ptr<Database>> Open(absl::string_view path,
                                                        const Options& options);
  // As Close(), but what Close() would report is sent to the log sink.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Waits for calls and background work in progress, writes the closing record, releases the lock.
  // Idempotent: a later Close() returns what the first one did. Other later calls return
  // FailedPrecondition/kClosed. Destroy iterators first: one that is left may go on for a while.
  absl::Status Close();

  // Names: 1 to 64 characters of [a-z0-9_-]; each is also a folder; "wal" and "quarantine" are
  // refused. Durable when the call returns. AlreadyExists/kKeyspaceExists.
  absl::StatusOr<Keyspace> CreateKeyspace(absl::string_view name, const KeyspaceOptions& options);
  // NotFound/kKeyspaceNotFound.
  absl::StatusOr<Keyspace> OpenKeyspace(absl::string_view name);
  // `options` count if it is created; one that is there keeps its own (Keyspace::options()).
  absl::StatusOr<Keyspace> OpenOrCreateKeyspace(absl::string_view name,
                                                const KeyspaceOptions& options);
  absl::Status DropKeyspace(absl::string_view name);
  std::vector<std::string> ListKeyspaces() const;  // sorted

  // Applies `batch` atomically: after a crash all of it is there, or none (kVolatile: see there). On
  // success every read that starts later sees it. May block. An empty batch does nothing.
  // Errors: InvalidArgument (too large, an empty handle, kVolatile over two keyspaces, an
  // entry that the layout of its keyspace does not take: see KeyspaceLayout),
  // FailedPrecondition (dropped keyspace, closed), ResourceExhausted (kDiskFull: nothing is
  // written; works again when there is room; kKeyspaceFull: a put into a keyspace that is above its
  // size_limit), or an I/O error, which every later Write() then
  // returns (kPoisoned) until the database is reopened.
  absl::Status Write(const WriteBatch& batch, Durability durability);
  // Makes every kBuffered write that has returned durable.
  absl::Status Sync();

  // A transaction that reads as of now (firn/transaction.h). FailedPrecondition/kClosed,
  // InvalidArgument/kInvalidOption.
  absl::StatusOr<std::unique_ptr<Transaction>> BeginTransaction(const TransactionOptions& options);
  // Calls `work` with a transaction and commits it; after a conflict all over again, with a new one,
  // until the attempts are used up: then Aborted/kConflict. An error of `work` rolls back and is
  // returned, unless it is such a conflict itself. `work` must have no effect beside the
  // transaction that may not happen twice, and must not commit; if it rolls back, that is the end.
  absl::Status RunInTransaction(const std::function<absl::Status(Transaction&)>& work,
                                const RunOptions& options);

  // Sees every write that has returned.
  Snapshot TakeSnapshot();
  // The number of the last visible write.
  uint64_t last_sequence() const;

  // Writes the keyspace's memtables to segments and waits; covers kVolatile writes too.
  absl::Status Flush(const Keyspace& keyspace);
  // Flushes, then merges [begin, limit) down to the last level (empty limit: no limit), and waits.
  absl::Status Compact(const Keyspace& keyspace, absl::string_view begin, absl::string_view limit);
  // kSequence: every key below `key` (8 bytes) is gone, for snapshots too, when the call returns; a put
  // that runs meanwhile counts as before it. Durable. Space comes back by whole segments. A bound at
  // or below an earlier one changes nothing. InvalidArgument for other layouts and sizes.
  absl::Status DropBelow(const Keyspace& keyspace, absl::string_view key);
  // Takes files of SegmentBuilder into `keyspace` (firn/ingest.h): all of them, with one edit, or none.
  // Durable when it returns, and with it every write that has returned. Readers and snapshots that
  // began before see none of it, later ones all. Newer than everything written before; of two files
  // with a key the later in `paths` counts. Open transactions that read or write a key of theirs
  // conflict. Memtables with keys in their range are flushed first; writes wait for that if they go
  // on meanwhile, and for one sync. Each file is read to its end and checked before anything changes.
  // Errors, naming file and reason: InvalidArgument (no such file, made for other options, of a store,
  // in the store already, a key twice, kSequence: not above the last key), FailedPrecondition
  // (kNotAStore: no segment; dropped keyspace, closed), DataLoss (damaged), ResourceExhausted
  // (kDiskFull, kKeyspaceFull: it would be above its size_limit), Unavailable (kLink and kMove to
  // another file system), or an I/O error. After any of them the store is as it was, unless the
  // error sticks (kPoisoned). InvalidArgument for Storage::kMemory.
  absl::StatusOr<IngestReport> IngestSegments(const Keyspace& keyspace,
                                              absl::Span<const std::string> paths,
                                              const IngestOptions& options);
  // Waits until no background work is due.
  absl::Status WaitForBackgroundWork();

  // Reads everything at `level` and reports damage. OK with damage listed; an error only if the
  // walk itself could not be done. Reads and writes go on meanwhile.
  absl::StatusOr<VerifyReport> Verify(VerifyLevel level);

  // From the next write on; durable. InvalidArgument/kInvalidOption (firn/options.h has the ranges).
  absl::Status SetSizeLimits(const Keyspace& keyspace, const SizeLimits& limits);
  // How segments of the keyspace are compressed that are written from now on; durable. Those that are
  // there stay as they are, and readable. InvalidArgument/kInvalidOption.
  absl::Status SetCompression(const Keyspace& keyspace, const CompressionChoice& choice);
  // At once. InvalidArgument/kInvalidOption: above 1 TiB, or above the share that a memory budget
  // leaves (statistics().memory.block_cache.share).
  absl::Status SetBlockCacheSize(uint64_t bytes);
  // For a cache of the caller's own that is to count as part of the memory budget: takes up to `bytes`
  // from the block cache, which keeps at least half of its share. What was granted, `bytes` if there
  // is no budget; give it back with ReturnMemory().
  uint64_t ReserveMemory(uint64_t bytes);
  void ReturnMemory(uint64_t bytes);

  Statistics statistics() const;
  const std::map<std::string, std::string>& identity() const;  // as given at creation
  const std::string& store_id() const;                         // 32 hex digits, random
  const std::string& path() const;

  // For the engine.
  explicit Database(std::unique_ptr<DatabaseImpl> impl);
  DatabaseImpl& impl() { return *impl_; }

 private:
  std::unique_ptr<DatabaseImpl> impl_;
};

}  // namespace firn

#endif  // FIRN_DATABASE_H_
