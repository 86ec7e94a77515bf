#include "engine/recovery.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/batch_format.h"
#include "engine/file_names.h"
#include "engine/manifest.h"
#include "sstable/sequence_key.h"
#include "wal/log_reader.h"

namespace firn {
namespace {

struct FolderContent {
  bool has_store_file = false;
  bool has_current = false;
  bool has_log_directory = false;
  std::optional<std::string> foreign;  // something that no interrupted creation leaves behind
};

bool IsLeftByCreation(absl::string_view name) {
  return name == kLockFileName || name == kStoreFileName || name == kOptionsFileName ||
         absl::EndsWith(name, kTemporarySuffix) || ParseManifestName(name).has_value();
}

absl::StatusOr<FolderContent> LookAt(FileSystem& file_system, absl::string_view directory) {
  FolderContent content;
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system.List(directory));
  for (const std::string& name : names) {
    if (name == kStoreFileName) content.has_store_file = true;
    if (name == kCurrentFileName) {
      content.has_current = true;
    } else if (name == kLogDirectoryName) {
      content.has_log_directory = true;
    } else if (!IsLeftByCreation(name) && !content.foreign.has_value()) {
      content.foreign = name;
    }
  }
  return content;
}

absl::Status NotAStore(absl::string_view directory, absl::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                   absl::StrCat(directory, ": not a firn store: ", why));
}

absl::Status Missing(absl::string_view path, absl::string_view why) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingFile,
                   absl::StrCat(path, ": missing, ", why));
}

// The folder itself; true if it was made just now.
absl::StatusOr<bool> EnsureFolder(FileSystem& file_system, const std::string& directory,
                                  OpenMode mode) {
  const absl::StatusOr<FileInfo> info = file_system.Stat(directory);
  if (info.ok()) {
    if (info->is_directory) return false;
    return NotAStore(directory, "it is a file");
  }
  if (!absl::IsNotFound(info.status())) return info.status();
  if (mode == OpenMode::kOpenExisting) {
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotAStore,
                     absl::StrCat(directory, ": there is no store"));
  }
  FIRN_RETURN_IF_ERROR(file_system.CreateDirectory(directory));
  FIRN_RETURN_IF_ERROR(file_system.SyncDirectory(DirectoryOf(directory)));
  return true;
}

// Whether there is a whole store (true), or one is to be made (false).
absl::StatusOr<bool> Classify(const FolderContent& content, absl::string_view directory,
                              OpenMode mode) {
  if (content.has_store_file && (content.has_current || content.has_log_directory)) {
    if (!content.has_current) {
      return Missing(JoinPath(directory, kCurrentFileName), "which names the manifest in force");
    }
    if (mode == OpenMode::kCreateNew) {
      return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kInvalidArgument,
                       absl::StrCat(directory, ": there is a store already"));
    }
    return true;
  }
  if (content.has_current) {
    return Missing(JoinPath(directory, kStoreFileName), "though the folder has a CURRENT");
  }
  if (content.has_store_file && content.foreign.has_value()) {
    return Missing(JoinPath(directory, kCurrentFileName),
                   absl::StrCat("which names the manifest in force, though there are ",
                                kStoreFileName, " and ", *content.foreign));
  }
  if (content.foreign.has_value() || content.has_log_directory) {
    return NotAStore(directory,
                     absl::StrCat("it has no file ", kStoreFileName, ", but others, such as ",
                                  content.foreign.value_or(kLogDirectoryName)));
  }
  if (mode == OpenMode::kOpenExisting) {
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotAStore,
                     absl::StrCat(directory, ": there is no store"));
  }
  return false;
}

absl::Status CreateStore(const FolderParts& parts, const Options& options, OpenedFolder& folder) {
  folder.store.id = NewStoreId();
  folder.store.identity = options.identity;
  FIRN_RETURN_IF_ERROR(WriteStoreFile(parts.file_system, parts.directory, folder.store));
  // Manifests that an interrupted creation left have no CURRENT: pass their numbers.
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                        parts.file_system.List(parts.directory));
  for (const std::string& name : names) {
    const std::optional<FileNumber> number = ParseManifestName(name);
    if (number.has_value()) folder.greatest_file = std::max(folder.greatest_file, *number);
  }
  const FileNumber manifest{folder.greatest_file.value + 1};
  folder.greatest_file = manifest;
  FIRN_RETURN_IF_ERROR(Manifest::Create(parts.file_system, parts.directory, manifest,
                                        parts.new_random(), folder.state)
                           .status());
  folder.manifest = manifest;
  return SwitchCurrent(parts.file_system, parts.directory, manifest);
}

