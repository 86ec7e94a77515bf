#include "engine/conflict_check.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "engine/batch_format.h"
#include "engine/keyspace.h"
#include "sstable/internal_key.h"

namespace firn {

SequenceNumber ConflictCheck::Enter() {
  MutexLock lock(mutex_);
  const SequenceNumber entered{published_.load(std::memory_order_acquire)};
  entered_.insert(entered.value);
  oldest_.store(*entered_.begin(), std::memory_order_release);
  open_count_.fetch_add(1, std::memory_order_release);
  return entered;
}

void ConflictCheck::Leave(SequenceNumber entered) {
  MutexLock lock(mutex_);
  const auto found = entered_.find(entered.value);
  FIRN_CHECK(found != entered_.end());
  entered_.erase(found);
  oldest_.store(entered_.empty() ? UINT64_MAX : *entered_.begin(), std::memory_order_release);
  open_count_.fetch_sub(1, std::memory_order_release);
}

bool ConflictCheck::BeginGroup(SequenceNumber last, SequenceNumber published, uint64_t entries) {
  const bool wanted = open_count_.load(std::memory_order_acquire) > 0;
  if (!wanted && !recent_.recording()) return false;
  lingered_ = wanted ? 0 : lingered_ + entries;
  if (lingered_ > kLingerEntries) {
    recent_.Stop();
    return false;
  }
  if (!recent_.recording()) recent_.Start(last);
  // A transaction that enters later takes its snapshot at or above what is published now.
  recent_.MayForget(std::min(published, SequenceNumber{oldest_.load(std::memory_order_acquire)}));
  return true;
}

bool ConflictCheck::Reaches(KeyspaceId keyspace, ConflictQuery& query) {
  const SequenceNumber floor = recent_.floor(keyspace);
  if (floor <= query.after) return true;
  unknowns_.fetch_add(1, std::memory_order_relaxed);
  query.verdict = ConflictVerdict::kUnknown;
  query.keyspace = keyspace;
  query.floor = floor;
  return false;
}

bool ConflictCheck::CheckKey(KeyspaceId keyspace, absl::string_view key,
                             ConflictQuery& query) {
  if (!Reaches(keyspace, query)) return false;
  if (!recent_.WasWritten(keyspace, key, query.after)) return true;
  query.verdict = ConflictVerdict::kConflict;
  query.keyspace = keyspace;
  query.key = std::string(key);
  return false;
}

bool ConflictCheck::CheckRange(const RangeRead& range, ConflictQuery& query) {
  if (!Reaches(range.keyspace, query)) return false;
  const std::optional<absl::string_view> written =
      recent_.FindWritten(range.keyspace, range.begin, range.limit, query.after);
  if (!written.has_value()) return true;
  query.verdict = ConflictVerdict::kConflict;
  query.keyspace = range.keyspace;
  query.key = std::string(*written);
  return false;
}

bool ConflictCheck::Check(absl::string_view encoded, ConflictQuery& query) {
  FIRN_CHECK(recent_.recording());  // the transaction that asks is open
  for (const KeyspaceImpl* const keyspace : query.read_keyspaces) {
    if (!keyspace->DroppedSince(query.drops_seen)) continue;
    query.verdict = ConflictVerdict::kConflict;
    query.keyspace = keyspace->id();
    query.key = std::nullopt;
    return false;
  }
  const absl::Status writes = ForEachEntry(AsBytes(encoded), [&](const BatchEntry& entry) {
    return CheckKey(entry.keyspace, entry.key, query) ? absl::OkStatus() : absl::AbortedError("");
  });
  if (!writes.ok()) return false;
  if (query.reads != nullptr) {
    for (const ReadSet::Points::iterator& point : query.reads->points()) {
      if (!CheckKey(point->keyspace, point->key, query)) return false;
    }
    for (const RangeRead& range : query.reads->ranges()) {
      if (!CheckRange(range, query)) return false;
    }
  }
  query.verdict = ConflictVerdict::kClear;
  return true;
}

void ConflictCheck::Record(absl::string_view encoded, SequenceNumber first) {
  const absl::Status visited = ForEachEntry(AsBytes(encoded), [&](const BatchEntry& entry) {
    recent_.Add(entry.keyspace, entry.key, first);
    ++first.value;
    return absl::OkStatus();
  });
  FIRN_CHECK(visited.ok());  // Database::Write() checked every entry
  bytes_.store(recent_.bytes(), std::memory_order_relaxed);
}

void ConflictCheck::NoteUnlisted(KeyspaceId keyspace, SequenceNumber last) {
  if (recent_.recording()) recent_.ForgetThrough(keyspace, last);
}

absl::StatusOr<std::optional<std::string>> FindNewerWrite(KeyspaceImpl& keyspace,
                                                          const std::string& begin,
                                                          const std::optional<std::string>& limit,
                                                          SequenceNumber after) {
  FIRN_RETURN_IF_ERROR(keyspace.Check());
  const std::shared_ptr<const Version> version = keyspace.version();
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<InternalIterator> entries,
                        version->NewIterator(begin, limit, keyspace.segments()));
  for (entries->Seek(EncodeInternalKey({begin, kMaxSequenceNumber, kKindForSeek}));
       entries->Valid(); entries->Next()) {
    const absl::string_view key = UserKeyOf(entries->key());
    if (limit.has_value() && key >= absl::string_view(*limit)) break;
    if (SequenceOf(entries->key()) > after) return std::string(key);
  }
  FIRN_RETURN_IF_ERROR(entries->status());
  return std::nullopt;
}

}  // namespace firn
