#include "engine/background_work.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "compaction/layout_work.h"
#include "compaction/sequence_picker.h"
#include "engine/segment_builder.h"
#include "engine/space_guard.h"
#include "sstable/hashed_segment_format.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

// What Judge() is told of a merge.
constexpr absl::string_view kCompaction = "compaction";
constexpr absl::string_view kCompactionByHand = "compaction by hand";

// The others flush.
size_t CompactionsMax(const Options& options) {
  return std::max<size_t>(1, options.background_threads - 1);
}

SequenceNumber NewestOnLevel0(const Levels& levels) {
  return levels.level0().empty() ? SequenceNumber{0} : levels.level0().front()->sequence_max;
}

// `levels` without the segments of level 0 that hold something newer than `newest`.
absl::StatusOr<Levels> WithoutNewer(const Levels& levels, SequenceNumber newest) {
  LevelsEdit edit;
  for (const SegmentPtr& segment : levels.level0()) {
    if (segment->sequence_max > newest) edit.removed.push_back(segment->number);
  }
  return levels.Apply(edit);
}

bool IsDropped(const absl::Status& status) {
  return ReasonOf(status) == ErrorReason::kKeyspaceDropped;
}

absl::Status Dropped(const KeyspaceImpl& keyspace) {
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kKeyspaceDropped,
                   absl::StrCat("the keyspace ", keyspace.name(), " was dropped"));
}

}  // namespace

BackgroundWork::BackgroundWork(BackgroundParts parts)
    : parts_(std::move(parts)),
      scheduler_(parts_.executor, parts_.clock,
                 {.compactions_max = CompactionsMax(parts_.options),
                  .io_bytes_per_second = parts_.options.background_io_rate}),
      timed_at_us_(parts_.clock.MonotonicMicroseconds()) {}

BackgroundWork::~BackgroundWork() {
  MutexLock lock(mutex_);
  FIRN_CHECK(stopping_ && tasks_ == 0);
}

PickerOptions BackgroundWork::ForPicker(const KeyspaceImpl& keyspace) const {
  PickerOptions options;
  options.level0_segments_merge = parts_.options.level0_segments_merge;
  options.level1_size = parts_.options.level1_size;
  options.segment_size = parts_.options.segment_size;
  options.flush_size = parts_.options.memtable_size;
  options.oldest_snapshot = parts_.reading.snapshots.Oldest().value_or(kMaxSequenceNumber);
  options.merge_blocks_max =
      LocationFormat::ForBlockSize(keyspace.options().block_size).merged_extents_max();
  return options;
}

PickerOptions BackgroundWork::ForTimer(const KeyspaceImpl& keyspace) const {
  PickerOptions options = ForPicker(keyspace);
  options.level0_segments_merge = 1;
  return options;
}

bool BackgroundWork::CompactionIsDue(const KeyspaceImpl& keyspace, const Running& running) const {
  if (running.range || running.turns_awaited > 0 || running.placings > 0 || running.queued ||
      running.too_large) {
    return false;
  }
  const std::shared_ptr<const Levels> levels = keyspace.version()->levels();
  const Picker& picker = *keyspace.work().picker;
  const PickerOptions options = running.timed ? ForTimer(keyspace) : ForPicker(keyspace);
  if (picker.score(*levels, options) < 1) return false;
  return picker.pick(*levels, options, running.compactions).kind != CompactionKind::kNothing;
}

void BackgroundWork::Schedule(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  if (keyspace->dropped()) return;
  const bool wants_flush = !keyspace->version()->immutables().empty();
  bool flush = false;
  bool compaction = false;
  {
    MutexLock lock(mutex_);
    if (!MayRun()) return;
    Running& running = running_[keyspace->id()];
    flush = wants_flush && !running.flush;
    compaction = merge_space_error_.ok() && CompactionIsDue(*keyspace, running);
    running.flush |= flush;
    running.queued |= compaction;
    tasks_ += (flush ? 1 : 0) + (compaction ? 1 : 0);
  }
  if (flush) scheduler_.Schedule(TaskPriority::kFlush, [this, keyspace] { RunFlushes(keyspace); });
  if (compaction) {
    scheduler_.Schedule(TaskPriority::kCompact, [this, keyspace] { RunCompactions(keyspace); });
  }
}

