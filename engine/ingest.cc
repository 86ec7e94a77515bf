#include "engine/ingest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "compaction/ingest_placement.h"
#include "compaction/shadowed_records.h"
#include "engine/segment_builder.h"
#include "engine/space_guard.h"
#include "sstable/hashed_segment_reader.h"
#include "sstable/internal_key.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

constexpr uint64_t kCopiedAtOnce = uint64_t{1} << 20;

UserKeyRange RangeOf(const SegmentMeta& meta) {
  return {.smallest = SmallestUserKey(meta), .largest = LargestUserKey(meta)};
}

// A level in the making: what was placed before in the same call counts as there.
absl::Status AddTo(Levels& levels, LevelIndex level, const SegmentMeta& segment) {
  LevelsEdit edit;
  edit.added.push_back({level, std::make_shared<const SegmentMeta>(segment)});
  FIRN_ASSIGN_OR_RETURN(levels, levels.Apply(edit));
  return absl::OkStatus();
}

bool HoldsKeyIn(const Memtable& memtable, const UserKeyRange& range) {
  if (memtable.empty()) return false;
  const std::unique_ptr<InternalIterator> entries = memtable.NewIterator();
  entries->Seek(EncodeInternalKey({*range.smallest, kMaxSequenceNumber, kKindForSeek}));
  return entries->Valid() && UserKeyOf(entries->key()) <= *range.largest;
}

}  // namespace

Ingest::Ingest(IngestParts parts, std::shared_ptr<KeyspaceImpl> keyspace, IngestMode mode)
    : parts_(std::move(parts)), keyspace_(std::move(keyspace)), mode_(mode) {}

absl::Status Ingest::Refuse(absl::string_view path, absl::string_view why) const {
  return InvalidArgument(
      absl::StrCat(path, " cannot be taken into keyspace ", keyspace_->name(), ": ", why));
}

absl::StatusOr<IngestReport> Ingest::Run(absl::Span<const std::string> paths) {
  if (paths.empty()) return IngestReport{};
  FIRN_RETURN_IF_ERROR(parts_.queue.error());
  for (const std::string& path : paths) FIRN_RETURN_IF_ERROR(Inspect(path));
  FIRN_RETURN_IF_ERROR(CheckTogether());
  FIRN_RETURN_IF_ERROR(CheckRoom());
  absl::Status status = BringIn();
  // While writers go on; what they bring meanwhile is flushed in their way, and mostly little.
  if (status.ok() && NeedsFlush()) status = parts_.flush(keyspace_);
  SequenceNumber first;
  if (status.ok()) {
    status = parts_.queue.ExclusiveWithNumbers(files_.size(), [&](SequenceNumber given) {
      first = given;
      return TakeIn(given);
    });
  }
  if (!status.ok()) {
    if (!was_tried_) RemoveCreated();
    return status;
  }
  if (mode_ == IngestMode::kMove) RemoveOriginals();
  IngestReport report{.segments = files_.size(),
                      .first_sequence = first.value,
                      .last_sequence = first.value + files_.size() - 1};
  for (const File& file : files_) {
    report.entries += file.stored.entry_count;
    report.bytes += file.stored.size;
  }
  parts_.say(absl::StrCat("keyspace ", keyspace_->name(), ": took in ", report.segments,
                          " segments, ", report.entries, " entries, ", report.bytes,
                          " bytes, with numbers ", report.first_sequence, " to ",
                          report.last_sequence));
  parts_.background.Schedule(keyspace_);
  return report;
}

// --- before anything changes

absl::Status Ingest::Inspect(const std::string& path) {
  absl::StatusOr<SegmentMeta> meta = SegmentReader::ReadMeta(parts_.file_system, path);
  if (absl::IsNotFound(meta.status())) return Refuse(path, "there is no such file");
  FIRN_RETURN_IF_ERROR(meta.status());
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> reader,
                        SegmentReader::Open(parts_.file_system, path, *meta, nullptr));
  FIRN_RETURN_IF_ERROR(CheckFacts(path, *reader));
  FIRN_RETURN_IF_ERROR(CheckContent(path, *reader));
  files_.push_back({.path = path, .stored = *std::move(meta)});
  return absl::OkStatus();
}

