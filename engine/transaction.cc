#include "engine/transaction.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/batch_format.h"
#include "engine/database.h"
#include "engine/visible_iterator.h"

namespace firn {
namespace {

// How often a commit looks into the store because the writes that it missed were forgotten already.
constexpr int kLooksMax = 10;

absl::Status Ended() {
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kTransactionEnded,
                   "the transaction was committed or rolled back already");
}

absl::Status OverLimit(absl::string_view option, size_t limit) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                   absl::StrCat("the transaction would exceed its ", option, " of ", limit,
                                " bytes"));
}

// Printable keys as they are, others in hex; long ones cut.
std::string Readable(absl::string_view key) {
  constexpr size_t kShownMax = 64;
  const absl::string_view shown = key.substr(0, kShownMax);
  const bool printable = std::all_of(shown.begin(), shown.end(),
                                     [](char c) { return c >= ' ' && c <= '~'; });
  return absl::StrCat(printable ? absl::StrCat("\"", shown, "\"")
                                : absl::BytesToHexString(shown),
                      key.size() > kShownMax ? "..." : "");
}

}  // namespace

absl::Status CheckTransactionOptions(const TransactionOptions& options) {
  if (options.isolation != Isolation::kSnapshot &&
      options.isolation != Isolation::kSerializable) {
    return InvalidOption("isolation", absl::StrCat(static_cast<int>(options.isolation),
                                                   " is none of 1 and 2"));
  }
  if (options.write_bytes_max < 1024 || options.write_bytes_max > kBatchSizeMax) {
    return InvalidOption("write_bytes_max", absl::StrCat(options.write_bytes_max, " is not in [1024, ",
                                                         kBatchSizeMax, "]"));
  }
  if (options.read_bytes_max < 1024 || options.read_bytes_max > size_t{1} << 30) {
    return InvalidOption("read_bytes_max", absl::StrCat(options.read_bytes_max, " is not in [1024, ",
                                                        size_t{1} << 30, "]"));
  }
  return absl::OkStatus();
}

TransactionImpl::TransactionImpl(DatabaseImpl& database, const TransactionOptions& options)
    : database_(database),
      options_(options),
      entered_(database.conflicts().Enter()),
      drops_seen_(database.drops()),
      snapshot_(database.TakeSnapshot()),
      savepoints_(writes_, reads_) {}

TransactionImpl::~TransactionImpl() { End(); }

void TransactionImpl::End() {
  if (ended_) return;
  ended_ = true;
  savepoints_.Clear();
  writes_.Clear();
  reads_.Clear();
  keyspaces_.clear();
  database_.conflicts().Leave(entered_);
  snapshot_ = Snapshot();
}

absl::Status TransactionImpl::CheckOpen() const { return ended_ ? Ended() : absl::OkStatus(); }

absl::Status TransactionImpl::CheckReadable() const {
  if (ended_) return Ended();
  if (reads_.bytes() > options_.read_bytes_max) {
    return OverLimit("read_bytes_max", options_.read_bytes_max);
  }
  return absl::OkStatus();
}

absl::Status TransactionImpl::NotePoint(const Keyspace& keyspace, absl::string_view key) {
  const KeyspaceId id{keyspace.id()};
  const size_t more = reads_.BytesToAdd(id, key);
  if (more == 0) return absl::OkStatus();
  if (reads_.bytes() + more > options_.read_bytes_max) {
    return OverLimit("read_bytes_max", options_.read_bytes_max);
  }
  reads_.AddPoint(id, key);
  return absl::OkStatus();
}

absl::Status TransactionImpl::CheckUse(const Keyspace& keyspace) {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  FIRN_RETURN_IF_ERROR(database_.CheckHandle(keyspace));
  keyspaces_.try_emplace(keyspace.id(), keyspace);
  return absl::OkStatus();
}

// --- reads

absl::StatusOr<PinnedValue> TransactionImpl::Read(const Keyspace& keyspace, absl::string_view key,
                                                  bool noted) {
  FIRN_RETURN_IF_ERROR(CheckUse(keyspace));
  // Its own write needs no note: Commit() checks the keys that it writes.
  if (const WriteSet::Value* const own = writes_.Find(keyspace, key)) {
    if (*own == nullptr) return absl::NotFoundError("");
    return PinnedValue(**own, *own);
  }
  if (noted) FIRN_RETURN_IF_ERROR(NotePoint(keyspace, key));
  return keyspace.Get(key, snapshot_);
}

