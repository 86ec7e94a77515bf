// engine/database.h: what stands behind firn::Database. It wires the parts and holds their order of
// birth and death; the work is in its neighbours.
//
//   reads    Keyspace -> KeyspaceImpl -> Version (engine/keyspace.h, engine/version.h)
//   writes   CommitQueue -> WritePath -> ActiveLog, memtables
//   merges   BackgroundWork -> jobs -> VersionSet -> ObsoleteFiles
//   opening  engine/recovery.h
//
// Every call but reads passes a gate (CallGuard), which Close() shuts and then waits behind. Readers
// look at one flag and touch no shared count: what they use lives until the destructor.
#ifndef FIRN_ENGINE_DATABASE_H_
#define FIRN_ENGINE_DATABASE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "engine/active_log.h"
#include "engine/background_work.h"
#include "engine/commit_queue.h"
#include "engine/conflict_check.h"
#include "engine/keyspace.h"
#include "engine/memory_budget.h"
#include "engine/obsolete_files.h"
#include "engine/recovery.h"
#include "engine/snapshot_registry.h"
#include "engine/space_watch.h"
#include "engine/statistics.h"
#include "engine/store_file.h"
#include "engine/ticker.h"
#include "engine/turn.h"
#include "engine/version_set.h"
#include "engine/write_path.h"
#include "firn/database.h"
#include "firn/ingest.h"
#include "firn/options.h"
#include "io/file_system.h"
#include "sstable/block_cache.h"
#include "sstable/segment_cache.h"

namespace firn {

// Where a database gets files, background work, time and chance from. A test gives its own.
struct Environment {
  FileSystem* file_system = nullptr;
  Executor* executor = nullptr;
  Clock* clock = nullptr;
  std::function<uint64_t()> new_random;  // salts of logs and ids of segments
  std::string io_reason;                 // why io_uring is not used; empty if it is
  uint64_t tick_us = 0;                  // Tick() is called so often; 0: by the test alone
  std::shared_ptr<void> owned;           // destroyed after the database; may be null
};

class DatabaseImpl {
 public:
  // The environment for `options` on this machine.
  static absl::StatusOr<Environment> SystemEnvironment(const Options& options);

  // Options are not checked here: tests use smaller ones than Database::Open() accepts.
  static absl::StatusOr<std::unique_ptr<DatabaseImpl>> Open(absl::string_view path,
                                                            const Options& options,
                                                            Environment environment);
  ~DatabaseImpl();

  // What is done by time: timed merges, the look at readers. One thread at a time.
  void Tick();