absl::Status Ingest::CheckFacts(const std::string& path, const SegmentReader& reader) const {
  const SegmentProperties& properties = reader.properties();
  const SegmentOptions wanted = SegmentOptionsFor(keyspace_->options());
  if (reader.footer().layout != wanted.layout) {
    return Refuse(path, absl::StrCat("its layout is ", SegmentLayoutName(reader.footer().layout),
                                     ", not ", SegmentLayoutName(wanted.layout)));
  }
  if (properties.sequence_max.value != 0 || properties.keyspace.value != 0) {
    return Refuse(path, "it is a segment of a store; only files of SegmentBuilder can be");
  }
  if (properties.block_size != wanted.block_size) {
    return Refuse(path, absl::StrCat("its block_size is ", properties.block_size, ", not ",
                                     wanted.block_size));
  }
  // The others have no filter that a number of bits describes.
  if (wanted.layout == SegmentLayout::kOrdered &&
      properties.filter_bits_per_key != wanted.filter_bits_per_key) {
    return Refuse(path, absl::StrCat("its filter_bits_per_key is ", properties.filter_bits_per_key,
                                     ", not ", wanted.filter_bits_per_key));
  }
  if (wanted.layout == SegmentLayout::kHashed &&
      SmallestUserKey(reader.meta()).size() != wanted.key_width) {
    return Refuse(path, absl::StrCat("its keys have ", SmallestUserKey(reader.meta()).size(),
                                     " bytes, not ", wanted.key_width));
  }
  return absl::OkStatus();
}

absl::Status Ingest::CheckContent(const std::string& path, const SegmentReader& reader) const {
  const SegmentReport report = reader.Verify();
  if (!report.problems.empty()) return report.problems.front();
  const auto hashed = std::dynamic_pointer_cast<const HashedSegmentReader>(reader.AsStored());
  if (hashed == nullptr) {
    if (reader.properties().user_key_count == reader.properties().entry_count) {
      return absl::OkStatus();
    }
    return Refuse(path, "a key stands twice in it");
  }
  // Two records of one key and one number: one hides the other.
  const std::shared_ptr<const HashedSegmentReader> inputs[] = {hashed};
  FIRN_ASSIGN_OR_RETURN(
      const ShadowedRecords shadowed,
      FindShadowedRecords(inputs, {}, [](uint64_t /*bytes*/) { return absl::OkStatus(); }));
  if (shadowed.locations.front().empty()) return absl::OkStatus();
  return Refuse(path, "a key stands twice in it");
}

absl::Status Ingest::CheckTogether() const {
  const std::shared_ptr<const StoreState> state = parts_.versions.state();
  for (const auto& [id, keyspace] : state->keyspaces) {
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : keyspace.levels->level({level})) {
        for (const File& file : files_) {
          if (segment->id != file.stored.id) continue;
          return Refuse(file.path, absl::StrCat("it is in the store already, as segment ",
                                                segment->number.value, " of keyspace ",
                                                keyspace.name));
        }
      }
    }
  }
  for (size_t i = 0; i < files_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (files_[i].stored.id == files_[j].stored.id) {
        return Refuse(files_[i].path, "it is given twice");
      }
    }
    if (i > 0 && keyspace_->rules().ascending &&
        SmallestUserKey(files_[i].stored) <= LargestUserKey(files_[i - 1].stored)) {
      return Refuse(files_[i].path,
                    absl::StrCat("its keys are not above those of ", files_[i - 1].path));
    }
  }
  return absl::OkStatus();
}

absl::Status Ingest::CheckRoom() {
  uint64_t bytes = 0;
  for (const File& file : files_) bytes += file.stored.size;
  KeyspaceSize& size = keyspace_->size_limits();
  const SizeLimits limits = size.limits();
  const uint64_t then = keyspace_->size() + bytes;
  if (JudgeSize(limits, then) == SizeVerdict::kAboveHard) {
    size.CountRefused();
    return KeyspaceFull(keyspace_->name(), then, limits.hard);
  }
  const uint64_t copied = mode_ == IngestMode::kCopy ? bytes : 0;
  return parts_.space.CheckIngest(copied, [this] { return parts_.background.UnflushedBytes(); });
}

// --- into the folder

absl::Status Ingest::BringIn() {
  for (File& file : files_) {
    file.stored.number = parts_.versions.NewFileNumber();
    const std::string name = keyspace_->segments().PathOf(file.stored.number);
    created_.push_back(name);  // first: what failed may have left a file too
    if (mode_ == IngestMode::kCopy) {
      FIRN_RETURN_IF_ERROR(Copy(file.path, name));
      continue;
    }
    FIRN_RETURN_IF_ERROR(Annotate(parts_.file_system.Link(file.path, name),
                                  absl::StrCat("linking ", file.path, " into the store")));
    // Its builder has synced it, but who knows what became of it since.
    FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> linked,
                          parts_.file_system.OpenForWrite(name));
    FIRN_RETURN_IF_ERROR(linked->Sync());
    FIRN_RETURN_IF_ERROR(linked->Close());
  }
  return parts_.file_system.SyncDirectory(keyspace_->segments().directory());
}

absl::Status Ingest::Copy(const std::string& from, const std::string& to) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> source,
                        parts_.file_system.OpenForRead(from));
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> target, parts_.file_system.Create(to));
  std::vector<uint8_t> bytes;
  for (uint64_t offset = 0; offset < source->size(); offset += bytes.size()) {
    bytes.resize(static_cast<size_t>(std::min(kCopiedAtOnce, source->size() - offset)));
    FIRN_RETURN_IF_ERROR(source->Read(offset, absl::MakeSpan(bytes)));
    FIRN_RETURN_IF_ERROR(target->Append(bytes));
  }
  FIRN_RETURN_IF_ERROR(target->Sync());
  return target->Close();
}