absl::StatusOr<PinnedValue> TransactionImpl::Get(const Keyspace& keyspace, absl::string_view key) {
  return Read(keyspace, key, reads_to_check() != nullptr);
}

absl::StatusOr<PinnedValue> TransactionImpl::GetForUpdate(const Keyspace& keyspace,
                                                          absl::string_view key) {
  return Read(keyspace, key, true);
}

std::vector<absl::StatusOr<PinnedValue>> TransactionImpl::MultiGet(
    const Keyspace& keyspace, absl::Span<const absl::string_view> keys) {
  absl::Status status = CheckUse(keyspace);
  if (!status.ok()) return std::vector<absl::StatusOr<PinnedValue>>(keys.size(), status);
  std::vector<absl::StatusOr<PinnedValue>> results(keys.size(), absl::NotFoundError(""));
  std::vector<absl::string_view> asked;  // of the snapshot
  std::vector<size_t> places;            // of their results
  for (size_t i = 0; i < keys.size(); ++i) {
    const WriteSet::Value* const own = writes_.Find(keyspace, keys[i]);
    if (own == nullptr) {
      asked.push_back(keys[i]);
      places.push_back(i);
      if (reads_to_check() != nullptr) status.Update(NotePoint(keyspace, keys[i]));
    } else if (*own != nullptr) {
      results[i] = PinnedValue(**own, *own);
    }
  }
  if (!status.ok()) return std::vector<absl::StatusOr<PinnedValue>>(keys.size(), status);
  if (asked.empty()) return results;
  std::vector<absl::StatusOr<PinnedValue>> found = keyspace.MultiGet(asked, snapshot_);
  for (size_t i = 0; i < asked.size(); ++i) results[places[i]] = std::move(found[i]);
  return results;
}

std::unique_ptr<Iterator> TransactionImpl::NewIterator(const Keyspace& keyspace,
                                                       const IteratorOptions& options) {
  absl::Status status = CheckUse(keyspace);
  if (status.ok() && !options.snapshot.empty()) {
    status = InvalidArgument("a transaction's iterator reads at the transaction's own snapshot");
  }
  if (!status.ok()) return NewEmptyIterator(status);
  IteratorOptions base = options;
  base.snapshot = snapshot_;
  return std::make_unique<TransactionIterator>(shared_from_this(), keyspace,
                                               keyspace.NewIterator(base), options.begin,
                                               options.limit);
}

// --- writes

absl::Status TransactionImpl::CheckWrite(const Keyspace& keyspace, absl::string_view key,
                                         absl::string_view value) {
  FIRN_RETURN_IF_ERROR(CheckUse(keyspace));
  if (key.size() > kKeySizeMax || value.size() > kValueSizeMax) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                     absl::StrCat("a key of ", key.size(), " and a value of ", value.size(),
                                  " bytes; at most ", kKeySizeMax, " and ", kValueSizeMax));
  }
  if (writes_.bytes() + WriteSet::BytesOf(key, value) > options_.write_bytes_max) {
    return OverLimit("write_bytes_max", options_.write_bytes_max);
  }
  return absl::OkStatus();
}

absl::Status TransactionImpl::Put(const Keyspace& keyspace, absl::string_view key,
                                  absl::string_view value) {
  FIRN_RETURN_IF_ERROR(CheckWrite(keyspace, key, value));
  writes_.Put(keyspace, key, value);
  return absl::OkStatus();
}

absl::Status TransactionImpl::Remove(const Keyspace& keyspace, absl::string_view key) {
  FIRN_RETURN_IF_ERROR(CheckWrite(keyspace, key, ""));
  writes_.Remove(keyspace, key);
  return absl::OkStatus();
}

// --- savepoints

absl::Status TransactionImpl::CreateSavepoint(absl::string_view name) {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  return savepoints_.Create(name);
}

absl::Status TransactionImpl::RollbackToSavepoint(absl::string_view name) {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  return savepoints_.RollbackTo(name);
}

absl::Status TransactionImpl::ReleaseSavepoint(absl::string_view name) {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  return savepoints_.Release(name);
}

absl::StatusOr<size_t> TransactionImpl::ChangesSince(absl::string_view name) const {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  return savepoints_.ChangesSince(name);
}

// --- the end

absl::Status TransactionImpl::Rollback() {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  End();
  return absl::OkStatus();
}

