// Memory, room on the disk, sizes of keyspaces: the part of DatabaseImpl that looks after limits, and
// what statistics say of them.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/call_guard.h"
#include "engine/database.h"
#include "engine/file_names.h"
#include "engine/space_guard.h"
#include "firn/option_names.h"

namespace firn {
namespace {

constexpr uint64_t kBlockCacheMax = uint64_t{1} << 40;

}  // namespace

absl::Status DatabaseImpl::SetSizeLimits(const Keyspace& keyspace, const SizeLimits& limits) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(CheckHandle(keyspace));
  KeyspaceOptions checked = keyspace.options();
  checked.size_soft_limit = limits.soft;
  checked.size_limit = limits.hard;
  FIRN_RETURN_IF_ERROR(CheckKeyspaceOptions(checked));
  KeyspaceImpl& target = *keyspace.impl();
  const Turn::Holder turn(keyspaces_turn_);
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    if (state.keyspaces.count(target.id()) == 0) return target.Check();
    VersionEdit edit;
    edit.size_limits.push_back({target.id(), limits});
    return edit;
  };
  FIRN_RETURN_IF_ERROR(
      CommitEdit(make, [&](const StoreState&) { target.size_limits().SetLimits(limits); }));
  const absl::Status persisted = PersistOptions();
  if (!persisted.ok()) Say(absl::StrCat(kOptionsFileName, ": ", persisted.ToString()));
  return absl::OkStatus();
}

absl::Status DatabaseImpl::SetCompression(const Keyspace& keyspace,
                                          const CompressionChoice& choice) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(CheckHandle(keyspace));
  FIRN_RETURN_IF_ERROR(CheckCompression(choice));
  KeyspaceImpl& target = *keyspace.impl();
  const Turn::Holder turn(keyspaces_turn_);
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    if (state.keyspaces.count(target.id()) == 0) return target.Check();
    VersionEdit edit;
    edit.compressions.push_back({target.id(), choice});
    return edit;
  };
  FIRN_RETURN_IF_ERROR(
      CommitEdit(make, [&](const StoreState&) { target.SetCompression(choice); }));
  const absl::Status persisted = PersistOptions();
  if (!persisted.ok()) Say(absl::StrCat(kOptionsFileName, ": ", persisted.ToString()));
  return absl::OkStatus();
}

absl::Status DatabaseImpl::CheckSizes(absl::Span<KeyspaceImpl* const> keyspaces) {
  for (KeyspaceImpl* const keyspace : keyspaces) {
    KeyspaceSize& size = keyspace->size_limits();
    const SizeLimits limits = size.limits();
    const uint64_t bytes = keyspace->size();
    const SizeVerdict verdict = JudgeSize(limits, bytes);
    if (size.IsNews(verdict, bytes)) {
      const char* const where = verdict == SizeVerdict::kBelow       ? "below its limits again"
                                : verdict == SizeVerdict::kAboveSoft ? "above its size_soft_limit"
                                                                     : "above its size_limit";
      Say(absl::StrCat(verdict == SizeVerdict::kBelow ? "" : "warning: ", "keyspace ",
                       keyspace->name(), " is ", where, ": ", bytes, " bytes, limits ", limits.soft,
                       " and ", limits.hard));
    }
    if (verdict != SizeVerdict::kAboveHard) continue;
    size.CountRefused();
    return KeyspaceFull(keyspace->name(), bytes, limits.hard);
  }
  return absl::OkStatus();
}

absl::Status DatabaseImpl::SetBlockCacheSize(uint64_t bytes) {
  const uint64_t most = shares_.budget == 0 ? kBlockCacheMax : shares_.block_cache;
  if (bytes > most) {
    return InvalidOption("block_cache_size",
                         absl::StrCat(bytes, " is above ", most,
                                      shares_.budget == 0 ? "" : ", its share of memory_budget"));
  }
  uint64_t size = 0;
  {
    MutexLock lock(mutex_);
    block_cache_size_ = bytes;
    size = BlockCacheSize();
  }
  blocks_.SetCapacity(size);
  return absl::OkStatus();
}

uint64_t DatabaseImpl::BlockCacheSize() const {
  const uint64_t left = shares_.budget == 0 ? block_cache_size_ : shares_.block_cache - reserved_;
  return std::min(block_cache_size_, left);
}

