// bench/peer_leveldb.cc: LevelDB. Settings, after its documentation (doc/index.md):
//   write_buffer_size   its two memtables (one filling, one being flushed) hold together what the
//                       three of the others hold: 3/2 of the job's size each
//   block_cache         as the job says; filter_policy: Bloom, bits as the job says
//   compression         Snappy, its only one (the package has no zstd)
//   max_open_files      enough that no file is closed and opened again
//   block_size 4096, max_file_size 2 MiB: defaults, which its levels are tuned for
// Reading many keys is reading them one by one at one snapshot: it has no other call.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status.h"
#include "bench/engines.h"
#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/env.h"
#include "leveldb/filter_policy.h"
#include "leveldb/write_batch.h"

namespace firn::bench {
namespace {

leveldb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }

absl::Status ToStatus(const leveldb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("leveldb: ", status.ToString()));
}

// Counts background jobs. LevelDB schedules the next one from within the last, so that none left
// means that none is due.
class CountingEnv final : public leveldb::EnvWrapper {
 public:
  CountingEnv() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  void Schedule(void (*function)(void*), void* argument) override {
    {
      MutexLock lock(mutex_);
      ++jobs_;
    }
    target()->Schedule(&Run, new Job{this, function, argument});
  }

  void AwaitNone() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    while (jobs_ > 0) none_.Wait(mutex_);
  }

 private:
  struct Job {
    CountingEnv* env;
    void (*function)(void*);
    void* argument;
  };

  static void Run(void* argument) {
    const std::unique_ptr<Job> job(static_cast<Job*>(argument));
    job->function(job->argument);
    MutexLock lock(job->env->mutex_);
    if (--job->env->jobs_ == 0) job->env->none_.NotifyAll();
  }

  Mutex mutex_;
  CondVar none_;
  uint64_t jobs_ ABSL_GUARDED_BY(mutex_) = 0;
};

class LevelDbSession final : public Session {
 public:
  explicit LevelDbSession(leveldb::DB& database) : database_(database) {}

  void Put(absl::string_view key, absl::string_view value) override {
    batch_.Put(ToSlice(key), ToSlice(value));
  }

  absl::Status Commit(Sync sync) override {
    leveldb::WriteOptions options;
    options.sync = sync == Sync::kSynced;
    const leveldb::Status written = database_.Write(options, &batch_);
    batch_.Clear();
    return ToStatus(written);
  }

  absl::Status Get(absl::string_view key, ReadResult& result) override {
    return GetAt(key, nullptr, result);
  }

  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    const leveldb::Snapshot* const snapshot = database_.GetSnapshot();
    absl::Status status;
    for (size_t i = 0; i < keys.size() && status.ok(); ++i) {
      status = GetAt(keys[i], snapshot, results[i]);
    }
    database_.ReleaseSnapshot(snapshot);
    return status;
  }

  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    const std::unique_ptr<leveldb::Iterator> iterator(
        database_.NewIterator(leveldb::ReadOptions()));
    uint64_t records = 0;
    for (iterator->Seek(ToSlice(begin)); records < records_max && iterator->Valid();
         iterator->Next()) {
      const leveldb::Slice key = iterator->key();
      const leveldb::Slice value = iterator->value();
      visit({key.data(), key.size()}, {value.data(), value.size()});
      ++records;
    }
    FIRN_RETURN_IF_ERROR(ToStatus(iterator->status()));
    return records;
  }

 private:
  absl::Status GetAt(absl::string_view key, const leveldb::Snapshot* snapshot,
                     ReadResult& result) {
    leveldb::ReadOptions options;
    options.snapshot = snapshot;
    const leveldb::Status status = database_.Get(options, ToSlice(key), &result.value);
    result.found = status.ok();
    return status.IsNotFound() ? absl::OkStatus() : ToStatus(status);
  }

  leveldb::DB& database_;
  leveldb::WriteBatch batch_;
};

class LevelDbPeer final : public Peer {
 public:
  absl::Status Open(const PeerOptions& options) {
    filter_.reset(leveldb::NewBloomFilterPolicy(static_cast<int>(options.filter_bits)));
    cache_.reset(leveldb::NewLRUCache(options.cache));
    leveldb::Options settings;
    settings.create_if_missing = true;
    settings.env = &env_;
    settings.write_buffer_size = options.memtable * std::max<uint64_t>(options.memtables, 2) / 2;
    settings.block_cache = cache_.get();
    settings.filter_policy = options.filter_bits > 0 ? filter_.get() : nullptr;
    settings.compression =
        options.compress ? leveldb::kSnappyCompression : leveldb::kNoCompression;
    settings.max_open_files = 10'000;
    leveldb::DB* database = nullptr;
    FIRN_RETURN_IF_ERROR(ToStatus(leveldb::DB::Open(settings, options.path, &database)));
    database_.reset(database);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Session>> NewSession() override {
    return std::make_unique<LevelDbSession>(*database_);
  }

  absl::Status Settle() override {
    // A write of no batch makes it begin a new memtable, which sends the old one to a file.
    FIRN_RETURN_IF_ERROR(ToStatus(database_->Write(leveldb::WriteOptions(), nullptr)));
    env_.AwaitNone();
    return absl::OkStatus();
  }

  absl::Status Close() override {
    database_.reset();
    return absl::OkStatus();
  }

 private:
  CountingEnv env_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> database_;  // goes first
};

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> OpenLevelDb(const PeerOptions& options) {
  auto peer = std::make_unique<LevelDbPeer>();
  FIRN_RETURN_IF_ERROR(peer->Open(options));
  return peer;
}

}  // namespace firn::bench
