// firn/table.h: a keyspace with types: keys and values go through codecs, reads give guards.
//
// Example:
//     firn::Table<uint64_t, std::string> names(keyspace);
//     absl::Status done = database->RunInTransaction([&](firn::Transaction& transaction) {
//       return names.Insert(transaction, 7, "alice");
//     }, {});
//     auto guard = names.Get(7);                 // as of now; or in a transaction
//     if (guard.ok() && guard->has_value()) Use((*guard)->bytes());
//     for (auto row = names.Range(transaction, 5, 9); row.Valid(); row.Next()) ...   // 5, 6, 7, 8
//
// A codec of T is a TableCodec<T> with
//     static std::string Encode(const T& value);
//     static absl::StatusOr<T> Decode(absl::string_view bytes);
// Keys sort as their encodings do. Given here: std::string (as it is), uint64_t and int64_t (8 bytes
// that sort as the numbers).
#ifndef FIRN_TABLE_H_
#define FIRN_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/composite_key.h"
#include "firn/iterator.h"
#include "firn/keyspace.h"
#include "firn/snapshot.h"
#include "firn/transaction.h"

namespace firn {

// DataLoss/kSerialization: these bytes of a table cannot be decoded as `what`. For codecs.
absl::Status UndecodableBytes(absl::string_view what, absl::string_view bytes);

template <typename T>
struct TableCodec;

template <>
struct TableCodec<std::string> {
  static std::string Encode(const std::string& value) { return value; }
  static absl::StatusOr<std::string> Decode(absl::string_view bytes) { return std::string(bytes); }
};

template <>
struct TableCodec<uint64_t> {
  static std::string Encode(uint64_t value) { return EncodeUint64(value); }
  static absl::StatusOr<uint64_t> Decode(absl::string_view bytes) {
    const std::optional<uint64_t> value = DecodeUint64(bytes);
    if (!value.has_value()) return UndecodableBytes("uint64", bytes);
    return *value;
  }
};

template <>
struct TableCodec<int64_t> {
  static std::string Encode(int64_t value) { return EncodeInt64(value); }
  static absl::StatusOr<int64_t> Decode(absl::string_view bytes) {
    const std::optional<int64_t> value = DecodeInt64(bytes);
    if (!value.has_value()) return UndecodableBytes("int64", bytes);
    return *value;
  }
};

// A value where it stands: the bytes are pinned, not copied, and live as long as the guard (see
// PinnedValue of firn/keyspace.h).
template <typename V>
class ValueGuard {
 public:
  explicit ValueGuard(PinnedValue pinned) : pinned_(std::move(pinned)) {}
  absl::string_view bytes() const { return pinned_.view(); }
  absl::StatusOr<V> value() const { return TableCodec<V>::Decode(bytes()); }

 private:
  PinnedValue pinned_;
};

// A walk over rows; positioned at the first one when it is made. Bounds and views as of Iterator.
template <typename K, typename V>
class TableRange {
 public:
  explicit TableRange(std::unique_ptr<Iterator> iterator) : iterator_(std::move(iterator)) {
    iterator_->SeekToFirst();
  }
  bool Valid() const { return iterator_->Valid(); }
  void Next() { iterator_->Next(); }
  void Prev() { iterator_->Prev(); }
  void SeekToFirst() { iterator_->SeekToFirst(); }
  void SeekToLast() { iterator_->SeekToLast(); }
  void Seek(const K& key) { iterator_->Seek(TableCodec<K>::Encode(key)); }
  absl::StatusOr<K> key() const { return TableCodec<K>::Decode(iterator_->key()); }
  absl::StatusOr<V> value() const { return TableCodec<V>::Decode(iterator_->value()); }
  absl::string_view value_bytes() const { return iterator_->value(); }
  // !Valid() means "end" only if this is OK.
  absl::Status status() const { return iterator_->status(); }