uint64_t DatabaseImpl::ReserveMemory(uint64_t bytes) {
  uint64_t granted = 0;
  uint64_t size = 0;
  {
    MutexLock lock(mutex_);
    granted = GrantFromCache(shares_, reserved_, bytes);
    reserved_ += granted;
    size = BlockCacheSize();
  }
  blocks_.SetCapacity(size);
  return granted;
}

void DatabaseImpl::ReturnMemory(uint64_t bytes) {
  uint64_t size = 0;
  {
    MutexLock lock(mutex_);
    FIRN_CHECK(bytes <= reserved_);
    reserved_ -= bytes;
    size = BlockCacheSize();
  }
  blocks_.SetCapacity(size);
}

void DatabaseImpl::Tick() {
  background_->Tick();
  const uint64_t now = environment_.clock->MonotonicMicroseconds();
  const uint64_t limit = options_.reader_age_warning_s * 1'000'000;
  snapshots_.NoteTime(now);
  if (limit == 0) return;
  const SnapshotRegistry::Age age = snapshots_.AgeAt(now, limit);
  const bool is_news =
      !warned_reader_.has_value() || age.oldest_sequence > *warned_reader_;
  if (age.older == 0 || !is_news) return;
  warned_reader_ = age.oldest_sequence;
  Say(absl::StrCat("warning: a snapshot, iterator or transaction has been open for ",
                   age.oldest_us / 1'000'000, " seconds, since number ", age.oldest_sequence.value,
                   ": what was replaced or removed since then stays on the disk"));
}

Statistics DatabaseImpl::statistics() const {
  Statistics statistics;
  counters_.Read(statistics);
  const absl::string_view io = environment_.file_system->name();
  statistics.io = std::string(io);
  statistics.io_reason = environment_.io_reason;
  statistics.last_sequence = last_sequence();
  statistics.log_bytes = log_->written_bytes();
  const CacheCounters blocks = blocks_.Counters();
  statistics.block_cache_hits = blocks.hits;
  statistics.block_cache_misses = blocks.misses;
  statistics.block_cache_bytes = blocks.charge;
  statistics.block_cache_inserts = blocks.inserts;
  statistics.block_cache_evictions = blocks.evictions;
  statistics.snapshots = snapshots_.count();
  const uint64_t age_limit_us = options_.reader_age_warning_s == 0
                                    ? UINT64_MAX
                                    : options_.reader_age_warning_s * 1'000'000;
  const SnapshotRegistry::Age age =
      snapshots_.AgeAt(environment_.clock->MonotonicMicroseconds(), age_limit_us);
  statistics.oldest_reader_ms = age.oldest_us / 1000;
  statistics.long_readers = age.older;
  statistics.transactions_open = conflicts_.open();
  const std::shared_ptr<const KeyspaceTable> keyspaces = table();
  MemoryStatistics& memory = statistics.memory;
  for (const auto& [id, keyspace] : *keyspaces) {
    statistics.keyspaces.push_back(keyspace->statistics());
    memory.memtables.used += statistics.keyspaces.back().memtable_bytes;
  }
  memory.budget = shares_.budget;
  memory.fixed = shares_.fixed;
  memory.memtables.share = shares_.memtables;
  memory.block_cache = {blocks.charge, blocks_.capacity()};
  memory.transactions = {conflicts_.bytes(), shares_.transactions};
  memory.indexes = {segments_.memory_usage(), shares_.indexes};
  {
    MutexLock lock(mutex_);
    memory.reserved = reserved_;
  }
  statistics.space = space_.statistics();
  std::sort(statistics.keyspaces.begin(), statistics.keyspaces.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return statistics;
}

// --- firn/database.h

absl::Status Database::SetSizeLimits(const Keyspace& keyspace, const SizeLimits& limits) {
  return impl_->SetSizeLimits(keyspace, limits);
}
absl::Status Database::SetCompression(const Keyspace& keyspace, const CompressionChoice& choice) {
  return impl_->SetCompression(keyspace, choice);
}
absl::Status Database::SetBlockCacheSize(uint64_t bytes) { return impl_->SetBlockCacheSize(bytes); }
uint64_t Database::ReserveMemory(uint64_t bytes) { return impl_->ReserveMemory(bytes); }
void Database::ReturnMemory(uint64_t bytes) { impl_->ReturnMemory(bytes); }
Statistics Database::statistics() const { return impl_->statistics(); }

}  // namespace firn
