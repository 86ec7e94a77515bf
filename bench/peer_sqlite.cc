// bench/peer_sqlite.cc: SQLite. Settings, after its documentation ("Write-Ahead Logging", "PRAGMA",
// "Clustered Indexes and the WITHOUT ROWID Optimization"):
//   journal_mode = WAL; synchronous = FULL where commits are synced, else NORMAL, where a commit is
//     in the log's page cache and outlives the process
//   one table WITHOUT ROWID, key BLOB PRIMARY KEY; prepared statements; one connection a session
//   cache_size as the job says, over all connections; mmap_size 2 GiB
//   a checkpoint when the log has reached one write buffer of the job
// It has no filters and no compression. Reading many keys is reading them one by one in one
// transaction.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "bench/engines.h"

namespace firn::bench {
namespace {

constexpr int kBusyMilliseconds = 60'000;
constexpr uint64_t kPageSize = 4096;

absl::Status ToStatus(int code, sqlite3* database) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("sqlite: ", sqlite3_errmsg(database)));
}

absl::Status Execute(sqlite3* database, const std::string& text) {
  return ToStatus(sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr), database);
}

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Connection = std::unique_ptr<sqlite3, CloseDatabase>;
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

absl::StatusOr<Connection> Connect(const PeerOptions& options) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(absl::StrCat(options.path, "/bench.sqlite").c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   nullptr);
  Connection database(opened);
  FIRN_RETURN_IF_ERROR(ToStatus(code, database.get()));
  sqlite3_busy_timeout(database.get(), kBusyMilliseconds);
  const uint64_t cache = options.cache / std::max<uint64_t>(options.threads, 1);
  FIRN_RETURN_IF_ERROR(Execute(
      database.get(),
      absl::StrCat("PRAGMA journal_mode=WAL; PRAGMA synchronous=", options.synced ? "FULL" : "NORMAL",
                   "; PRAGMA cache_size=-", cache / 1024, "; PRAGMA mmap_size=2147483648;",
                   "PRAGMA wal_autocheckpoint=", options.memtable / kPageSize, ";")));
  return database;
}

absl::StatusOr<Statement> Prepare(sqlite3* database, const char* text) {
  sqlite3_stmt* statement = nullptr;
  FIRN_RETURN_IF_ERROR(ToStatus(
      sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr),
      database));
  return Statement(statement);
}

class SqliteSession final : public Session {
 public:
  absl::Status Open(const PeerOptions& options) {
    FIRN_ASSIGN_OR_RETURN(database_, Connect(options));
    FIRN_ASSIGN_OR_RETURN(begin_, Prepare(database_.get(), "BEGIN IMMEDIATE"));
    FIRN_ASSIGN_OR_RETURN(begin_read_, Prepare(database_.get(), "BEGIN DEFERRED"));
    FIRN_ASSIGN_OR_RETURN(commit_, Prepare(database_.get(), "COMMIT"));
    FIRN_ASSIGN_OR_RETURN(
        put_, Prepare(database_.get(), "INSERT OR REPLACE INTO records(key, value) VALUES(?, ?)"));
    FIRN_ASSIGN_OR_RETURN(get_,
                          Prepare(database_.get(), "SELECT value FROM records WHERE key = ?"));
    FIRN_ASSIGN_OR_RETURN(
        scan_, Prepare(database_.get(),
                       "SELECT key, value FROM records WHERE key >= ? ORDER BY key LIMIT ?"));
    return absl::OkStatus();
  }

  void Put(absl::string_view key, absl::string_view value) override {
    if (!put_status_.ok()) return;
    if (!in_transaction_) {
      put_status_ = Run(begin_.get());
      in_transaction_ = put_status_.ok();
      if (!in_transaction_) return;
    }
    BindBytes(put_.get(), 1, key);
    BindBytes(put_.get(), 2, value);
    put_status_ = Run(put_.get());
  }