 private:
  std::unique_ptr<Iterator> iterator_;
};

namespace table_internal {

// NotFound becomes none.
absl::StatusOr<std::optional<PinnedValue>> NoneIfAbsent(absl::StatusOr<PinnedValue> found);
absl::StatusOr<bool> CompareAndSet(Transaction& transaction, const Keyspace& keyspace,
                                   const std::string& key,
                                   const std::optional<std::string>& expected,
                                   const std::optional<std::string>& desired);

}  // namespace table_internal

// As cheap to copy as the Keyspace that it holds; thread-safe, but for what a Transaction asks.
template <typename K, typename V>
class Table {
 public:
  using Guard = ValueGuard<V>;
  using Rows = TableRange<K, V>;

  explicit Table(Keyspace keyspace) : keyspace_(std::move(keyspace)) {}
  const Keyspace& keyspace() const { return keyspace_; }

  // --- as of `snapshot` (empty: now)
  // None if there is no row.
  absl::StatusOr<std::optional<Guard>> Get(const K& key, const Snapshot& snapshot = {}) const {
    return Guarded(keyspace_.Get(TableCodec<K>::Encode(key), snapshot));
  }
  // Rows with keys in [begin, limit); no begin: from the first, no limit: to the last.
  Rows Range(const std::optional<K>& begin, const std::optional<K>& limit,
             const Snapshot& snapshot = {}) const {
    IteratorOptions options = Bounds(begin, limit);
    options.snapshot = snapshot;
    return Rows(keyspace_.NewIterator(options));
  }

  // --- as `transaction` sees it, its own changes included
  absl::StatusOr<std::optional<Guard>> Get(Transaction& transaction, const K& key) const {
    return Guarded(transaction.Get(keyspace_, TableCodec<K>::Encode(key)));
  }
  Rows Range(Transaction& transaction, const std::optional<K>& begin,
             const std::optional<K>& limit) const {
    return Rows(transaction.NewIterator(keyspace_, Bounds(begin, limit)));
  }
  // Whether or not there is a row.
  absl::Status Insert(Transaction& transaction, const K& key, const V& value) const {
    return transaction.Put(keyspace_, TableCodec<K>::Encode(key), TableCodec<V>::Encode(value));
  }
  absl::Status Remove(Transaction& transaction, const K& key) const {
    return transaction.Remove(keyspace_, TableCodec<K>::Encode(key));
  }
  // If the row's value is `expected` (none: if there is no row) it becomes `desired` (none: the row
  // goes), and true is returned; else nothing happens, and false. Values are compared encoded. Either
  // way the commit of what the transaction writes fails if another changes the row meanwhile, whatever
  // the isolation.
  absl::StatusOr<bool> CompareAndSet(Transaction& transaction, const K& key,
                                     const std::optional<V>& expected,
                                     const std::optional<V>& desired) const {
    const auto encode = [](const std::optional<V>& value) {
      return value.has_value() ? std::optional<std::string>(TableCodec<V>::Encode(*value))
                               : std::nullopt;
    };
    return table_internal::CompareAndSet(transaction, keyspace_, TableCodec<K>::Encode(key),
                                         encode(expected), encode(desired));
  }

 private:
  static absl::StatusOr<std::optional<Guard>> Guarded(absl::StatusOr<PinnedValue> found) {
    absl::StatusOr<std::optional<PinnedValue>> pinned =
        table_internal::NoneIfAbsent(std::move(found));
    if (!pinned.ok()) return pinned.status();
    if (!pinned->has_value()) return std::optional<Guard>();
    return std::optional<Guard>(Guard(**std::move(pinned)));
  }
  static IteratorOptions Bounds(const std::optional<K>& begin, const std::optional<K>& limit) {
    IteratorOptions options;
    if (begin.has_value()) options.begin = TableCodec<K>::Encode(*begin);
    if (limit.has_value()) options.limit = TableCodec<K>::Encode(*limit);
    return options;
  }

  Keyspace keyspace_;
};

}  // namespace firn

#endif  // FIRN_TABLE_H_