  // As in firn/database.h.
  absl::Status Close() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Keyspace> CreateKeyspace(absl::string_view name, const KeyspaceOptions& options)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Keyspace> OpenKeyspace(absl::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Keyspace> OpenOrCreateKeyspace(absl::string_view name,
                                                const KeyspaceOptions& options)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status DropKeyspace(absl::string_view name) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> ListKeyspaces() const ABSL_LOCKS_EXCLUDED(mutex_);
  // `transaction`: may refuse the write; null for any other write.
  absl::Status Write(const WriteBatch& batch, Durability durability,
                     ConflictQuery* transaction = nullptr) ABSL_LOCKS_EXCLUDED(mutex_);
  // Every write that has a number by now has taken effect, or never will.
  absl::Status AwaitWritesInFlight() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::unique_ptr<Transaction>> BeginTransaction(const TransactionOptions& options);
  absl::Status RunInTransaction(const std::function<absl::Status(Transaction&)>& work,
                                const RunOptions& options);
  ConflictCheck& conflicts() { return conflicts_; }
  EngineCounters& counters() { return counters_; }
  absl::Status Sync() ABSL_LOCKS_EXCLUDED(mutex_);
  // InvalidArgument (empty, or of another database), kClosed, kKeyspaceDropped.
  absl::Status CheckHandle(const Keyspace& keyspace) const;
  // How often entries went without a sequence number: dropped keyspaces, raised bounds.
  uint64_t drops() const { return reading_.drops.load(); }
  Snapshot TakeSnapshot() { return snapshots_.Take(reading_.published); }
  uint64_t last_sequence() const { return reading_.published.load(std::memory_order_acquire); }
  absl::Status Flush(const Keyspace& keyspace) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Compact(const Keyspace& keyspace, absl::string_view begin, absl::string_view limit)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status DropBelow(const Keyspace& keyspace, absl::string_view key);
  absl::StatusOr<IngestReport> IngestSegments(const Keyspace& keyspace,
                                              absl::Span<const std::string> paths,
                                              const IngestOptions& options);
  absl::Status WaitForBackgroundWork() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<VerifyReport> Verify(VerifyLevel level) ABSL_LOCKS_EXCLUDED(mutex_);
  // engine/database_limits.cc
  absl::Status SetSizeLimits(const Keyspace& keyspace, const SizeLimits& limits);
  absl::Status SetCompression(const Keyspace& keyspace, const CompressionChoice& choice);
  absl::Status SetBlockCacheSize(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t ReserveMemory(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReturnMemory(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  Statistics statistics() const ABSL_LOCKS_EXCLUDED(mutex_);
  const std::map<std::string, std::string>& identity() const { return store_.identity; }
  const std::string& store_id() const { return store_.id; }
  const std::string& path() const { return path_; }
  const Options& options() const { return options_; }
  FileSystem& file_system() { return *environment_.file_system; }

 private:
  class CallGuard;  // in a call; not OK once Close() has begun

  DatabaseImpl(absl::string_view path, const Options& options, Environment environment);

  absl::Status Recover();
  void SayWarnings() const;
  absl::Status StartWriting(OpenedFolder& folder, const ReplayedLogs& replayed);
  absl::Status WithSpareSpace(absl::FunctionRef<absl::Status()> step);
  void MakeParts(OpenedFolder& folder, ReplayedLogs replayed, StoreState state);
  absl::Status CheckNotClosed() const;
  void Say(absl::string_view line) const;
  std::string FolderOf(absl::string_view keyspace) const;
  std::shared_ptr<const KeyspaceTable> table() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<KeyspaceImpl> Find(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  // ResourceExhausted/kKeyspaceFull if one of them is above its limit; passing one is said in the log.
  absl::Status CheckSizes(absl::Span<KeyspaceImpl* const> keyspaces);
  uint64_t BlockCacheSize() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FlushKeyspace(const std::shared_ptr<KeyspaceImpl>& keyspace);
  absl::Status PersistOptions();
  // Tells the log in what `asked` differs from what the keyspace has.
  void SayDifferences(const Keyspace& keyspace, const KeyspaceOptions& asked) const;
  // VersionSet::Commit(); a failure that sticks there sticks in the commit queue too.
  absl::Status CommitEdit(absl::FunctionRef<absl::StatusOr<VersionEdit>(const StoreState&)> make,
                          absl::FunctionRef<void(const StoreState&)> publish);
  absl::Status CloseOnce() ABSL_LOCKS_EXCLUDED(mutex_);

  // In order of birth; members die in the opposite order.
  const std::string path_;
  const Options given_options_;
  const MemoryShares shares_;
  const Options options_;  // the given ones, cut to the shares
  const Environment environment_;
  std::string directory_;
  StoreFile store_;
  std::unique_ptr<DirectoryLock> lock_;
  EngineCounters counters_;
  SnapshotRegistry snapshots_;
  BlockCache blocks_;
  SegmentCache segments_;
  ReadContext reading_;
  ConflictCheck conflicts_;
  SpaceWatch space_;
  ObsoleteFiles obsolete_;
  std::unique_ptr<VersionSet> versions_;
  std::unique_ptr<ActiveLog> log_;
  std::unique_ptr<BackgroundWork> background_;
  std::unique_ptr<WritePath> write_path_;
  std::unique_ptr<CommitQueue> queue_;

  std::unique_ptr<Ticker> ticker_;
  std::optional<SequenceNumber> warned_reader_;  // the oldest that was warned of; Tick()'s

  bool recovered_ = false;  // set before the database is shared
  Turn keyspaces_turn_;     // of creating and dropping keyspaces

  mutable Mutex mutex_;
  CondVar call_ended_;
  std::shared_ptr<const KeyspaceTable> table_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status close_status_ ABSL_GUARDED_BY(mutex_);  // once closed_
  uint64_t calls_ ABSL_GUARDED_BY(mutex_) = 0;  // in progress
  uint64_t reserved_ ABSL_GUARDED_BY(mutex_) = 0;          // bytes, of the block cache's share
  uint64_t block_cache_size_ ABSL_GUARDED_BY(mutex_) = 0;  // that was asked for
};

}  // namespace firn

#endif  // FIRN_ENGINE_DATABASE_H_