void BackgroundWork::Tick() {
  const uint64_t interval_us = parts_.options.compaction_interval_s * 1'000'000;
  const uint64_t now = parts_.clock.MonotonicMicroseconds();
  if (interval_us == 0 || now - timed_at_us_ < interval_us) return;
  timed_at_us_ = now;
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) {
    {
      MutexLock lock(mutex_);
      Running& running = running_[id];
      running.timed = true;
      running.timed = CompactionIsDue(*keyspace, running);
    }
    Schedule(keyspace);
  }
}

Compaction BackgroundWork::PickDue(const KeyspaceImpl& keyspace, const Levels& levels,
                                   Running& running, Cause& cause) const {
  const Picker& picker = *keyspace.work().picker;
  cause = Cause::kSize;
  Compaction due = picker.pick(levels, ForPicker(keyspace), running.compactions);
  if (due.kind != CompactionKind::kNothing || !running.timed) return due;
  running.timed = false;
  cause = Cause::kTimer;
  return picker.pick(levels, ForTimer(keyspace), running.compactions);
}

void BackgroundWork::CountCompaction(Cause cause) {
  EngineCounters& counters = parts_.counters;
  std::atomic<uint64_t>& counter = cause == Cause::kSize    ? counters.compactions_by_size
                                   : cause == Cause::kTimer ? counters.compactions_by_timer
                                                            : counters.compactions_manual;
  counter.fetch_add(1, std::memory_order_relaxed);
}

void BackgroundWork::ScheduleAll() {
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) Schedule(keyspace);
}

void BackgroundWork::TaskEnded() {
  MutexLock lock(mutex_);
  --tasks_;
  changed_.NotifyAll();
}

bool BackgroundWork::Judge(const absl::Status& status, const KeyspaceImpl& keyspace,
                           absl::string_view what) {
  if (status.ok()) {
    MutexLock lock(mutex_);
    shortages_in_row_ = 0;
    return true;
  }
  if (IsDropped(status) || absl::IsCancelled(status)) return false;
  parts_.say(absl::StrCat(what, " of keyspace ", keyspace.name(), " failed: ", status.ToString()));
  if (IsShortage(status)) {
    if (what == kCompactionByHand) return false;  // its caller's affair
    MutexLock lock(mutex_);
    if (what == kCompaction && ReasonOf(status) == ErrorReason::kDiskFull) {
      merge_space_error_ = status;
    } else {
      NoteShortage(status);
    }
    return false;
  }
  {
    MutexLock lock(mutex_);
    if (ReasonOf(status) == ErrorReason::kTooLarge) {  // the same merge would only fail again
      running_[keyspace.id()].too_large = true;
      return false;
    }
    if (error_.ok()) error_ = status;
  }
  parts_.poison(status);
  return false;
}

// --- flush

void BackgroundWork::RunFlushes(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  bool go_on = true;
  while (go_on && !keyspace->version()->immutables().empty()) {
    go_on = Judge(FlushOldest(*keyspace), *keyspace, "flush");
    {
      MutexLock lock(mutex_);
      if (!MayRun()) go_on = false;
      changed_.NotifyAll();
    }
    if (go_on) Schedule(keyspace);  // a merge may be due, beside this flush
  }
  {
    MutexLock lock(mutex_);
    running_[keyspace->id()].flush = false;
  }
  CollectObsolete();  // what an iterator held back when the merges ended
  Schedule(keyspace);  // a memtable may have come since the last look
  TaskEnded();
}

