// The keyspaces of a store: the part of DatabaseImpl that creates, finds and drops them.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "engine/call_guard.h"
#include "engine/database.h"
#include "engine/file_names.h"
#include "engine/options_file.h"
#include "firn/option_names.h"

namespace firn {
namespace {

absl::Status NoKeyspace(absl::string_view name) {
  return MakeError(absl::StatusCode::kNotFound, ErrorReason::kKeyspaceNotFound,
                   absl::StrCat("no keyspace ", name));
}

}  // namespace

std::string DatabaseImpl::FolderOf(absl::string_view keyspace) const {
  return JoinPath(directory_, keyspace);
}

std::shared_ptr<const KeyspaceTable> DatabaseImpl::table() const {
  MutexLock lock(mutex_);
  return table_;
}

std::shared_ptr<KeyspaceImpl> DatabaseImpl::Find(absl::string_view name) const {
  const std::shared_ptr<const KeyspaceTable> keyspaces = table();
  for (const auto& [id, keyspace] : *keyspaces) {
    if (keyspace->name() == name) return keyspace;
  }
  return nullptr;
}

absl::StatusOr<Keyspace> DatabaseImpl::CreateKeyspace(absl::string_view name,
                                                      const KeyspaceOptions& options) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  if (!IsKeyspaceName(name)) {
    return InvalidArgument(absl::StrCat("keyspace name \"", name,
                                        "\": 1 to 64 characters of [a-z0-9_-], not wal or ",
                                        "quarantine"));
  }
  FIRN_RETURN_IF_ERROR(CheckKeyspaceOptions(options));
  const Turn::Holder turn(keyspaces_turn_);
  if (Find(name) != nullptr) {
    return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kKeyspaceExists,
                     absl::StrCat("there is a keyspace ", name, " already"));
  }
  const absl::Status made = environment_.file_system->CreateDirectory(FolderOf(name));
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;  // a dropped one may have left it
  FIRN_RETURN_IF_ERROR(environment_.file_system->SyncDirectory(directory_));
  KeyspaceId id;
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    id = state.next_keyspace;
    VersionEdit edit;
    edit.next_keyspace = KeyspaceId{id.value + 1};
    edit.added_keyspaces.push_back({id, std::string(name), options});
    edit.size_limits.push_back({id, {options.size_soft_limit, options.size_limit}});
    if (options.compression_level > 0) {
      edit.compressions.push_back({id, {options.compression, options.compression_level}});
    }
    return edit;
  };
  std::shared_ptr<KeyspaceImpl> keyspace;
  const auto publish = [&](const StoreState& state) {
    keyspace = std::make_shared<KeyspaceImpl>(reading_, id, state.keyspaces.at(id), FolderOf(name));
    MutexLock lock(mutex_);
    auto changed = std::make_shared<KeyspaceTable>(*table_);
    (*changed)[id] = keyspace;
    table_ = std::move(changed);
  };
  FIRN_RETURN_IF_ERROR(CommitEdit(make, publish));
  Say(absl::StrCat("created keyspace ", name));
  const absl::Status persisted = PersistOptions();
  if (!persisted.ok()) Say(absl::StrCat(kOptionsFileName, ": ", persisted.ToString()));
  return Keyspace(std::move(keyspace));
}

absl::StatusOr<Keyspace> DatabaseImpl::OpenKeyspace(absl::string_view name) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  std::shared_ptr<KeyspaceImpl> keyspace = Find(name);
  if (keyspace == nullptr) return NoKeyspace(name);
  return Keyspace(std::move(keyspace));
}

absl::StatusOr<Keyspace> DatabaseImpl::OpenOrCreateKeyspace(absl::string_view name,
                                                            const KeyspaceOptions& options) {
  while (true) {
    absl::StatusOr<Keyspace> keyspace = OpenKeyspace(name);
    if (keyspace.ok()) SayDifferences(*keyspace, options);
    if (ReasonOf(keyspace.status()) != ErrorReason::kKeyspaceNotFound) return keyspace;
    keyspace = CreateKeyspace(name, options);
    // Somebody may have been faster.
    if (ReasonOf(keyspace.status()) != ErrorReason::kKeyspaceExists) return keyspace;
  }
}