absl::Status TransactionImpl::Commit(Durability durability) {
  FIRN_RETURN_IF_ERROR(CheckOpen());
  absl::Status status;
  if (durability != Durability::kSynced && durability != Durability::kBuffered) {
    status = InvalidArgument("a transaction commits kSynced or kBuffered: it is whole after a crash");
  } else if (!writes_.empty()) {
    WriteBatch batch;
    writes_.AppendTo(batch);
    status = WriteChecked(batch, durability);
  }
  EngineCounters& counters = database_.counters();
  if (status.ok()) counters.transactions_committed.fetch_add(1, std::memory_order_relaxed);
  if (ReasonOf(status) == ErrorReason::kConflict) {
    counters.transactions_conflicted.fetch_add(1, std::memory_order_relaxed);
  }
  End();
  return status;
}

ConflictQuery TransactionImpl::NewQuery() const {
  ConflictQuery query;
  query.after = SequenceNumber{snapshot_.sequence()};
  query.reads = &reads_;
  query.drops_seen = drops_seen_;
  std::set<KeyspaceId> read;
  for (const ReadSet::Points::iterator& point : reads_.points()) read.insert(point->keyspace);
  for (const RangeRead& range : reads_.ranges()) read.insert(range.keyspace);
  for (const KeyspaceId id : read) {
    query.read_keyspaces.push_back(keyspaces_.at(id.value).impl().get());
  }
  return query;
}

absl::Status TransactionImpl::AscentConflict(const absl::Status& refused) const {
  // The put that came first may not be visible yet.
  FIRN_RETURN_IF_ERROR(database_.AwaitWritesInFlight());
  for (const auto& [id, keyspace] : keyspaces_) {
    if (!keyspace.impl()->rules().ascending) continue;
    const std::unique_ptr<Iterator> now = keyspace.NewIterator();
    now->SeekToLast();
    if (!now->Valid()) continue;
    const absl::StatusOr<PinnedValue> then = keyspace.Get(now->key(), snapshot_);
    if (absl::IsNotFound(then.status())) return Conflict(id, now->key());
  }
  return refused;
}

absl::Status TransactionImpl::WriteChecked(const WriteBatch& batch, Durability durability) {
  ConflictQuery query = NewQuery();
  for (int looks = 0; looks <= kLooksMax; ++looks) {
    query.verdict = ConflictVerdict::kNone;
    const absl::Status status = database_.Write(batch, durability, &query);
    if (query.verdict == ConflictVerdict::kConflict) {
      return Conflict(query.keyspace.value, query.key);
    }
    if (query.verdict == ConflictVerdict::kNotAscending) return AscentConflict(status);
    if (query.verdict != ConflictVerdict::kUnknown) return status;
    FIRN_RETURN_IF_ERROR(LookIntoStore(batch, query));
  }
  return MakeError(absl::StatusCode::kAborted, ErrorReason::kConflict,
                   absl::StrCat("keyspace ", keyspaces_.at(query.keyspace.value).name(),
                                " is written faster than the transaction can be checked; run it "
                                "again"));
}

absl::Status TransactionImpl::LookIntoStore(const WriteBatch& batch, ConflictQuery& query) {
  // What was forgotten, or never recorded, may still be on its way.
  if (database_.last_sequence() < query.floor.value) {
    FIRN_RETURN_IF_ERROR(database_.AwaitWritesInFlight());
  }
  // The number first, then (in FindNewerWrite) the version: all that is published is in it.
  const SequenceNumber published{database_.last_sequence()};
  const auto look = [&](KeyspaceId keyspace, const std::string& begin,
                        const std::optional<std::string>& limit) -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(
        const std::optional<std::string> newer,
        FindNewerWrite(*keyspaces_.at(keyspace.value).impl(), begin, limit, query.after));
    return newer.has_value() ? Conflict(keyspace.value, *newer) : absl::OkStatus();
  };
  const auto look_at_key = [&](KeyspaceId keyspace, absl::string_view key) {
    const std::string begin(key);
    return look(keyspace, begin, absl::StrCat(begin, absl::string_view("\0", 1)));
  };
  FIRN_RETURN_IF_ERROR(ForEachEntry(AsBytes(batch.encoded()), [&](const BatchEntry& entry) {
    return look_at_key(entry.keyspace, entry.key);
  }));
  for (const ReadSet::Points::iterator& point : reads_.points()) {
    FIRN_RETURN_IF_ERROR(look_at_key(point->keyspace, point->key));
  }
  for (const RangeRead& range : reads_.ranges()) {
    FIRN_RETURN_IF_ERROR(look(range.keyspace, range.begin, range.limit));
  }
  query.after = published;
  return absl::OkStatus();
}

