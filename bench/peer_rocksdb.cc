// bench/peer_rocksdb.cc: RocksDB. Settings, after its wiki ("Setup Options and Basic Tuning", "Block
// Cache", "RocksDB Bloom Filter", "Data Block Hash Index", "Pipelined Write"):
//   write_buffer_size, max_write_buffer_number   as the job says
//   compression            LZ4 on all levels;  filter: full Bloom, bits as the job says
//   block cache            LRU, 64 shards; index and filter blocks beside it, never evicted
//   block_size 4096, hash index in data blocks, format_version 5
//   level_compaction_dynamic_level_bytes, bytes_per_sync 1 MiB, as recommended
//   enable_pipelined_write; logs are recycled when commits are synced
//   max_background_jobs    the number of processors, at least 2
//   max_total_wal_size     as the job says;  max_open_files: all
// Debian's package is built with assertions and a table-driven CRC: half the speed of a release build.
#include "rocksdb/db.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "bench/engines.h"
#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"

namespace firn::bench {
namespace {

rocksdb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }

absl::Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("rocksdb: ", status.ToString()));
}

class RocksDbSession final : public Session {
 public:
  explicit RocksDbSession(rocksdb::DB& database) : database_(database) {}

  void Put(absl::string_view key, absl::string_view value) override {
    const rocksdb::Status put = batch_.Put(ToSlice(key), ToSlice(value));
    if (!put.ok() && put_error_.ok()) put_error_ = put;
  }

  absl::Status Commit(Sync sync) override {
    FIRN_RETURN_IF_ERROR(ToStatus(put_error_));
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::kSynced;
    const rocksdb::Status written = database_.Write(options, &batch_);
    batch_.Clear();
    return ToStatus(written);
  }

  absl::Status Get(absl::string_view key, ReadResult& result) override {
    const rocksdb::Status status =
        database_.Get(read_, database_.DefaultColumnFamily(), ToSlice(key), &pinned_);
    const absl::Status taken = Take(status, pinned_, result);
    pinned_.Reset();
    return taken;
  }

  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    keys_.clear();
    for (const absl::string_view key : keys) keys_.push_back(ToSlice(key));
    values_.resize(keys.size());
    statuses_.resize(keys.size());
    database_.MultiGet(read_, database_.DefaultColumnFamily(), keys.size(), keys_.data(),
                       values_.data(), statuses_.data());
    for (size_t i = 0; i < keys.size(); ++i) {
      FIRN_RETURN_IF_ERROR(Take(statuses_[i], values_[i], results[i]));
      values_[i].Reset();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    const std::unique_ptr<rocksdb::Iterator> iterator(database_.NewIterator(read_));
    uint64_t records = 0;
    for (iterator->Seek(ToSlice(begin)); records < records_max && iterator->Valid();
         iterator->Next()) {
      const rocksdb::Slice key = iterator->key();
      const rocksdb::Slice value = iterator->value();
      visit({key.data(), key.size()}, {value.data(), value.size()});
      ++records;
    }
    FIRN_RETURN_IF_ERROR(ToStatus(iterator->status()));
    return records;
  }

 private:
  static absl::Status Take(const rocksdb::Status& status, const rocksdb::PinnableSlice& value,
                           ReadResult& result) {
    result.found = status.ok();
    if (!status.ok()) return status.IsNotFound() ? absl::OkStatus() : ToStatus(status);
    result.value.assign(value.data(), value.size());
    return absl::OkStatus();
  }

  rocksdb::DB& database_;
  const rocksdb::ReadOptions read_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status put_error_;
  rocksdb::PinnableSlice pinned_;
  std::vector<rocksdb::Slice> keys_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> statuses_;
};

rocksdb::Options Settings(const PeerOptions& options) {
  rocksdb::Options settings;
  settings.create_if_missing = true;
  settings.write_buffer_size = options.memtable;
  settings.max_write_buffer_number = static_cast<int>(options.memtables);
  settings.max_total_wal_size = options.log_size;
  settings.compression = options.compress ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  settings.level_compaction_dynamic_level_bytes = true;
  settings.bytes_per_sync = uint64_t{1} << 20;
  settings.enable_pipelined_write = true;
  if (options.synced) settings.recycle_log_file_num = 2;
  settings.max_background_jobs =
      std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  settings.max_open_files = -1;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache, /*num_shard_bits=*/6);
  if (options.filter_bits > 0) {
    table.filter_policy.reset(
        rocksdb::NewBloomFilterPolicy(static_cast<double>(options.filter_bits), false));
  }
  table.block_size = 4096;
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return settings;
}

class RocksDbPeer final : public Peer {
 public:
  explicit RocksDbPeer(std::unique_ptr<rocksdb::DB> database) : database_(std::move(database)) {}

  absl::StatusOr<std::unique_ptr<Session>> NewSession() override {
    return std::make_unique<RocksDbSession>(*database_);
  }

  absl::Status Settle() override {
    FIRN_RETURN_IF_ERROR(ToStatus(database_->Flush(rocksdb::FlushOptions())));
    // It has no call to wait; twice idle in a row, since a flush may make a compaction due.
    for (int idle = 0; idle < 2;) {
      idle = IsIdle() ? idle + 1 : 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    const rocksdb::Status closed = database_->Close();
    database_.reset();
    return ToStatus(closed);
  }

 private:
  bool IsIdle() {
    static const std::array<const std::string*, 4> properties = {
        &rocksdb::DB::Properties::kMemTableFlushPending, &rocksdb::DB::Properties::kNumRunningFlushes,
        &rocksdb::DB::Properties::kCompactionPending,
        &rocksdb::DB::Properties::kNumRunningCompactions};
    for (const std::string* property : properties) {
      uint64_t value = 0;
      if (database_->GetIntProperty(*property, &value) && value != 0) return false;
    }
    return true;
  }

  std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> OpenRocksDb(const PeerOptions& options) {
  rocksdb::DB* database = nullptr;
  FIRN_RETURN_IF_ERROR(ToStatus(rocksdb::DB::Open(Settings(options), options.path, &database)));
  return std::make_unique<RocksDbPeer>(std::unique_ptr<rocksdb::DB>(database));
}

}  // namespace firn::bench
