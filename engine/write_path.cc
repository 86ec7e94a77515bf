#include "engine/write_path.h"

#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/batch_format.h"

namespace firn {
namespace {

// Entries that go into a memtable together: what they touch is fetched at once.
constexpr size_t kAddedAtOnce = 32;
// When a memtable holds such a share of what it may hold, its entries tell how many will follow.
constexpr size_t kSampleShare = 8;
// A look at the debt of all keyspaces is good for so many groups, and for a part of a memtable.
constexpr uint32_t kGroupsPerLook = 64;
constexpr uint64_t kLooksPerMemtable = 64;
// What an entry takes in a memtable beside its encoded bytes, about.
constexpr uint64_t kEntryMemory = 64;

uint64_t PayloadSize(const CommitBatch& batch) { return kGroupHeaderSize + batch.size; }

std::array<uint8_t, kGroupHeaderSize> HeaderOf(const CommitBatch& batch) {
  return EncodeGroupHeader({batch.first_sequence, static_cast<uint32_t>(batch.count)});
}

// Of a group of up to 15 without memory from the heap.
absl::InlinedVector<ByteSpan, 16> PiecesOf(const CommitBatch& batch, ByteSpan header) {
  absl::InlinedVector<ByteSpan, 16> pieces;
  pieces.reserve(batch.pieces.size() + 1);
  pieces.push_back(header);
  pieces.insert(pieces.end(), batch.pieces.begin(), batch.pieces.end());
  return pieces;
}

WriteThrottleLimits WithShares(WriteThrottleLimits limits, const MemoryShares& shares) {
  if (shares.budget == 0) return limits;
  limits.all_unflushed_bytes_slow = shares.memtables - shares.memtables / 4;
  limits.all_unflushed_bytes_stop = shares.memtables;
  return limits;
}

}  // namespace

WritePath::WritePath(WritePathParts parts)
    : parts_(std::move(parts)),
      limits_(WithShares(
          LimitsFor(parts_.options.memtable_size, parts_.options.immutable_memtables_max,
                    parts_.options.level0_segments_slow, parts_.options.level0_segments_stop),
          parts_.shares)) {}

// --- before the numbers

bool WritePath::GoesUnseen(uint64_t bytes, uint64_t memory) {
  const uint32_t groups = unseen_groups_.load(std::memory_order_relaxed);
  const uint64_t unseen = unseen_bytes_ + memory;
  if (groups >= kGroupsPerLook || unseen > parts_.options.memtable_size / kLooksPerMemtable) {
    return false;
  }
  WriteDebt at_most = last_debt_;  // as if all went to the keyspace that is worst off
  at_most.unflushed_bytes += unseen;
  at_most.all_unflushed_bytes += unseen;
  at_most.all_active_bytes += unseen;
  if (at_most.all_active_bytes > parts_.shares.active_memtables ||
      DecideThrottle(at_most, limits_, bytes).kind != ThrottleDecision::Kind::kGo) {
    return false;
  }
  unseen_groups_.store(groups + 1, std::memory_order_relaxed);
  unseen_bytes_ = unseen;
  all_active_bytes_ = at_most.all_active_bytes;
  return true;
}

absl::Status WritePath::HoldBack(const CommitBatch& batch) {
  const uint64_t bytes = batch.size;
  FIRN_RETURN_IF_ERROR(
      parts_.space.CheckWrite(bytes, [this] { return parts_.background.UnflushedBytes(); }));
  FIRN_RETURN_IF_ERROR(parts_.background.ResumeIfRoom());
  const uint64_t memory = bytes + batch.count * kEntryMemory;
  if (GoesUnseen(bytes, memory)) return absl::OkStatus();
  const uint64_t begin = parts_.clock.MonotonicMicroseconds();
  bool held_back = false;
  while (true) {
    FIRN_RETURN_IF_ERROR(parts_.background.ResumeIfRoom());
    const WriteDebt debt = parts_.background.Debt();
    last_debt_ = debt;
    unseen_bytes_ = memory;  // this group's, which is still to go
    unseen_groups_.store(0, std::memory_order_relaxed);
    all_active_bytes_ = debt.all_active_bytes;
    const ThrottleDecision decision = DecideThrottle(debt, limits_, bytes);
    parts_.background.NoteThrottle(decision.kind, debt);
    if (decision.kind == ThrottleDecision::Kind::kGo) {
      owed_delay_.Forgive();
      break;
    }
    if (decision.kind == ThrottleDecision::Kind::kDelay) {
      const std::chrono::microseconds sleep = owed_delay_.Add(decision.delay);
      held_back = held_back || sleep.count() > 0;
      if (sleep.count() > 0) parts_.clock.SleepFor(sleep);
      break;
    }
    held_back = true;
    parts_.background.ScheduleAll();
    const bool changed = parts_.background.AwaitChange();
    FIRN_RETURN_IF_ERROR(parts_.background.error());
    if (!changed) {
      // Nothing is under way, or due: nothing to wait for, unless merges wait for room on the disk.
      FIRN_RETURN_IF_ERROR(parts_.background.merge_space_error());
      break;
    }
  }
  if (held_back) {
    parts_.counters.slowdown_us.fetch_add(parts_.clock.MonotonicMicroseconds() - begin,
                                          std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

bool WritePath::NeedsMark(const CommitBatch& batch) const {
  if (batch.logged) return false;
  for (const CommitRequest* const request : batch.requests) {
    const auto* const write = static_cast<const WriteRequest*>(request);
    if (!write->volatile_keyspace->volatile_marked()) return true;
  }
  return false;
}

std::shared_ptr<KeyspaceImpl> WritePath::LogPinner() const {
  if (parts_.log.total_bytes() <= parts_.options.log_size_max) return nullptr;
  const std::optional<SequenceNumber> sealed = parts_.log.oldest_sealed();
  if (!sealed.has_value() || sealed->value <= unpinned_.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) {
    const std::shared_ptr<const Version> version = keyspace->version();
    const Memtable& active = *version->active();
    if (!active.empty() && active.smallest_sequence() <= *sealed) return keyspace;
  }
  unpinned_.store(sealed->value, std::memory_order_relaxed);  // what comes has higher numbers
  return nullptr;
}

absl::StatusOr<CommitTarget::Room> WritePath::Prepare(const CommitBatch& batch) {
  FIRN_RETURN_IF_ERROR(HoldBack(batch));
  // One leader prepares at a time.
  std::atomic<uint64_t>& peak = parts_.counters.batch_bytes_peak;
  if (batch.size > peak.load(std::memory_order_relaxed)) {
    peak.store(batch.size, std::memory_order_relaxed);
  }
  const bool ready = !memtable_is_full_.load(std::memory_order_acquire) &&
                     (!batch.logged || parts_.log.Fits(PayloadSize(batch))) && !NeedsMark(batch) &&
                     LogPinner() == nullptr &&
                     all_active_bytes_ <= parts_.shares.active_memtables;
  return ready ? Room::kReady : Room::kAlone;
}

absl::Status WritePath::MakeRoom(const CommitBatch& batch) {
  // A log before a memtable: a sealed log may then go with the flush of this very memtable.
  if (batch.logged && !parts_.log.Fits(PayloadSize(batch))) {
    FIRN_RETURN_IF_ERROR(parts_.log.Switch(PayloadSize(batch), published()));
    parts_.background.ScheduleRetireLogs();
  }
  while (const std::shared_ptr<KeyspaceImpl> pinner = LogPinner()) SwitchMemtable(pinner);
  memtable_is_full_.store(false, std::memory_order_release);
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) {
    if (keyspace->active().ApproximateMemory() >= parts_.options.memtable_size) {
      SwitchMemtable(keyspace);
    }
  }
  SwitchLargest();
  return NeedsMark(batch) ? MarkVolatile(batch) : absl::OkStatus();
}

void WritePath::SwitchLargest() {
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  while (true) {
    uint64_t sum = 0;
    std::shared_ptr<KeyspaceImpl> largest;
    for (const auto& [id, keyspace] : *table) {
      const Memtable& active = keyspace->active();
      if (active.empty()) continue;
      sum += active.ApproximateMemory();
      const bool is_larger = largest == nullptr || active.ApproximateMemory() >
                                                       largest->active().ApproximateMemory();
      if (is_larger) largest = keyspace;
    }
    if (sum <= parts_.shares.active_memtables) return;
    SwitchMemtable(largest);
  }
}

SequenceNumber WritePath::SwitchMemtable(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  // Not the last number given out: a group that failed may still stand in the log with numbers above
  // the published one, and must come back whole or not at all.
  const SequenceNumber floor = published();
  unseen_groups_.store(UINT32_MAX, std::memory_order_relaxed);
  if (keyspace->SwitchMemtable(floor)) parts_.background.Schedule(keyspace);
  return floor;
}

absl::Status WritePath::MarkVolatile(const CommitBatch& batch) {
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    VersionEdit edit;
    for (const CommitRequest* const request : batch.requests) {
      KeyspaceImpl* const keyspace = static_cast<const WriteRequest*>(request)->volatile_keyspace;
      if (state.keyspaces.count(keyspace->id()) == 0) continue;  // dropped meanwhile
      edit.volatile_marks.push_back({keyspace->id(), published()});
    }
    return edit;
  };
  FIRN_RETURN_IF_ERROR(parts_.versions.Commit(make, published(), [](const StoreState&) {}));
  for (const CommitRequest* const request : batch.requests) {
    static_cast<const WriteRequest*>(request)->volatile_keyspace->SetVolatileMarked();
  }
  return absl::OkStatus();
}

namespace {

// All of them or none.
absl::Status TakeAscents(const std::vector<WriteRequest::Ascent>& ascents) {
  for (const auto& [keyspace, run] : ascents) {
    const std::optional<uint64_t>& last = keyspace->ascending().last();
    if (last.has_value() && run.first <= *last) {
      return NotAscending(run.first, *last, keyspace->name());
    }
  }
  for (const auto& [keyspace, run] : ascents) {
    FIRN_CHECK(keyspace->ascending().Take(run, keyspace->name()).ok());
  }
  return absl::OkStatus();
}

}  // namespace

void WritePath::Validate(const CommitBatch& batch) {
  SequenceNumber next = batch.first_sequence;
  const bool recorded =
      parts_.conflicts.BeginGroup({next.value - 1}, published(), batch.count);
  for (CommitRequest* const request : batch.requests) {
    auto* const write = static_cast<WriteRequest*>(request);
    ConflictQuery* const transaction = write->transaction;
    if (recorded && transaction != nullptr && !parts_.conflicts.Check(request->encoded, *transaction)) {
      request->status = absl::AbortedError("lost");  // the transaction says it in full
      continue;
    }
    request->status = TakeAscents(write->ascents);
    if (!request->status.ok()) {
      if (transaction != nullptr) transaction->verdict = ConflictVerdict::kNotAscending;
      continue;
    }
    if (recorded) parts_.conflicts.Record(request->encoded, next);
    next.value += request->count;
  }
}

// --- the log

absl::Status WritePath::Reserve(CommitBatch& batch) {
  const SequenceRange sequences = {batch.first_sequence, batch.last_sequence};
  if (!batch.synced) {
    const auto header = HeaderOf(batch);
    FIRN_ASSIGN_OR_RETURN(
        const std::optional<Place> place,
        parts_.log.AppendCached(PayloadSize(batch), PiecesOf(batch, header), sequences));
    if (place.has_value()) {
      batch.place = *place;
      batch.written = true;
      parts_.counters.log_flushes.fetch_add(1, std::memory_order_relaxed);
      return absl::OkStatus();
    }
  }
  FIRN_ASSIGN_OR_RETURN(batch.place, parts_.log.Reserve(PayloadSize(batch), sequences));
  return absl::OkStatus();
}

absl::Status WritePath::WriteLog(const CommitBatch& batch) {
  if (batch.written) return absl::OkStatus();
  const auto header = HeaderOf(batch);
  const uint64_t begin = batch.synced ? parts_.clock.MonotonicMicroseconds() : 0;
  FIRN_RETURN_IF_ERROR(parts_.log.Flush(batch.place, PiecesOf(batch, header),
                                        batch.synced ? LogSync::kSynced : LogSync::kBuffered));
  parts_.counters.log_flushes.fetch_add(1, std::memory_order_relaxed);
  if (batch.synced) {
    parts_.counters.log_syncs.fetch_add(1, std::memory_order_relaxed);
    parts_.counters.sync_us.Add(parts_.clock.MonotonicMicroseconds() - begin);
  }
  return absl::OkStatus();
}

absl::Status WritePath::Settle(const CommitBatch& batch) {
  return batch.synced ? parts_.log.EnsureSynced(batch.place) : absl::OkStatus();
}

// --- taking effect

void WritePath::ExpectMore(Memtable& active) {
  const size_t used = active.ApproximateMemory();
  const size_t full = parts_.options.memtable_size;
  if (used < full / kSampleShare || told_ == &active) return;
  told_ = &active;
  if (used >= full / 2) return;  // it knew from the beginning, or has it behind it
  const double entries = static_cast<double>(active.entry_count());
  const double share = static_cast<double>(full) / static_cast<double>(used);
  active.Reserve(static_cast<uint64_t>(entries * (share - 1)));
}

void WritePath::Apply(const CommitRequest& request) {
  const auto& write = static_cast<const WriteRequest&>(request);
  uint64_t sequence = request.first_sequence.value;
  uint64_t bytes = 0;
  KeyspaceImpl* keyspace = nullptr;
  absl::InlinedVector<MemtableEntry, kAddedAtOnce> entries;  // of `keyspace`, not added yet
  const auto add = [&] {
    if (entries.empty()) return;
    Memtable& active = keyspace->active();
    active.AddMany(entries);
    entries.clear();
    ExpectMore(active);
    if (active.ApproximateMemory() >= parts_.options.memtable_size) {
      memtable_is_full_.store(true, std::memory_order_release);
    }
  };
  const absl::Status applied =
      ForEachEntry(AsBytes(request.encoded), [&](const BatchEntry& entry) {
        if (keyspace == nullptr || keyspace->id() != entry.keyspace) {
          add();
          keyspace = write.table->at(entry.keyspace).get();
        }
        entries.push_back({SequenceNumber{sequence++}, entry.kind, entry.key, entry.value});
        if (entries.size() == kAddedAtOnce) add();
        bytes += entry.key.size() + entry.value.size();
        return absl::OkStatus();
      });
  add();
  FIRN_CHECK(applied.ok());  // Database::Write() checked every entry
  FIRN_CHECK(sequence == request.first_sequence.value + request.count);
  if (write.volatile_keyspace != nullptr) {
    write.volatile_keyspace->NoteVolatile(SequenceNumber{sequence - 1});
  }
  parts_.counters.writes.fetch_add(1, std::memory_order_relaxed);
  parts_.counters.entries_written.fetch_add(request.count, std::memory_order_relaxed);
  parts_.counters.bytes_written.fetch_add(bytes, std::memory_order_relaxed);
}

void WritePath::Publish(SequenceNumber last_sequence) {
  FIRN_CHECK(last_sequence > published());
  parts_.reading.published.store(last_sequence.value, std::memory_order_release);
}

}  // namespace firn