absl::Status BackgroundWork::FlushOldest(KeyspaceImpl& keyspace) {
  std::shared_ptr<const Version> version = keyspace.version();
  // Dropping takes the memtables away, at any moment.
  if (keyspace.dropped() || version->immutables().empty()) return Dropped(keyspace);
  const ImmutableMemtable oldest = version->immutables().back();
  version = nullptr;  // its segments may become obsolete while this flush runs
  const SequenceNumber published{parts_.reading.published.load(std::memory_order_acquire)};
  FIRN_CHECK(oldest.floor <= published);
  JobContext context = ContextFor(keyspace, "flush");
  context.io_budget = nullptr;  // writers wait for it: slower flushes would only slow them
  const FlushResult result =
      keyspace.work().flush(context, {oldest.memtable->NewFlushIterator(), published});
  if (!result.status.ok()) {
    RemoveCreated(keyspace, result);
    return result.status;
  }
  FIRN_CHECK(result.entries_above_bound == 0);
  const absl::Status durable = parts_.log.Sync();
  if (!durable.ok()) {
    RemoveCreated(keyspace, result);
    return durable;
  }
  FIRN_RETURN_IF_ERROR(InstallJob(keyspace, result, &oldest));
  parts_.counters.flushes.fetch_add(1, std::memory_order_relaxed);
  parts_.counters.flushed_bytes.fetch_add(result.bytes_written, std::memory_order_relaxed);
  parts_.say(absl::StrCat("flushed keyspace ", keyspace.name(), ": ", result.entries_read,
                          " entries, ", result.bytes_written, " bytes, through number ",
                          oldest.floor.value));
  return RetireLogs();
}

absl::Status BackgroundWork::RetireLogs() {
  // The number first: whatever takes effect later is above it, and so above what is retired.
  uint64_t needed = parts_.reading.published.load(std::memory_order_acquire) + 1;
  const std::shared_ptr<const KeyspaceTable> table = parts_.keyspaces();
  for (const auto& [id, keyspace] : *table) {
    const std::optional<SequenceNumber> oldest = keyspace->version()->oldest_in_memory();
    if (oldest.has_value()) needed = std::min(needed, oldest->value);
  }
  return parts_.log.Retire(SequenceNumber{needed});
}

void BackgroundWork::ScheduleRetireLogs() {
  {
    MutexLock lock(mutex_);
    if (!MayRun()) return;  // the next flush does it
    ++tasks_;
  }
  scheduler_.Schedule(TaskPriority::kIdle, [this] {
    const absl::Status retired = RetireLogs();
    if (!retired.ok()) NoteRetireFailed(retired);
    TaskEnded();
  });
}

void BackgroundWork::NoteRetireFailed(const absl::Status& status) {
  parts_.say(absl::StrCat("an old log could not be retired: ", status.ToString()));
  {
    MutexLock lock(mutex_);
    if (IsShortage(status)) return NoteShortage(status);
    if (error_.ok()) error_ = status;
  }
  parts_.poison(status);
}

absl::Status BackgroundWork::AwaitFlush(const std::shared_ptr<KeyspaceImpl>& keyspace,
                                        SequenceNumber floor) {
  const auto is_flushed = [&] {
    const std::shared_ptr<const Version> version = keyspace->version();
    return version->immutables().empty() || version->immutables().back().floor > floor;
  };
  while (!is_flushed()) {
    if (keyspace->dropped()) return Dropped(*keyspace);
    FIRN_RETURN_IF_ERROR(error());
    Schedule(keyspace);
    MutexLock lock(mutex_);
    if (stopping_) return absl::CancelledError("the database is closing");
    parts_.executor.AwaitProgress(mutex_, changed_);
  }
  return absl::OkStatus();
}

// --- compaction

