// bench/peer_firn.cc: firn through its public API. Default options but for what the job names: buffers
// and cache as all engines have them, and the layout of the keyspace.
#include <utility>

#include "base/status.h"
#include "bench/engines.h"
#include "bench/generator.h"
#include "firn/database.h"
#include "firn/keyspace_names.h"

namespace firn::bench {
namespace {

class FirnSession final : public Session {
 public:
  FirnSession(Database& database, Keyspace keyspace)
      : database_(database), keyspace_(std::move(keyspace)) {}

  void Put(absl::string_view key, absl::string_view value) override {
    batch_.Put(keyspace_, key, value);
  }

  absl::Status Commit(Sync sync) override {
    const absl::Status written = database_.Write(
        batch_, sync == Sync::kSynced ? Durability::kSynced : Durability::kBuffered);
    batch_.Clear();
    return written;
  }

  absl::Status Get(absl::string_view key, ReadResult& result) override {
    return Take(keyspace_.Get(key), result);
  }

  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    const std::vector<absl::StatusOr<PinnedValue>> values = keyspace_.MultiGet(keys);
    for (size_t i = 0; i < keys.size(); ++i) {
      FIRN_RETURN_IF_ERROR(Take(values[i], results[i]));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    const std::unique_ptr<Iterator> iterator =
        keyspace_.NewIterator({.begin = std::string(begin), .limit = std::nullopt, .snapshot = {}});
    uint64_t records = 0;
    for (iterator->SeekToFirst(); records < records_max && iterator->Valid(); iterator->Next()) {
      visit(iterator->key(), iterator->value());
      ++records;
    }
    FIRN_RETURN_IF_ERROR(iterator->status());
    return records;
  }

 private:
  static absl::Status Take(const absl::StatusOr<PinnedValue>& value, ReadResult& result) {
    result.found = value.ok();
    if (!value.ok()) {
      return absl::IsNotFound(value.status()) ? absl::OkStatus() : value.status();
    }
    const absl::string_view view = value->view();
    result.value.assign(view.data(), view.size());
    return absl::OkStatus();
  }

  Database& database_;
  const Keyspace keyspace_;
  WriteBatch batch_;
};

class FirnPeer final : public Peer {
 public:
  FirnPeer(std::unique_ptr<Database> database, Keyspace keyspace)
      : database_(std::move(database)), keyspace_(std::move(keyspace)) {}

  absl::StatusOr<std::unique_ptr<Session>> NewSession() override {
    return std::make_unique<FirnSession>(*database_, keyspace_);
  }

  absl::Status Settle() override {
    FIRN_RETURN_IF_ERROR(database_->Flush(keyspace_));
    return database_->WaitForBackgroundWork();
  }

  absl::Status Close() override { return database_->Close(); }

  std::vector<std::pair<std::string, double>> Figures() override {
    const Statistics statistics = database_->statistics();
    return {{"log_bytes", static_cast<double>(statistics.log_bytes)},
            {"flushed_bytes", static_cast<double>(statistics.flushed_bytes)},
            {"compaction_written_bytes", static_cast<double>(statistics.compaction_written_bytes)},
            {"flushes", static_cast<double>(statistics.flushes)},
            {"compactions", static_cast<double>(statistics.compactions)},
            {"slowdown_us", static_cast<double>(statistics.slowdown_us)},
            {"log_syncs", static_cast<double>(statistics.log_syncs)},
            {"block_cache_hits", static_cast<double>(statistics.block_cache_hits)},
            {"block_cache_misses", static_cast<double>(statistics.block_cache_misses)},
            {"recovery_us", static_cast<double>(statistics.recovery_us)}};
  }

 private:
  const std::unique_ptr<Database> database_;
  const Keyspace keyspace_;
};

absl::StatusOr<std::unique_ptr<Peer>> OpenWith(const Options& store, KeyspaceOptions keyspace_options,
                                               const PeerOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(options.path, store));
  keyspace_options.layout = options.layout;
  keyspace_options.key_width = static_cast<uint32_t>(RecordShape{.key = KeyKind::kRandom}.key_size());
  keyspace_options.compression = options.compress ? Compression::kLz4 : Compression::kNone;
  FIRN_ASSIGN_OR_RETURN(Keyspace keyspace,
                        database->OpenOrCreateKeyspace(kBenchKeyspace, keyspace_options));
  return std::make_unique<FirnPeer>(std::move(database), std::move(keyspace));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> OpenFirn(const PeerOptions& options) {
  Options store;
  store.memtable_size = options.memtable;
  store.immutable_memtables_max = options.memtables > 1 ? options.memtables - 1 : 1;
  store.block_cache_size = options.cache;
  store.log_size_max = options.log_size;
  store.memory_budget = options.memory_budget;
  KeyspaceOptions keyspace;
  keyspace.filter_bits_per_key = static_cast<uint32_t>(options.filter_bits);
  return OpenWith(store, keyspace, options);
}

absl::StatusOr<std::unique_ptr<Peer>> OpenFirnPreset(Preset preset, const PeerOptions& options) {
  const PresetOptions expanded = ExpandPreset(preset);
  return OpenWith(expanded.store, expanded.keyspace, options);
}

}  // namespace firn::bench
