// firn/collection_names.h: many named collections of which each costs nothing until it is used: no
// keyspace, no file, no entry in the manifest before its first write.
//
// Example:
//     firn::Collections collections(*database, {});
//     absl::Status known = collections.Register({"accounts", "invoices", "drafts"});
//     firn::Collection drafts = collections.Find("drafts").value();
//     drafts.Get("k");                                 // NotFound: nothing is made by reading
//     batch.Put(drafts.ForWriting().value(), "k", "v");   // now there is a keyspace "drafts"
#ifndef FIRN_COLLECTION_NAMES_H_
#define FIRN_COLLECTION_NAMES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/database.h"
#include "firn/iterator.h"
#include "firn/keyspace.h"
#include "firn/options.h"
#include "firn/snapshot.h"

namespace firn {

class CollectionImpl;
class CollectionsImpl;

// A keyspace that may not be there yet. Cheap to copy; thread-safe; must not outlive its Database.
class Collection {
 public:
  // Reads of one that was never written find nothing, and make nothing.
  absl::StatusOr<PinnedValue> Get(absl::string_view key, const Snapshot& snapshot = {}) const;
  std::unique_ptr<Iterator> NewIterator(const IteratorOptions& options = {}) const;

  // The keyspace, made by the first call: durable when that returns, for which it takes a few syncs.
  // Call it before the transaction that writes, or in it: it is no part of one.
  absl::StatusOr<Keyspace> ForWriting() const;
  // None if it is not there.
  absl::StatusOr<std::optional<Keyspace>> IfExists() const;
  const std::string& name() const;

  // For Collections.
  explicit Collection(std::shared_ptr<CollectionImpl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<CollectionImpl> impl_;
};

// Thread-safe. Remembers the names in memory only: register them at each start.
class Collections {
 public:
  // `options`: of the keyspaces that will be made.
  Collections(Database& database, const KeyspaceOptions& options);
  ~Collections();
  Collections(const Collections&) = delete;
  Collections& operator=(const Collections&) = delete;

  // All of them, or none: InvalidArgument for a name that no keyspace can have (CreateKeyspace()).
  // Registering a name twice does nothing.
  absl::Status Register(absl::Span<const absl::string_view> names);
  // NotFound/kKeyspaceNotFound if it was not registered.
  absl::StatusOr<Collection> Find(absl::string_view name) const;
  std::vector<std::string> names() const;           // registered, sorted
  std::vector<std::string> existing_names() const;  // of these, those with a keyspace
  // Drops the keyspace, if there is one. The name stays registered: the next write makes a new one.
  absl::Status Drop(absl::string_view name);

 private:
  const std::unique_ptr<CollectionsImpl> impl_;
};

}  // namespace firn

#endif  // FIRN_COLLECTION_NAMES_H_