void Ingest::RemoveCreated() {
  // What cannot be removed is an orphan; the next open removes it.
  for (const std::string& name : created_) static_cast<void>(parts_.file_system.RemoveFile(name));
}

void Ingest::RemoveOriginals() {
  for (const File& file : files_) {
    const absl::Status removed = parts_.file_system.RemoveFile(file.path);
    if (!removed.ok()) {
      parts_.say(absl::StrCat(file.path, " is in the store, but its old name stays: ",
                              removed.ToString()));
    }
  }
}

// --- alone in the commit queue

absl::Status Ingest::CheckAscending() const {
  if (!keyspace_->rules().ascending) return absl::OkStatus();
  const std::optional<uint64_t>& last = keyspace_->ascending().last();
  const uint64_t key = LoadSequenceKey(SmallestUserKey(files_.front().stored));
  if (!last.has_value() || key > *last) return absl::OkStatus();
  return Refuse(files_.front().path, NotAscending(key, *last, keyspace_->name()).message());
}

// Keys in memory would stand above the files, although they are older. Level 0 of the hashed layout is
// ordered by age as a whole, whatever the keys.
bool Ingest::NeedsFlush() const {
  const std::shared_ptr<const Version> version = keyspace_->version();
  std::vector<const Memtable*> memtables = {version->active().get()};
  for (const ImmutableMemtable& immutable : version->immutables()) {
    memtables.push_back(immutable.memtable.get());
  }
  const bool by_age = keyspace_->work().segments == SegmentLayout::kHashed;
  for (const Memtable* const memtable : memtables) {
    if (by_age && !memtable->empty()) return true;
    if (by_age) continue;
    for (const File& file : files_) {
      if (HoldsKeyIn(*memtable, RangeOf(file.stored))) return true;
    }
  }
  return false;
}

absl::StatusOr<VersionEdit> Ingest::MakeEdit(const StoreState& state,
                                             const BackgroundWork::Placing& placing) {
  const auto found = state.keyspaces.find(keyspace_->id());
  if (found == state.keyspaces.end()) return keyspace_->Check();
  Levels levels = *found->second.levels;
  VersionEdit edit;
  for (const File& file : files_) {
    const LevelIndex level =
        placing.everything
            ? LevelIndex{0}
            : PlaceIngested(keyspace_->work(), levels, RangeOf(file.ingested), file.ingested.size,
                            parts_.background.ForPicker(*keyspace_), placing.busy);
    FIRN_RETURN_IF_ERROR(AddTo(levels, level, file.ingested));
    edit.added_segments.push_back({keyspace_->id(), level, file.ingested});
  }
  was_tried_ = true;
  return edit;
}

absl::Status Ingest::TakeIn(SequenceNumber first) {
  FIRN_RETURN_IF_ERROR(keyspace_->Check());
  FIRN_RETURN_IF_ERROR(CheckAscending());
  if (NeedsFlush()) {
    const SequenceNumber floor = parts_.write_path.SwitchMemtable(keyspace_);
    FIRN_RETURN_IF_ERROR(parts_.background.AwaitFlush(keyspace_, floor));
  }
  const absl::Status durable = parts_.log.Sync();
  if (!durable.ok()) {
    parts_.queue.Poison(durable);
    return durable;
  }
  SequenceNumber next = first;
  for (File& file : files_) {
    file.ingested = AsIngested(file.stored, next);
    ++next.value;
  }
  const BackgroundWork::Placing placing = parts_.background.BeginPlacing(*keyspace_);
  const absl::Status status = parts_.versions.Commit(
      [&](const StoreState& state) { return MakeEdit(state, placing); },
      SequenceNumber{next.value - 1}, [&](const StoreState& state) { Publish(state, first); });
  parts_.background.EndPlacing(keyspace_);
  // A shortage that did not stick: nothing was written.
  if (IsShortage(status)) was_tried_ = false;
  if (!status.ok() && !parts_.versions.error().ok()) parts_.queue.Poison(status);
  return status;
}

void Ingest::Publish(const StoreState& state, SequenceNumber first) {
  const SequenceNumber last{first.value + files_.size() - 1};
  keyspace_->InstallNewer(state.keyspaces.at(keyspace_->id()).levels,
                          SequenceNumber{first.value - 1});
  if (keyspace_->rules().ascending) {
    keyspace_->ascending().Raise(LoadSequenceKey(LargestUserKey(files_.back().stored)));
  }
  parts_.conflicts.NoteUnlisted(keyspace_->id(), last);
  parts_.write_path.Publish(last);
}

}  // namespace firn