void DatabaseImpl::SayDifferences(const Keyspace& keyspace, const KeyspaceOptions& asked) const {
  KeyspaceOptions stored = keyspace.options();
  const CompressionChoice compression = keyspace.impl()->compression();
  stored.compression = compression.codec;
  stored.compression_level = compression.level;
  const std::vector<std::string> differences = KeyspaceOptionDifferences(stored, asked);
  if (differences.empty() || !keyspace.impl()->TakeDifferencesTold()) return;
  Say(absl::StrCat("keyspace ", keyspace.impl()->name(), " keeps the options it was made with: ",
                   absl::StrJoin(differences, "; ")));
}

absl::Status DatabaseImpl::DropKeyspace(absl::string_view name) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  const Turn::Holder turn(keyspaces_turn_);
  const std::shared_ptr<KeyspaceImpl> keyspace = Find(name);
  if (keyspace == nullptr) return NoKeyspace(name);
  std::shared_ptr<const Levels> levels;  // as of the edit
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    levels = state.keyspaces.at(keyspace->id()).levels;
    VersionEdit edit;
    edit.dropped_keyspaces.push_back(keyspace->id());
    return edit;
  };
  const auto publish = [&](const StoreState&) {
    keyspace->MarkDropped();
    MutexLock lock(mutex_);
    auto changed = std::make_shared<KeyspaceTable>(*table_);
    changed->erase(keyspace->id());
    table_ = std::move(changed);
  };
  FIRN_RETURN_IF_ERROR(CommitEdit(make, publish));
  keyspace->Install(std::make_shared<const Levels>(), kMaxSequenceNumber);
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    for (const SegmentPtr& segment : levels->level(LevelIndex{level})) {
      obsolete_.Add(segment, FolderOf(name));
    }
  }
  levels = nullptr;
  reading_.epochs.Drain();
  const absl::Status collected = obsolete_.Collect();
  if (!collected.ok()) Say(absl::StrCat("dropping ", name, ": ", collected.ToString()));
  Say(absl::StrCat("dropped keyspace ", name));
  const absl::Status persisted = PersistOptions();
  if (!persisted.ok()) Say(absl::StrCat(kOptionsFileName, ": ", persisted.ToString()));
  const absl::Status retired = background_->RetireLogs();
  if (!retired.ok()) queue_->Poison(retired);  // the drop itself is durable
  return absl::OkStatus();
}

std::vector<std::string> DatabaseImpl::ListKeyspaces() const {
  std::vector<std::string> names;
  const std::shared_ptr<const KeyspaceTable> keyspaces = table();
  for (const auto& [id, keyspace] : *keyspaces) names.push_back(keyspace->name());
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status DatabaseImpl::CommitEdit(
    absl::FunctionRef<absl::StatusOr<VersionEdit>(const StoreState&)> make,
    absl::FunctionRef<void(const StoreState&)> publish) {
  const absl::Status status =
      versions_->Commit(make, SequenceNumber{last_sequence()}, publish);
  if (!status.ok() && !versions_->error().ok()) queue_->Poison(status);
  return status;
}

absl::Status DatabaseImpl::PersistOptions() {
  std::map<std::string, KeyspaceOptions> keyspaces;
  const std::shared_ptr<const StoreState> state = versions_->state();
  for (const auto& [id, keyspace] : state->keyspaces) {
    keyspaces[keyspace.name] = keyspace.options;
  }
  return WriteOptionsFile(*environment_.file_system, directory_, given_options_, keyspaces);
}

// --- firn/database.h

absl::StatusOr<Keyspace> Database::CreateKeyspace(absl::string_view name,
                                                  const KeyspaceOptions& options) {
  return impl_->CreateKeyspace(name, options);
}
absl::StatusOr<Keyspace> Database::OpenKeyspace(absl::string_view name) {
  return impl_->OpenKeyspace(name);
}
absl::StatusOr<Keyspace> Database::OpenOrCreateKeyspace(absl::string_view name,
                                                        const KeyspaceOptions& options) {
  return impl_->OpenOrCreateKeyspace(name, options);
}
absl::Status Database::DropKeyspace(absl::string_view name) { return impl_->DropKeyspace(name); }
std::vector<std::string> Database::ListKeyspaces() const { return impl_->ListKeyspaces(); }

}  // namespace firn