// The greatest number of any file of the store: logs, manifests, segments of any keyspace.
absl::Status FindGreatestFile(const FolderParts& parts, OpenedFolder& folder) {
  const auto see = [&](std::optional<FileNumber> number) {
    if (number.has_value()) folder.greatest_file = std::max(folder.greatest_file, *number);
  };
  for (const FoundLog& log : folder.chain) see(log.header.number);
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                        parts.file_system.List(parts.directory));
  for (const std::string& name : names) {
    see(ParseManifestName(name));
    if (!IsKeyspaceName(name)) continue;
    const std::string path = JoinPath(parts.directory, name);
    FIRN_ASSIGN_OR_RETURN(const FileInfo info, parts.file_system.Stat(path));
    if (!info.is_directory) continue;
    FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> files, parts.file_system.List(path));
    for (const std::string& file : files) see(ParseSegmentName(file));
  }
  return absl::OkStatus();
}

absl::Status OpenLogs(const FolderParts& parts, const Options& options, OpenedFolder& folder) {
  LogFilesOptions log_options;
  log_options.slot_size_max =
      std::clamp<uint64_t>(options.log_size_max / 4, uint64_t{16} << 10, uint64_t{64} << 20) /
      kLogBlockSize * kLogBlockSize;
  log_options.slot_size_first =
      std::min<uint64_t>(log_options.slot_size_first, log_options.slot_size_max);
  log_options.new_salt = parts.new_random;
  FIRN_ASSIGN_OR_RETURN(
      folder.logs, LogFiles::Open(parts.file_system, parts.executor,
                                  JoinPath(parts.directory, kLogDirectoryName), log_options));
  FIRN_ASSIGN_OR_RETURN(folder.chain, folder.logs->ReadChain());
  return absl::OkStatus();
}

// So much of manifest `number` was on stable storage when the newest log began.
absl::StatusOr<uint64_t> ManifestSizeMin(const FolderParts& parts, const OpenedFolder& folder,
                                         FileNumber number) {
  if (folder.chain.empty()) return 0;
  const FoundLog& newest = folder.chain.back();
  const ManifestPosition& manifest = newest.header.manifest;
  if (manifest.number > number) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     absl::StrCat(JoinPath(parts.directory, kCurrentFileName), ": names ",
                                  ManifestName(number), ", but ", newest.path,
                                  " was begun under ", ManifestName(manifest.number)));
  }
  return manifest.number == number ? manifest.synced_size : 0;
}

constexpr size_t kAddedAtOnce = 32;
// So many entries of a memtable tell how many will follow.
constexpr uint64_t kSampleEntries = 10'000;

// Replays logs into the memtables, a record at a time.
class Replay {
 public:
  // `bytes`: about as many as will be replayed.
  Replay(const StoreState& state, const KeyspaceTable& keyspaces, size_t memtable_size,
         uint64_t bytes)
      : state_(state), keyspaces_(keyspaces), memtable_size_(memtable_size), bytes_left_(bytes) {}

