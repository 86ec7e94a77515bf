// firn/storage_backend.h: one ordered map behind a small interface, so that a program can be written
// once and run on a store, in memory, or on something of its own.
//
// Example:
//     auto memory = firn::MemoryStorage::Open().value();       // in tests
//     firn::KeyspaceStorage disk(*database, notes, firn::Durability::kSynced);
//     absl::Status done = Import(memory);                      // template <firn::AnyStorage S>
//     absl::Status same = ImportThrough(disk);                 // void f(firn::StorageBackend&)
//
// What it costs beside Keyspace and Database, which is why it is a layer above them and not below:
//   * a value that is read is copied, where Keyspace::Get() pins it;
//   * each Put() is a write of its own, where a batch shares one; with kSynced that is a wait for the
//     disk each time. There are no batches over several maps;
//   * Remove() returns the old value, so it reads before it writes, as a transaction;
//   * Size() walks over all keys: an LSM store keeps no exact count;
//   * a virtual call, a few nanoseconds, unless the concept is used.
#ifndef FIRN_STORAGE_BACKEND_H_
#define FIRN_STORAGE_BACKEND_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/database.h"
#include "firn/keyspace.h"
#include "firn/options.h"

namespace firn {

// Keys and values are any bytes; keys sort bytewise. Thread-safe, as far as the implementation says.
class StorageBackend {
 public:
  using OldValue = std::optional<std::string>;
  using Visitor = std::function<bool(absl::string_view key, absl::string_view value)>;

  virtual ~StorageBackend() = default;

  // None if absent.
  virtual absl::StatusOr<OldValue> Get(absl::string_view key) const = 0;
  virtual absl::Status Put(absl::string_view key, absl::string_view value) = 0;
  // What was removed; none if there was nothing. Exactly one of several that run at once gets it.
  virtual absl::StatusOr<OldValue> Remove(absl::string_view key) = 0;
  virtual absl::StatusOr<bool> Exists(absl::string_view key) const = 0;
  // Calls `visit` for keys in [begin, limit) in order (empty limit: to the last), until it returns
  // false. Shows one point in time: `visit` may write. The views die when it returns.
  virtual absl::Status Scan(absl::string_view begin, absl::string_view limit,
                            const Visitor& visit) const = 0;
  // Number of keys.
  virtual absl::StatusOr<uint64_t> Size() const = 0;
  // Removes the keys that are there when it begins; not atomic.
  virtual absl::Status Clear() = 0;
  // Makes everything that has returned as durable as the backend can.
  virtual absl::Status Flush() = 0;
};

// Anything with these calls, derived or not: for templates, without virtual calls.
template <typename Storage>
concept AnyStorage = requires(Storage& storage, const Storage& unchanged, absl::string_view bytes,
                              const StorageBackend::Visitor& visit) {
  { unchanged.Get(bytes) } -> std::same_as<absl::StatusOr<StorageBackend::OldValue>>;
  { storage.Put(bytes, bytes) } -> std::same_as<absl::Status>;
  { storage.Remove(bytes) } -> std::same_as<absl::StatusOr<StorageBackend::OldValue>>;
  { unchanged.Exists(bytes) } -> std::same_as<absl::StatusOr<bool>>;
  { unchanged.Scan(bytes, bytes, visit) } -> std::same_as<absl::Status>;
  { unchanged.Size() } -> std::same_as<absl::StatusOr<uint64_t>>;
  { storage.Clear() } -> std::same_as<absl::Status>;
  { storage.Flush() } -> std::same_as<absl::Status>;
};

// A keyspace of a database, on disk or in memory. Cheap to copy; copies are the same map. Thread-safe.
// Must not outlive the Database. The keyspace's layout has its say: a hashed one takes keys of its
// width, a sequence one no Remove() and no Clear().
class KeyspaceStorage : public StorageBackend {
 public:
  // `durability` of each write: kSynced, or kBuffered and Flush() from time to time.
  KeyspaceStorage(Database& database, Keyspace keyspace, Durability durability);

  absl::StatusOr<OldValue> Get(absl::string_view key) const override;
  absl::Status Put(absl::string_view key, absl::string_view value) override;
  absl::StatusOr<OldValue> Remove(absl::string_view key) override;
  absl::StatusOr<bool> Exists(absl::string_view key) const override;
  absl::Status Scan(absl::string_view begin, absl::string_view limit,
                    const Visitor& visit) const override;
  absl::StatusOr<uint64_t> Size() const override;
  absl::Status Clear() override;
  absl::Status Flush() override;  // Database::Sync()

  const Keyspace& keyspace() const { return keyspace_; }

 private:
  Database* database_;
  Keyspace keyspace_;
  Durability durability_;
};

// A map in memory: a database of its own on files in memory, so the semantics are those of the disk
// because the code is the same; snapshots and transactions are had through database(). Cheap to copy;
// copies are the same map, which goes with the last of them. Thread-safe.
class MemoryStorage : public KeyspaceStorage {
 public:
  static absl::StatusOr<MemoryStorage> Open();

  Database& database() const { return *owned_; }

 private:
  MemoryStorage(std::shared_ptr<Database> database, Keyspace keyspace);
  std::shared_ptr<Database> owned_;
};

}  // namespace firn

#endif  // FIRN_STORAGE_BACKEND_H_
