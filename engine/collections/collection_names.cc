#include "firn/collection_names.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr size_t kNameSizeMax = 64;

// As Database::CreateKeyspace() has it, but at once instead of at the first write.
bool IsCollectionName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameSizeMax && name != "wal" && name != "quarantine" &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

class NoEntries final : public Iterator {
 public:
  bool Valid() const override { return false; }
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(absl::string_view /*target*/) override {}
  void SeekForPrev(absl::string_view /*target*/) override {}
  void Next() override {}
  void Prev() override {}
  absl::string_view key() const override { return {}; }
  absl::string_view value() const override { return {}; }
  absl::Status status() const override { return status_; }

  explicit NoEntries(absl::Status status) : status_(std::move(status)) {}

 private:
  const absl::Status status_;
};

}  // namespace

class CollectionImpl {
 public:
  CollectionImpl(Database& database, const KeyspaceOptions& options, absl::string_view name)
      : database_(database), options_(options), name_(name) {}

  const std::string& name() const { return name_; }

  absl::StatusOr<std::optional<Keyspace>> IfExists() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(mutex_);
      if (keyspace_.has_value() && !keyspace_->dropped()) return keyspace_;
      keyspace_ = std::nullopt;
    }
    absl::StatusOr<Keyspace> keyspace = database_.OpenKeyspace(name_);
    if (ReasonOf(keyspace.status()) == ErrorReason::kKeyspaceNotFound) {
      return std::optional<Keyspace>();
    }
    if (!keyspace.ok()) return keyspace.status();
    return std::optional<Keyspace>(Remember(*std::move(keyspace)));
  }

  absl::StatusOr<Keyspace> ForWriting() ABSL_LOCKS_EXCLUDED(mutex_) {
    FIRN_ASSIGN_OR_RETURN(std::optional<Keyspace> existing, IfExists());
    if (existing.has_value()) return *std::move(existing);
    FIRN_ASSIGN_OR_RETURN(Keyspace made, database_.OpenOrCreateKeyspace(name_, options_));
    return Remember(std::move(made));
  }

  absl::Status Drop() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(mutex_);
      keyspace_ = std::nullopt;
    }
    const absl::Status dropped = database_.DropKeyspace(name_);
    MutexLock lock(mutex_);
    keyspace_ = std::nullopt;  // somebody may have remembered it meanwhile
    return ReasonOf(dropped) == ErrorReason::kKeyspaceNotFound ? absl::OkStatus() : dropped;
  }

 private:
  Keyspace Remember(Keyspace keyspace) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    keyspace_ = keyspace;
    return keyspace;
  }

  Database& database_;
  const KeyspaceOptions options_;
  const std::string name_;
  Mutex mutex_;
  std::optional<Keyspace> keyspace_ ABSL_GUARDED_BY(mutex_);
};

class CollectionsImpl {
 public:
  CollectionsImpl(Database& database, const KeyspaceOptions& options)
      : database_(database), options_(options) {}

  absl::Status Register(absl::Span<const absl::string_view> names) ABSL_LOCKS_EXCLUDED(mutex_) {
    for (const absl::string_view name : names) {
      if (IsCollectionName(name)) continue;
      return InvalidArgument(absl::StrCat("collection name \"", name,
                                          "\": 1 to 64 characters of [a-z0-9_-], not wal or ",
                                          "quarantine"));
    }
    MutexLock lock(mutex_);
    for (const absl::string_view name : names) {
      std::shared_ptr<CollectionImpl>& collection = collections_[std::string(name)];
      if (collection != nullptr) continue;
      collection = std::make_shared<CollectionImpl>(database_, options_, name);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::shared_ptr<CollectionImpl>> Find(absl::string_view name) const
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    const auto found = collections_.find(std::string(name));
    if (found != collections_.end()) return found->second;
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kKeyspaceNotFound,
                     absl::StrCat("no collection ", name, " was registered"));
  }

  std::vector<std::string> names() const ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<std::string> names;
    MutexLock lock(mutex_);
    for (const auto& [name, collection] : collections_) names.push_back(name);
    return names;
  }

  std::vector<std::string> existing_names() const {
    const std::vector<std::string> keyspaces = database_.ListKeyspaces();
    const absl::flat_hash_set<std::string> existing(keyspaces.begin(), keyspaces.end());
    std::vector<std::string> names = this->names();
    names.erase(std::remove_if(names.begin(), names.end(),
                               [&](const std::string& name) { return !existing.contains(name); }),
                names.end());
    return names;
  }

 private:
  Database& database_;
  const KeyspaceOptions options_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<CollectionImpl>> collections_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<PinnedValue> Collection::Get(absl::string_view key, const Snapshot& snapshot) const {
  FIRN_ASSIGN_OR_RETURN(const std::optional<Keyspace> keyspace, impl_->IfExists());
  if (!keyspace.has_value()) return absl::NotFoundError("");
  return keyspace->Get(key, snapshot);
}

std::unique_ptr<Iterator> Collection::NewIterator(const IteratorOptions& options) const {
  const absl::StatusOr<std::optional<Keyspace>> keyspace = impl_->IfExists();
  if (!keyspace.ok()) return std::make_unique<NoEntries>(keyspace.status());
  if (!keyspace->has_value()) return std::make_unique<NoEntries>(absl::OkStatus());
  return (*keyspace)->NewIterator(options);
}

absl::StatusOr<Keyspace> Collection::ForWriting() const { return impl_->ForWriting(); }
absl::StatusOr<std::optional<Keyspace>> Collection::IfExists() const { return impl_->IfExists(); }
const std::string& Collection::name() const { return impl_->name(); }

Collections::Collections(Database& database, const KeyspaceOptions& options)
    : impl_(std::make_unique<CollectionsImpl>(database, options)) {}
Collections::~Collections() = default;
absl::Status Collections::Register(absl::Span<const absl::string_view> names) {
  return impl_->Register(names);
}
absl::StatusOr<Collection> Collections::Find(absl::string_view name) const {
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<CollectionImpl> found, impl_->Find(name));
  return Collection(std::move(found));
}
std::vector<std::string> Collections::names() const { return impl_->names(); }
std::vector<std::string> Collections::existing_names() const {
  return impl_->existing_names();
}
absl::Status Collections::Drop(absl::string_view name) {
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<CollectionImpl> found, impl_->Find(name));
  return found->Drop();
}

}  // namespace firn
