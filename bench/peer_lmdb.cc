// bench/peer_lmdb.cc: LMDB. Settings, after lmdb.h:
//   buffered commits   MDB_NOSYNC | MDB_WRITEMAP: a commit is in the page cache, so that it outlives
//                      the process; Settle() syncs
//   synced commits     neither: pwrite, then fdatasync, then the root page with O_DSYNC
//   MDB_NORDAHEAD      reads are of random pages
//   MDB_APPEND         where the job writes ascending keys
//   MDB_NOTLS          a read transaction belongs to its session, not to a thread
//   map size           8 times the records, at least 64 GiB: sparse, costs nothing
// It has no cache, no write buffers, no filters and no compression: the page cache serves it. Reading
// many keys is reading them one by one in one transaction. Read transactions are renewed, not made.
#include <lmdb.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "bench/engines.h"

namespace firn::bench {
namespace {

absl::Status ToStatus(int code) {
  if (code == MDB_SUCCESS) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("lmdb: ", mdb_strerror(code)));
}

MDB_val ToValue(absl::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // LMDB does not write through it
}

absl::string_view ToText(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

class LmdbSession final : public Session {
 public:
  LmdbSession(MDB_env* environment, MDB_dbi table, bool appends, bool syncs_itself)
      : environment_(environment),
        table_(table),
        put_flags_(appends ? MDB_APPEND : 0),
        syncs_itself_(syncs_itself) {}
  ~LmdbSession() override {
    if (reader_ != nullptr) mdb_txn_abort(reader_);
  }

  // The transaction is the batch, but the only writer may have one: so records wait in memory.
  void Put(absl::string_view key, absl::string_view value) override {
    pending_.push_back({pending_bytes_.size(), key.size(), value.size()});
    pending_bytes_.append(key.data(), key.size());
    pending_bytes_.append(value.data(), value.size());
  }

  absl::Status Commit(Sync sync) override {
    MDB_txn* writer = nullptr;
    FIRN_RETURN_IF_ERROR(ToStatus(mdb_txn_begin(environment_, nullptr, 0, &writer)));
    int code = MDB_SUCCESS;
    const absl::string_view bytes = pending_bytes_;
    for (const Pending& record : pending_) {
      MDB_val key = ToValue(bytes.substr(record.offset, record.key_size));
      MDB_val value = ToValue(bytes.substr(record.offset + record.key_size, record.value_size));
      code = mdb_put(writer, table_, &key, &value, put_flags_);
      if (code != MDB_SUCCESS) break;
    }
    pending_.clear();
    pending_bytes_.clear();
    if (code != MDB_SUCCESS) {
      mdb_txn_abort(writer);
      return ToStatus(code);
    }
    FIRN_RETURN_IF_ERROR(ToStatus(mdb_txn_commit(writer)));
    if (sync == Sync::kBuffered || syncs_itself_) return absl::OkStatus();
    return ToStatus(mdb_env_sync(environment_, 1));
  }

  absl::Status Get(absl::string_view key, ReadResult& result) override {
    FIRN_RETURN_IF_ERROR(BeginRead());
    const absl::Status status = Read(key, result);
    mdb_txn_reset(reader_);
    return status;
  }

  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    FIRN_RETURN_IF_ERROR(BeginRead());
    absl::Status status;
    for (size_t i = 0; i < keys.size() && status.ok(); ++i) status = Read(keys[i], results[i]);
    mdb_txn_reset(reader_);
    return status;
  }

  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    FIRN_RETURN_IF_ERROR(BeginRead());
    MDB_cursor* cursor = nullptr;
    int code = mdb_cursor_open(reader_, table_, &cursor);
    if (code != MDB_SUCCESS) {
      mdb_txn_reset(reader_);
      return ToStatus(code);
    }
    MDB_val key = ToValue(begin);
    MDB_val value{};
    uint64_t records = 0;
    // An empty key may not be sought.
    code = mdb_cursor_get(cursor, &key, &value, begin.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (code == MDB_SUCCESS && records < records_max) {
      visit(ToText(key), ToText(value));
      ++records;
      if (records < records_max) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(reader_);
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) return ToStatus(code);
    return records;
  }

 private:
  struct Pending {
    size_t offset, key_size, value_size;
  };

  absl::Status BeginRead() {
    if (reader_ == nullptr) {
      return ToStatus(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &reader_));
    }
    return ToStatus(mdb_txn_renew(reader_));
  }