void BackgroundWork::RunCompactions(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  bool go_on = false;
  {
    Compaction compaction;
    Cause cause = Cause::kSize;
    std::shared_ptr<const Levels> levels;
    {
      MutexLock lock(mutex_);
      Running& running = running_[keyspace->id()];
      running.queued = false;
      const bool is_taken = running.range || running.turns_awaited > 0 || running.placings > 0;
      if (MayRun() && merge_space_error_.ok() && !is_taken && !keyspace->dropped()) {
        // Under the lock: whatever no longer runs has been installed in these levels.
        levels = keyspace->version()->levels();
        compaction = PickDue(*keyspace, *levels, running, cause);
        go_on = compaction.kind != CompactionKind::kNothing;
        if (go_on) running.compactions.push_back(&compaction);
      }
    }
    if (go_on) {
      Schedule(keyspace);  // another one may be due beside this
      const absl::Status status = Compact(*keyspace, *levels, compaction, cause);
      if (ReasonOf(status) == ErrorReason::kDiskFull) NoteMergeRoom(compaction.input_bytes());
      go_on = Judge(status, *keyspace, kCompaction);
      MutexLock lock(mutex_);
      auto& running = running_[keyspace->id()].compactions;
      running.erase(std::find(running.begin(), running.end(), &compaction));
    }
  }  // the inputs are let go: they may be obsolete
  CollectObsolete();
  {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }
  // One merge a task: other keyspaces get their turn in between.
  if (go_on) Schedule(keyspace);
  TaskEnded();
}

absl::Status BackgroundWork::Compact(KeyspaceImpl& keyspace, const Levels& levels,
                                     const Compaction& compaction, Cause cause) {
  if (compaction.kind == CompactionKind::kMerge) FIRN_RETURN_IF_ERROR(CheckMergeRoom(compaction));
  const JobContext context = ContextFor(keyspace, kCompaction);
  const JobResult result =
      keyspace.work().compact(context, compaction, levels, keyspace.segments());
  if (!result.status.ok()) {
    RemoveCreated(keyspace, result);
    if (ReasonOf(result.status) == ErrorReason::kDiskFull) NoteMergeFailed();
    return result.status;
  }
  FIRN_RETURN_IF_ERROR(InstallJob(keyspace, result, nullptr));
  {
    MutexLock lock(mutex_);
    merges_failed_in_row_ = 0;
  }
  for (const auto* inputs : {&compaction.inputs, &compaction.output_inputs}) {
    for (const SegmentPtr& segment : *inputs) {
      const bool stays = std::any_of(
          result.edit.added.begin(), result.edit.added.end(), [&](const LevelSegment& added) {
            return added.segment->number == segment->number;
          });
      if (!stays) parts_.obsolete.Add(segment, keyspace.segments().directory());
    }
  }
  CountCompaction(cause);
  parts_.counters.compaction_read_bytes.fetch_add(result.bytes_read, std::memory_order_relaxed);
  parts_.counters.compaction_written_bytes.fetch_add(result.bytes_written,
                                                     std::memory_order_relaxed);
  parts_.say(absl::StrCat("compacted keyspace ", keyspace.name(), ", level ",
                          compaction.source_level.value, " to ", compaction.output_level.value,
                          " (", cause == Cause::kTimer ? "timed: " : "", compaction.reason, "): ", result.bytes_read, " bytes read, ",
                          result.bytes_written, " written"));
  return absl::OkStatus();
}

absl::Status BackgroundWork::BeginTurn(KeyspaceImpl& keyspace) {
  MutexLock lock(mutex_);
  const auto is_busy = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Running& running = running_[keyspace.id()];
    return running.range || running.queued || running.placings > 0 ||
           !running.compactions.empty();
  };
  // While somebody waits no merge begins, or each that ends would be followed by the next.
  ++running_[keyspace.id()].turns_awaited;
  while (is_busy() && MayRun()) parts_.executor.AwaitProgress(mutex_, changed_);
  --running_[keyspace.id()].turns_awaited;
  if (stopping_) return absl::CancelledError("the database is closing");
  FIRN_RETURN_IF_ERROR(error_);
  FIRN_RETURN_IF_ERROR(shortage_);
  running_[keyspace.id()].range = true;
  ++tasks_;
  return absl::OkStatus();
}

void BackgroundWork::EndTurn(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  CollectObsolete();
  {
    MutexLock lock(mutex_);
    running_[keyspace->id()].range = false;
    changed_.NotifyAll();
  }
  Schedule(keyspace);
  TaskEnded();
}

