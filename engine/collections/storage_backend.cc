#include "firn/storage_backend.h"

#include <utility>
#include <vector>

#include "base/status.h"
#include "firn/transaction.h"
#include "firn/write_batch.h"

namespace firn {
namespace {

constexpr size_t kClearBatchBytes = size_t{1} << 20;

// A transaction is never kVolatile; nor is a backend that promises Flush().
Durability OfTransactions(Durability durability) {
  return durability == Durability::kVolatile ? Durability::kBuffered : durability;
}

}  // namespace

KeyspaceStorage::KeyspaceStorage(Database& database, Keyspace keyspace, Durability durability)
    : database_(&database),
      keyspace_(std::move(keyspace)),
      durability_(OfTransactions(durability)) {}

absl::StatusOr<StorageBackend::OldValue> KeyspaceStorage::Get(absl::string_view key) const {
  const absl::StatusOr<PinnedValue> found = keyspace_.Get(key);
  if (absl::IsNotFound(found.status())) return OldValue();
  FIRN_RETURN_IF_ERROR(found.status());
  return OldValue(found->ToString());
}

absl::StatusOr<bool> KeyspaceStorage::Exists(absl::string_view key) const {
  const absl::StatusOr<PinnedValue> found = keyspace_.Get(key);
  if (absl::IsNotFound(found.status())) return false;
  FIRN_RETURN_IF_ERROR(found.status());
  return true;
}

absl::Status KeyspaceStorage::Put(absl::string_view key, absl::string_view value) {
  WriteBatch batch;
  batch.Put(keyspace_, key, value);
  return database_->Write(batch, durability_);
}

absl::StatusOr<StorageBackend::OldValue> KeyspaceStorage::Remove(absl::string_view key) {
  OldValue removed;
  const auto take = [&](Transaction& transaction) -> absl::Status {
    removed.reset();
    const absl::StatusOr<PinnedValue> found = transaction.Get(keyspace_, key);
    if (absl::IsNotFound(found.status())) return absl::OkStatus();
    FIRN_RETURN_IF_ERROR(found.status());
    removed = found->ToString();
    return transaction.Remove(keyspace_, key);
  };
  RunOptions options;
  options.durability = durability_;
  FIRN_RETURN_IF_ERROR(database_->RunInTransaction(take, options));
  return removed;
}

absl::Status KeyspaceStorage::Scan(absl::string_view begin, absl::string_view limit,
                                   const Visitor& visit) const {
  IteratorOptions options;
  options.begin = std::string(begin);
  if (!limit.empty()) options.limit = std::string(limit);
  const std::unique_ptr<Iterator> iterator = keyspace_.NewIterator(options);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    if (!visit(iterator->key(), iterator->value())) return absl::OkStatus();
  }
  return iterator->status();
}

absl::StatusOr<uint64_t> KeyspaceStorage::Size() const {
  uint64_t keys = 0;
  FIRN_RETURN_IF_ERROR(Scan("", "", [&keys](absl::string_view, absl::string_view) {
    ++keys;
    return true;
  }));
  return keys;
}

absl::Status KeyspaceStorage::Clear() {
  WriteBatch batch;
  absl::Status written;
  FIRN_RETURN_IF_ERROR(Scan("", "", [&](absl::string_view key, absl::string_view) {
    batch.Remove(keyspace_, key);
    if (batch.encoded_size() < kClearBatchBytes) return true;
    written = database_->Write(batch, durability_);
    batch.Clear();
    return written.ok();
  }));
  FIRN_RETURN_IF_ERROR(written);
  return database_->Write(batch, durability_);
}

absl::Status KeyspaceStorage::Flush() { return database_->Sync(); }

absl::StatusOr<MemoryStorage> MemoryStorage::Open() {
  Options options;
  options.storage = Storage::kMemory;
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open("memory", options));
  FIRN_ASSIGN_OR_RETURN(Keyspace keyspace, database->CreateKeyspace("entries", {}));
  return MemoryStorage(std::move(database), std::move(keyspace));
}

MemoryStorage::MemoryStorage(std::shared_ptr<Database> database, Keyspace keyspace)
    : KeyspaceStorage(*database, std::move(keyspace), Durability::kBuffered),
      owned_(std::move(database)) {}

}  // namespace firn