  absl::Status Read(absl::string_view text, ReadResult& result) {
    MDB_val key = ToValue(text);
    MDB_val value{};
    const int code = mdb_get(reader_, table_, &key, &value);
    result.found = code == MDB_SUCCESS;
    if (code == MDB_NOTFOUND) return absl::OkStatus();
    FIRN_RETURN_IF_ERROR(ToStatus(code));
    result.value.assign(static_cast<const char*>(value.mv_data), value.mv_size);
    return absl::OkStatus();
  }

  MDB_env* const environment_;
  const MDB_dbi table_;
  const unsigned put_flags_;
  const bool syncs_itself_;
  MDB_txn* reader_ = nullptr;
  std::vector<Pending> pending_;
  std::string pending_bytes_;
};

class LmdbPeer final : public Peer {
 public:
  ~LmdbPeer() override {
    if (environment_ != nullptr) mdb_env_close(environment_);
  }

  absl::Status Open(const PeerOptions& options) {
    std::error_code error;
    std::filesystem::create_directories(options.path, error);
    if (error) return ErrnoStatus(error.value(), absl::StrCat("make folder ", options.path));
    appends_ = options.ascending_keys;
    synced_ = options.synced;
    FIRN_RETURN_IF_ERROR(ToStatus(mdb_env_create(&environment_)));
    const uint64_t map_size = std::max<uint64_t>(options.data_size * 8, uint64_t{64} << 30);
    FIRN_RETURN_IF_ERROR(ToStatus(mdb_env_set_mapsize(environment_, map_size)));
    FIRN_RETURN_IF_ERROR(ToStatus(
        mdb_env_set_maxreaders(environment_, static_cast<unsigned>(options.threads) + 16)));
    const unsigned flags =
        MDB_NORDAHEAD | MDB_NOTLS | (synced_ ? 0u : unsigned{MDB_NOSYNC | MDB_WRITEMAP});
    FIRN_RETURN_IF_ERROR(ToStatus(mdb_env_open(environment_, options.path.c_str(), flags, 0644)));
    MDB_txn* transaction = nullptr;
    FIRN_RETURN_IF_ERROR(ToStatus(mdb_txn_begin(environment_, nullptr, 0, &transaction)));
    const int code = mdb_dbi_open(transaction, nullptr, 0, &table_);
    if (code != MDB_SUCCESS) {
      mdb_txn_abort(transaction);
      return ToStatus(code);
    }
    return ToStatus(mdb_txn_commit(transaction));
  }

  absl::StatusOr<std::unique_ptr<Session>> NewSession() override {
    return std::make_unique<LmdbSession>(environment_, table_, appends_, synced_);
  }

  // It works in the foreground alone; what is left is to make buffered commits as durable as the
  // other engines' files.
  absl::Status Settle() override { return ToStatus(mdb_env_sync(environment_, 1)); }

  absl::Status Close() override {
    mdb_env_close(environment_);
    environment_ = nullptr;
    return absl::OkStatus();
  }

 private:
  MDB_env* environment_ = nullptr;
  MDB_dbi table_ = 0;
  bool appends_ = false;
  bool synced_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> OpenLmdb(const PeerOptions& options) {
  auto peer = std::make_unique<LmdbPeer>();
  FIRN_RETURN_IF_ERROR(peer->Open(options));
  return peer;
}

}  // namespace firn::bench