BackgroundWork::Placing BackgroundWork::BeginPlacing(const KeyspaceImpl& keyspace) {
  MutexLock lock(mutex_);
  Running& running = running_[keyspace.id()];
  ++running.placings;
  Placing placing{.everything = running.range};
  for (const Compaction* const compaction : running.compactions) {
    placing.busy.push_back(
        {compaction->output_level, compaction->smallest, compaction->largest});
  }
  return placing;
}

void BackgroundWork::EndPlacing(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  {
    MutexLock lock(mutex_);
    --running_[keyspace->id()].placings;
    changed_.NotifyAll();
  }
  Schedule(keyspace);
}

absl::Status BackgroundWork::CompactRange(const std::shared_ptr<KeyspaceImpl>& keyspace,
                                          const UserKeyRange& range) {
  FIRN_RETURN_IF_ERROR(BeginTurn(*keyspace));
  const absl::Status status = CompactRangeInTurn(*keyspace, range);
  static_cast<void>(Judge(status, *keyspace, kCompactionByHand));
  EndTurn(keyspace);
  return status;
}

absl::Status BackgroundWork::DropBelow(const std::shared_ptr<KeyspaceImpl>& keyspace,
                                       uint64_t bound) {
  FIRN_RETURN_IF_ERROR(BeginTurn(*keyspace));
  const absl::Status status = DropBelowInTurn(*keyspace, bound);
  static_cast<void>(Judge(status, *keyspace, "dropping of old keys"));
  EndTurn(keyspace);
  return status;
}

absl::Status BackgroundWork::DropBelowInTurn(KeyspaceImpl& keyspace, uint64_t bound) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), bound);
  std::vector<SegmentPtr> dropped;
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    const auto found = state.keyspaces.find(keyspace.id());
    if (found == state.keyspaces.end()) return Dropped(keyspace);
    VersionEdit edit;
    edit.bounds.push_back({keyspace.id(), std::max(bound, found->second.bound)});
    dropped = SegmentsBelow(*found->second.levels, key);
    for (const SegmentPtr& segment : dropped) {
      edit.removed_segments.push_back({keyspace.id(), segment->number});
    }
    return edit;
  };
  const SequenceNumber published{parts_.reading.published.load(std::memory_order_acquire)};
  FIRN_RETURN_IF_ERROR(parts_.versions.Commit(make, published, [&](const StoreState& state) {
    const KeyspaceState& changed = state.keyspaces.at(keyspace.id());
    keyspace.SetBound(changed.bound);
    keyspace.Install(changed.levels, SequenceNumber{0});
  }));
  for (const SegmentPtr& segment : dropped) {
    parts_.obsolete.Add(segment, keyspace.segments().directory());
  }
  parts_.say(absl::StrCat("keyspace ", keyspace.name(), ": keys below ", bound, " are gone, with ",
                          dropped.size(), " segments"));
  return absl::OkStatus();
}