  absl::Status Apply(const LogRecord& record, ReplayedLogs& replayed) {
    FIRN_ASSIGN_OR_RETURN(const Group group, DecodeGroup(record.payload));
    const SequenceNumber last{group.header.first_sequence.value + group.header.count - 1};
    if (SequenceRange{group.header.first_sequence, last} != record.sequences) {
      return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                       "the batch numbers its entries otherwise than its record");
    }
    SequenceNumber sequence = group.header.first_sequence;
    FIRN_RETURN_IF_ERROR(ForEachEntry(group.entries, [&](const BatchEntry& entry) {
      const absl::Status status = ApplyEntry(sequence, entry);
      ++sequence.value;
      return status;
    }));
    Add();
    bytes_left_ -= std::min<uint64_t>(bytes_left_, record.payload.size());
    bytes_seen_ += record.payload.size();
    for (KeyspaceImpl* const keyspace : touched_) {
      Memtable& active = keyspace->active();
      if (active.ApproximateMemory() >= memtable_size_) {
        keyspace->SwitchMemtable(last);
      } else if (active.entry_count() >= kSampleEntries && reserved_[keyspace->id()] != &active) {
        reserved_[keyspace->id()] = &active;
        active.Reserve(EntriesToCome(active));
      }
    }
    touched_.clear();
    replayed.last_sequence = std::max(replayed.last_sequence, last);
    ++replayed.batches;
    replayed.bytes += record.payload.size();
    return absl::OkStatus();
  }

 private:
  absl::Status ApplyEntry(SequenceNumber sequence, const BatchEntry& entry) {
    if (target_ == nullptr || target_->id() != entry.keyspace) {
      const auto keyspace = state_.keyspaces.find(entry.keyspace);
      if (keyspace == state_.keyspaces.end()) {
        if (entry.keyspace < state_.next_keyspace) return absl::OkStatus();  // dropped since
        return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                         absl::StrCat("an entry of keyspace ", entry.keyspace.value,
                                      ", which the manifest does not know"));
      }
      Add();
      target_ = keyspaces_.at(entry.keyspace).get();
      flushed_ = keyspace->second.flushed;
    }
    if (sequence <= flushed_) return absl::OkStatus();  // in a segment
    FIRN_RETURN_IF_ERROR(CheckEntry(*target_, entry));
    if (IsBelowBound(*target_, entry)) return absl::OkStatus();
    entries_.push_back({sequence, entry.kind, entry.key, entry.value});
    if (entries_.size() == kAddedAtOnce) Add();
    return absl::OkStatus();
  }

  // Into the memtable, together: what they touch there comes from memory at once.
  void Add() {
    if (entries_.empty()) return;
    target_->active().AddMany(entries_);
    entries_.clear();
    if (touched_.empty() || touched_.back() != target_) touched_.push_back(target_);
  }

  // If the rest of the logs is like what was replayed: as many as they hold, or as many as the memtable
  // takes before it is full.
  uint64_t EntriesToCome(const Memtable& active) const {
    const double entries = static_cast<double>(active.entry_count());
    const double in_logs = entries * static_cast<double>(bytes_left_) /
                           static_cast<double>(std::max<uint64_t>(bytes_seen_, 1));
    const double in_memtable =
        entries * (static_cast<double>(memtable_size_) /
                       static_cast<double>(std::max<size_t>(active.ApproximateMemory(), 1)) -
                   1);
    return static_cast<uint64_t>(std::max(0.0, std::min(in_logs, in_memtable)));
  }

  // The bound came after the entry, and hides it.
  static bool IsBelowBound(const KeyspaceImpl& keyspace, const BatchEntry& entry) {
    return keyspace.rules().ascending && LoadSequenceKey(entry.key) < keyspace.bound();
  }
  // What does not suit its keyspace was never committed.
  static absl::Status CheckEntry(KeyspaceImpl& keyspace, const BatchEntry& entry) {
    absl::Status status = keyspace.rules().Check(entry.kind, entry.key, keyspace.name());
    if (status.ok() && keyspace.rules().ascending && !IsBelowBound(keyspace, entry)) {
      const uint64_t key = LoadSequenceKey(entry.key);
      status = keyspace.ascending().Take({key, key}, keyspace.name());
    }
    if (status.ok()) return status;
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption, status.message());
  }

  const StoreState& state_;
  const KeyspaceTable& keyspaces_;
  const size_t memtable_size_;
  uint64_t bytes_left_;
  uint64_t bytes_seen_ = 0;
  absl::flat_hash_map<KeyspaceId, const Memtable*> reserved_;  // told what to expect

  KeyspaceImpl* target_ = nullptr;  // of the last entry
  SequenceNumber flushed_;          // of target_
  std::vector<KeyspaceImpl*> touched_;  // by the record that is being applied
  std::vector<MemtableEntry> entries_;  // of target_, not yet added; views into the record
};

absl::Status RemoveOrphanSegments(FileSystem& file_system, const std::string& directory,
                                  const KeyspaceState* keyspace,
                                  std::vector<std::string>& removed) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system.List(directory));
  std::set<FileNumber> named;
  if (keyspace != nullptr) {
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : keyspace->levels->level(LevelIndex{level})) {
        named.insert(segment->number);
      }
    }
  }
  bool is_empty = true;
  for (const std::string& name : names) {
    const std::optional<FileNumber> number = ParseSegmentName(name);
    if (!number.has_value() || named.count(*number) > 0) {
      is_empty = false;
      continue;
    }
    FIRN_RETURN_IF_ERROR(file_system.RemoveFile(JoinPath(directory, name)));
    removed.push_back(JoinPath(directory, name));
  }
  if (keyspace != nullptr || !is_empty) return absl::OkStatus();
  removed.push_back(directory);
  return file_system.RemoveDirectory(directory);
}

}  // namespace