  absl::Status Commit(Sync /*as the connection was opened*/) override {
    FIRN_RETURN_IF_ERROR(put_status_);
    if (!in_transaction_) return absl::OkStatus();
    in_transaction_ = false;
    return Run(commit_.get());
  }

  absl::Status Get(absl::string_view key, ReadResult& result) override {
    BindBytes(get_.get(), 1, key);
    const int code = sqlite3_step(get_.get());
    result.found = code == SQLITE_ROW;
    if (result.found) {
      const absl::string_view value = Column(get_.get(), 0);
      result.value.assign(value.data(), value.size());
    }
    const absl::Status status = ToStatus(code, database_.get());
    sqlite3_reset(get_.get());
    return status;
  }

  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    FIRN_RETURN_IF_ERROR(Run(begin_read_.get()));
    absl::Status status;
    for (size_t i = 0; i < keys.size() && status.ok(); ++i) status = Get(keys[i], results[i]);
    const absl::Status ended = Run(commit_.get());
    return status.ok() ? ended : status;
  }

  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    BindBytes(scan_.get(), 1, begin);
    sqlite3_bind_int64(
        scan_.get(), 2,
        static_cast<sqlite3_int64>(std::min<uint64_t>(records_max, INT64_MAX)));
    uint64_t records = 0;
    int code = sqlite3_step(scan_.get());
    while (code == SQLITE_ROW) {
      visit(Column(scan_.get(), 0), Column(scan_.get(), 1));
      ++records;
      code = sqlite3_step(scan_.get());
    }
    const absl::Status status = ToStatus(code, database_.get());
    sqlite3_reset(scan_.get());
    FIRN_RETURN_IF_ERROR(status);
    return records;
  }

 private:
  static void BindBytes(sqlite3_stmt* statement, int index, absl::string_view bytes) {
    // A null pointer would bind NULL; the bytes live until the statement has run.
    sqlite3_bind_blob(statement, index, bytes.empty() ? "" : bytes.data(),
                      static_cast<int>(bytes.size()), SQLITE_STATIC);
  }

  static absl::string_view Column(sqlite3_stmt* statement, int index) {
    const void* bytes = sqlite3_column_blob(statement, index);
    return {static_cast<const char*>(bytes),
            static_cast<size_t>(sqlite3_column_bytes(statement, index))};
  }

  absl::Status Run(sqlite3_stmt* statement) {
    const absl::Status status = ToStatus(sqlite3_step(statement), database_.get());
    sqlite3_reset(statement);
    return status;
  }

  Connection database_;
  Statement begin_, begin_read_, commit_, put_, get_, scan_;  // go before the connection
  bool in_transaction_ = false;
  absl::Status put_status_;
};

class SqlitePeer final : public Peer {
 public:
  explicit SqlitePeer(PeerOptions options) : options_(std::move(options)) {}

  absl::Status Open() {
    std::error_code error;
    std::filesystem::create_directories(options_.path, error);
    if (error) return ErrnoStatus(error.value(), absl::StrCat("make folder ", options_.path));
    FIRN_ASSIGN_OR_RETURN(database_, Connect(options_));
    return Execute(database_.get(),
                   "CREATE TABLE IF NOT EXISTS records(key BLOB PRIMARY KEY, value BLOB) "
                   "WITHOUT ROWID");
  }

  absl::StatusOr<std::unique_ptr<Session>> NewSession() override {
    auto session = std::make_unique<SqliteSession>();
    FIRN_RETURN_IF_ERROR(session->Open(options_));
    return session;
  }

  // A checkpoint copies the log into the database and syncs it.
  absl::Status Settle() override {
    return Execute(database_.get(), "PRAGMA wal_checkpoint(TRUNCATE)");
  }

  absl::Status Close() override {
    database_.reset();
    return absl::OkStatus();
  }

 private:
  const PeerOptions options_;
  Connection database_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> OpenSqlite(const PeerOptions& options) {
  auto peer = std::make_unique<SqlitePeer>(options);
  FIRN_RETURN_IF_ERROR(peer->Open());
  return peer;
}

}  // namespace firn::bench