// Of level 0 what is there now: flushes go on meanwhile, and what they bring would never end.
absl::Status BackgroundWork::CompactRangeInTurn(KeyspaceImpl& keyspace,
                                                const UserKeyRange& range) {
  const SequenceNumber newest = NewestOnLevel0(*keyspace.version()->levels());
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    while (true) {
      if (keyspace.dropped()) return Dropped(keyspace);
      const std::shared_ptr<const Levels> levels = keyspace.version()->levels();
      if (level > levels->deepest().value) return absl::OkStatus();
      FIRN_ASSIGN_OR_RETURN(const Levels settled, WithoutNewer(*levels, newest));
      const RangePick pick = keyspace.work().picker->pick_range(settled, range, LevelIndex{level},
                                                                ForPicker(keyspace), {});
      FIRN_CHECK(!pick.blocked);  // nothing else is running in this keyspace
      if (pick.compaction.kind == CompactionKind::kNothing) break;
      FIRN_RETURN_IF_ERROR(Compact(keyspace, *levels, pick.compaction, Cause::kManual));
      if (pick.is_last) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

// --- both

JobContext BackgroundWork::ContextFor(KeyspaceImpl& keyspace, absl::string_view origin) {
  JobContext context;
  context.file_system = &parts_.file_system;
  context.sink.directory = keyspace.segments().directory();
  context.sink.segment_size = keyspace.work().cut == LayoutWork::Cut::kNever
                                  ? UINT64_MAX
                                  : parts_.options.segment_size;
  if (keyspace.work().cut == LayoutWork::Cut::kNever) {
    context.sink.segment_entries_max = UINT64_MAX;
  }
  KeyspaceOptions options = keyspace.options();
  const CompressionChoice compression = keyspace.compression();  // the one in force
  options.compression = compression.codec;
  options.compression_level = compression.level;
  context.sink.segment = SegmentOptionsFor(options);
  context.sink.segment.keyspace = keyspace.id();
  context.sink.segment.created_ms = parts_.clock.NowMilliseconds();
  context.sink.segment.origin = std::string(origin);
  context.sink.allocate_number = [this] { return parts_.versions.NewFileNumber(); };
  context.sink.draw_id = parts_.new_random;
  // Asked for after the caller has fixed its input: see engine/snapshot_registry.h.
  context.snapshots = parts_.reading.snapshots.All();
  context.io_budget = &scheduler_.io_budget();
  context.parts_max = CompactionsMax(parts_.options);
  context.part_bytes_min = std::max<uint64_t>(context.part_bytes_min, parts_.options.segment_size);
  context.helpers = [this](std::function<void()> helper) {
    scheduler_.Schedule(TaskPriority::kCompact, std::move(helper));
  };
  context.cancelled = &cancelled_;
  return context;
}

absl::Status BackgroundWork::InstallJob(KeyspaceImpl& keyspace, const JobResult& result,
                                        const ImmutableMemtable* flushed) {
  const SequenceNumber published{parts_.reading.published.load(std::memory_order_acquire)};
  const SequenceNumber floor = flushed == nullptr ? SequenceNumber{0} : flushed->floor;
  bool unmarked = false;
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    if (state.keyspaces.count(keyspace.id()) == 0) return Dropped(keyspace);
    VersionEdit edit;
    for (const LevelSegment& added : result.edit.added) {
      edit.added_segments.push_back({keyspace.id(), added.level, *added.segment});
    }
    for (const FileNumber removed : result.edit.removed) {
      edit.removed_segments.push_back({keyspace.id(), removed});
    }
    if (flushed != nullptr) {
      edit.flushed.push_back({keyspace.id(), floor});
      unmarked = keyspace.TakeVolatileMark(floor);
      if (unmarked) edit.volatile_marks.push_back({keyspace.id(), std::nullopt});
    }
    return edit;
  };
  const absl::Status status =
      parts_.versions.Commit(make, published, [&](const StoreState& state) {
        keyspace.Install(state.keyspaces.at(keyspace.id()).levels, floor);
      });
  // The writes are still in memory alone, and a close must know of them.
  if (!status.ok() && unmarked) keyspace.SetVolatileMarked();
  // A shortage that did not stick: the edit was not tried, and the disk wants its room back.
  const bool was_not_tried = IsShortage(status);
  if (IsDropped(status) || was_not_tried) RemoveCreated(keyspace, result);
  return status;
}

void BackgroundWork::RemoveCreated(KeyspaceImpl& keyspace, const JobResult& result) {
  for (const FileNumber number : result.created) {
    // What cannot be removed is an orphan; the next open removes it.
    static_cast<void>(parts_.file_system.RemoveFile(keyspace.segments().PathOf(number)));
  }
}

void BackgroundWork::CollectObsolete() {
  parts_.reading.epochs.Drain();  // versions that were replaced name segments
  const absl::Status status = parts_.obsolete.Collect();
  if (!status.ok()) {
    parts_.say(absl::StrCat("a segment without use could not be removed: ", status.ToString()));
  }
}

void BackgroundWork::Stop() {
  cancelled_.store(true);
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    while (tasks_ > 0) parts_.executor.AwaitProgress(mutex_, changed_);
  }
  scheduler_.Drain();
}

}  // namespace firn