absl::StatusOr<OpenedFolder> OpenFolder(const FolderParts& parts, const Options& options) {
  OpenedFolder folder;
  FIRN_RETURN_IF_ERROR(
      EnsureFolder(parts.file_system, parts.directory, options.mode).status());
  // Before the lock leaves a file in a folder that is not ours.
  FIRN_ASSIGN_OR_RETURN(FolderContent content, LookAt(parts.file_system, parts.directory));
  FIRN_RETURN_IF_ERROR(Classify(content, parts.directory, options.mode).status());
  FIRN_ASSIGN_OR_RETURN(folder.lock,
                        parts.file_system.Lock(JoinPath(parts.directory, kLockFileName)));
  FIRN_ASSIGN_OR_RETURN(content, LookAt(parts.file_system, parts.directory));
  FIRN_ASSIGN_OR_RETURN(const bool exists, Classify(content, parts.directory, options.mode));
  if (!exists) {
    FIRN_RETURN_IF_ERROR(CreateStore(parts, options, folder));
    FIRN_RETURN_IF_ERROR(OpenLogs(parts, options, folder));
    return folder;
  }
  FIRN_ASSIGN_OR_RETURN(folder.store, ReadStoreFile(parts.file_system, parts.directory));
  FIRN_RETURN_IF_ERROR(OpenLogs(parts, options, folder));
  FIRN_ASSIGN_OR_RETURN(folder.manifest, ReadCurrent(parts.file_system, parts.directory));
  FIRN_ASSIGN_OR_RETURN(const uint64_t size_min, ManifestSizeMin(parts, folder, folder.manifest));
  FIRN_ASSIGN_OR_RETURN(ReadManifest manifest, LoadManifest(parts.file_system, parts.directory,
                                                            folder.manifest, size_min));
  folder.state = std::move(manifest.state);
  if (folder.chain.empty() && !folder.state.keyspaces.empty()) {
    return Missing(folder.logs->directory(), "or without a log, though the store has keyspaces");
  }
  FIRN_RETURN_IF_ERROR(FindGreatestFile(parts, folder));
  return folder;
}

absl::Status CheckSegments(const KeyspaceTable& keyspaces) {
  for (const auto& [id, keyspace] : keyspaces) {
    const std::shared_ptr<const Levels> levels = keyspace->version()->levels();
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : levels->level(LevelIndex{level})) {
        const absl::Status opened = keyspace->segments().Get(*segment).status();
        if (absl::IsNotFound(opened)) {
          return Missing(keyspace->segments().PathOf(segment->number), "though the manifest names it");
        }
        FIRN_RETURN_IF_ERROR(opened);
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ReplayedLogs> ReplayLogs(FileSystem& file_system, const OpenedFolder& folder,
                                        const KeyspaceTable& keyspaces, size_t memtable_size) {
  ReplayedLogs replayed;
  uint64_t bytes = 0;
  for (const FoundLog& log : folder.chain) {
    bytes += log.final_end.has_value() ? log.final_end->size : log.file_size;
  }
  Replay replay(folder.state, keyspaces, memtable_size, bytes);
  for (const FoundLog& log : folder.chain) {
    LogReaderOptions options;
    options.number = log.header.number;
    options.final_end = log.final_end;
    FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                          LogReader::Open(file_system, log.path, options));
    while (true) {
      FIRN_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, reader->Next());
      if (!record.has_value()) break;
      const absl::Status applied = replay.Apply(*record, replayed);
      if (!applied.ok()) {
        return Annotate(applied, absl::StrCat(log.path, ": offset ", record->offset));
      }
    }
    const LogEnd end = reader->end();
    replayed.last_sequence = std::max({replayed.last_sequence, end.last_sequence,
                                       log.header.previous.end.last_sequence});
    replayed.sealed.push_back({log.header.number, replayed.last_sequence, end.size});
    replayed.previous = {log.header.number, end};
  }
  return replayed;
}

absl::StatusOr<std::vector<std::string>> RemoveOrphans(FileSystem& file_system,
                                                       absl::string_view directory,
                                                       const StoreState& state,
                                                       FileNumber manifest) {
  std::vector<std::string> removed;
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system.List(directory));
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory, name);
    const std::optional<FileNumber> number = ParseManifestName(name);
    const bool is_temporary = name == absl::StrCat(kCurrentFileName, kTemporarySuffix) ||
                              name == absl::StrCat(kOptionsFileName, kTemporarySuffix) ||
                              name == absl::StrCat(kStoreFileName, kTemporarySuffix);
    if (is_temporary || (number.has_value() && *number != manifest)) {
      FIRN_RETURN_IF_ERROR(file_system.RemoveFile(path));
      removed.push_back(path);
      continue;
    }
    if (!IsKeyspaceName(name)) continue;
    FIRN_ASSIGN_OR_RETURN(const FileInfo info, file_system.Stat(path));
    if (!info.is_directory) continue;
    const auto keyspace =
        std::find_if(state.keyspaces.begin(), state.keyspaces.end(),
                     [&](const auto& entry) { return entry.second.name == name; });
    FIRN_RETURN_IF_ERROR(RemoveOrphanSegments(
        file_system, path, keyspace == state.keyspaces.end() ? nullptr : &keyspace->second,
        removed));
  }
  return removed;
}

}  // namespace firn