absl::Status TransactionImpl::Conflict(uint32_t keyspace,
                                       std::optional<absl::string_view> key) const {
  if (!key.has_value()) {
    return MakeError(absl::StatusCode::kAborted, ErrorReason::kConflict,
                     absl::StrCat("keyspace ", keyspaces_.at(keyspace).name(),
                                  ": entries were dropped since the transaction's snapshot ",
                                  snapshot_.sequence(), "; run it again"));
  }
  return MakeError(absl::StatusCode::kAborted, ErrorReason::kConflict,
                   absl::StrCat("keyspace ", keyspaces_.at(keyspace).name(), ", key ",
                                Readable(*key), ": written by another since the transaction's "
                                "snapshot ", snapshot_.sequence(), "; run it again"));
}

// --- firn/transaction.h

Transaction::~Transaction() { impl_->End(); }
absl::StatusOr<PinnedValue> Transaction::Get(const Keyspace& keyspace, absl::string_view key) {
  return impl_->Get(keyspace, key);
}
absl::StatusOr<PinnedValue> Transaction::GetForUpdate(const Keyspace& keyspace,
                                                      absl::string_view key) {
  return impl_->GetForUpdate(keyspace, key);
}
std::vector<absl::StatusOr<PinnedValue>> Transaction::MultiGet(
    const Keyspace& keyspace, absl::Span<const absl::string_view> keys) {
  return impl_->MultiGet(keyspace, keys);
}
std::unique_ptr<Iterator> Transaction::NewIterator(const Keyspace& keyspace,
                                                   const IteratorOptions& options) {
  return impl_->NewIterator(keyspace, options);
}
absl::Status Transaction::Put(const Keyspace& keyspace, absl::string_view key,
                              absl::string_view value) {
  return impl_->Put(keyspace, key, value);
}
absl::Status Transaction::Remove(const Keyspace& keyspace, absl::string_view key) {
  return impl_->Remove(keyspace, key);
}
absl::Status Transaction::CreateSavepoint(absl::string_view name) {
  return impl_->CreateSavepoint(name);
}
absl::Status Transaction::RollbackToSavepoint(absl::string_view name) {
  return impl_->RollbackToSavepoint(name);
}
absl::Status Transaction::ReleaseSavepoint(absl::string_view name) {
  return impl_->ReleaseSavepoint(name);
}
std::vector<std::string> Transaction::savepoint_names() const {
  return impl_->savepoints().names();
}
absl::StatusOr<size_t> Transaction::ChangesSince(absl::string_view name) const {
  return impl_->ChangesSince(name);
}
absl::Status Transaction::Commit(Durability durability) { return impl_->Commit(durability); }
absl::Status Transaction::Rollback() { return impl_->Rollback(); }
bool Transaction::ended() const { return impl_->ended(); }
size_t Transaction::write_count() const { return impl_->write_count(); }
const Snapshot& Transaction::snapshot() const { return impl_->snapshot(); }
Isolation Transaction::isolation() const { return impl_->options().isolation; }

NestedTransaction::NestedTransaction(Transaction& transaction)
    : transaction_(transaction),
      name_(absl::StrCat("(nested ", transaction.savepoint_names().size(), ")")),
      begun_(transaction.CreateSavepoint(name_)),
      open_(begun_.ok()) {}

NestedTransaction::~NestedTransaction() {
  if (!open_ || transaction_.ended()) return;
  // It may be gone, if the transaction went back to a point before it: then so are its writes.
  if (Undo().ok()) FIRN_CHECK(transaction_.ReleaseSavepoint(name_).ok());
}

absl::Status NestedTransaction::Keep() {
  FIRN_RETURN_IF_ERROR(begun_);
  if (!open_) return absl::OkStatus();
  open_ = false;
  return transaction_.ReleaseSavepoint(name_);
}

absl::Status NestedTransaction::Undo() {
  FIRN_RETURN_IF_ERROR(begun_);
  return transaction_.RollbackToSavepoint(name_);
}

}  // namespace firn
