#include "engine/version_edit.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "compaction/levels.h"
#include "engine/file_names.h"
#include "firn/option_names.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

enum class Tag : uint8_t {
  kNextFile = 1,
  kNextKeyspace = 2,
  kLastSequence = 3,
  kAddKeyspace = 4,
  kDropKeyspace = 5,
  kAddSegment = 6,
  kRemoveSegment = 7,
  kFlushed = 8,
  kVolatile = 9,
  kDropBelow = 10,
  kSizeLimits = 11,
  kSegmentContent = 12,
  kIngested = 13,
  kCompression = 14,
  kSegmentRawSize = 15,
};

void PutTag(std::string& target, Tag tag) { target.push_back(static_cast<char>(tag)); }

void PutKeyspace(std::string& target, const VersionEdit::AddKeyspace& keyspace) {
  PutTag(target, Tag::kAddKeyspace);
  PutVarint32(target, keyspace.id.value);
  PutLengthPrefixed(target, keyspace.name);
  target.push_back(static_cast<char>(keyspace.options.layout));
  target.push_back(static_cast<char>(keyspace.options.compression));
  PutVarint64(target, keyspace.options.block_size);
  PutVarint64(target, keyspace.options.compression_threshold);
  PutVarint32(target, keyspace.options.filter_bits_per_key);
  PutVarint32(target, keyspace.options.key_width);
}

void PutSegment(std::string& target, const VersionEdit::AddSegment& added) {
  PutTag(target, Tag::kAddSegment);
  PutVarint32(target, added.keyspace.value);
  PutVarint32(target, added.level.value);
  PutVarint64(target, added.segment.number.value);
  PutFixed64(target, added.segment.id);
  PutVarint64(target, added.segment.size);
  PutVarint64(target, added.segment.entry_count);
  PutLengthPrefixed(target, added.segment.smallest);
  PutLengthPrefixed(target, added.segment.largest);
  PutVarint64(target, added.segment.sequence_min.value);
  PutVarint64(target, added.segment.sequence_max.value);
  if (added.segment.data_block_count > 0) {  // else of an older manifest, which did not say
    PutTag(target, Tag::kSegmentContent);
    PutVarint64(target, added.segment.data_block_count);
    PutVarint64(target, added.segment.tombstone_count);
  }
  if (added.segment.raw_size > 0) {
    PutTag(target, Tag::kSegmentRawSize);
    PutVarint64(target, added.segment.raw_size);
  }
  if (added.segment.ingested_at.value > 0) {
    PutTag(target, Tag::kIngested);
    PutVarint64(target, added.segment.ingested_at.value);
  }
}

// Decodes one edit. The first thing that is wrong is kept with its place; every later read is then
// skipped, so that the functions below read like the format.
class EditDecoder {
 public:
  explicit EditDecoder(absl::string_view encoded) : reader_(encoded) {}

  absl::StatusOr<VersionEdit> Decode() {
    while (error_.empty() && !reader_.empty()) DecodeField();
    if (!error_.empty()) {
      return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                       absl::StrCat("version edit: byte ", error_at_, ": ", error_));
    }
    return std::move(edit_);
  }

 private:
  void Refuse(absl::string_view what) {
    if (!error_.empty()) return;
    error_ = std::string(what);
    error_at_ = reader_.position();
  }

  template <typename T>
  T Take(std::optional<T> value, absl::string_view what) {
    if (!value.has_value()) Refuse(absl::StrCat("no ", what));
    return value.value_or(T{});
  }
  uint64_t Number(absl::string_view what) { return Take(reader_.ReadVarint64(), what); }
  uint32_t SmallNumber(absl::string_view what) { return Take(reader_.ReadVarint32(), what); }
  std::string Text(absl::string_view what) {
    return std::string(Take(reader_.ReadLengthPrefixed(), what));
  }
  KeyspaceId Keyspace() {
    const KeyspaceId id{SmallNumber("keyspace id")};
    if (id.value == 0) Refuse("keyspace id 0");
    return id;
  }
  LevelIndex Level() {
    const LevelIndex level{SmallNumber("level")};
    if (level.value >= kLevelCount) Refuse("a level that does not exist");
    return level;
  }
  FileNumber File() {
    const FileNumber number{Number("file number")};
    if (number.value == 0) Refuse("file number 0");
    return number;
  }
  SequenceNumber Sequence() {
    const SequenceNumber sequence{Number("sequence number")};
    if (sequence > kMaxSequenceNumber) Refuse("a sequence number over 56 bits");
    return sequence;
  }
  template <typename T>
  void SetOnce(std::optional<T>& field, T value) {
    if (field.has_value()) Refuse("a field that stands there twice");
    field = value;
  }

  void DecodeField() {
    const uint8_t tag = Take(reader_.ReadByte(), "tag");
    const bool follows_segment = std::exchange(follows_segment_, false);
    const bool follows_content = std::exchange(follows_content_, false);
    switch (static_cast<Tag>(tag)) {
      case Tag::kNextFile:
        return SetOnce(edit_.next_file, File());
      case Tag::kNextKeyspace:
        return SetOnce(edit_.next_keyspace, Keyspace());
      case Tag::kLastSequence:
        return SetOnce(edit_.last_sequence, Sequence());
      case Tag::kAddKeyspace:
        return DecodeKeyspace();
      case Tag::kDropKeyspace:
        edit_.dropped_keyspaces.push_back(Keyspace());
        return;
      case Tag::kAddSegment:
        return DecodeSegment();
      case Tag::kRemoveSegment: {
        const KeyspaceId keyspace = Keyspace();
        edit_.removed_segments.push_back({keyspace, File()});
        return;
      }
      case Tag::kFlushed: {
        const KeyspaceId keyspace = Keyspace();
        edit_.flushed.push_back({keyspace, Sequence()});
        return;
      }
      case Tag::kVolatile: {
        const KeyspaceId keyspace = Keyspace();
        const uint64_t coded = Number("sequence number");
        if (coded > kMaxSequenceNumber.value + 1) Refuse("a sequence number over 56 bits");
        std::optional<SequenceNumber> since;
        if (coded > 0) since = SequenceNumber{coded - 1};
        edit_.volatile_marks.push_back({keyspace, since});
        return;
      }
      case Tag::kDropBelow: {
        const KeyspaceId keyspace = Keyspace();
        edit_.bounds.push_back({keyspace, Number("bound")});
        return;
      }
      case Tag::kSizeLimits: {
        const KeyspaceId keyspace = Keyspace();
        const uint64_t soft = Number("soft size limit");
        edit_.size_limits.push_back({keyspace, {soft, Number("size limit")}});
        return;
      }
      case Tag::kSegmentContent:
        if (!follows_segment || edit_.added_segments.back().segment.data_block_count > 0) {
          return Refuse("content of no segment");
        }
        follows_segment_ = true;
        return DecodeSegmentContent(edit_.added_segments.back().segment);
      case Tag::kIngested:
        if (!follows_segment) return Refuse("the number of no segment");
        return DecodeIngested(edit_.added_segments.back().segment);
      case Tag::kSegmentRawSize:
        if (!follows_content) return Refuse("raw size of no segment");
        edit_.added_segments.back().segment.raw_size = Number("raw size");
        if (edit_.added_segments.back().segment.raw_size == 0) Refuse("a segment of no bytes");
        follows_segment_ = true;
        return;
      case Tag::kCompression: {
        VersionEdit::SetCompression changed;
        changed.keyspace = Keyspace();
        changed.choice.codec = static_cast<Compression>(Take(reader_.ReadByte(), "compression"));
        changed.choice.level = SmallNumber("compression level");
        const absl::Status known = CheckCompression(changed.choice);
        if (!known.ok()) Refuse(known.message());
        edit_.compressions.push_back(changed);
        return;
      }
    }
    Refuse(absl::StrCat("unknown field ", tag));
  }

  void DecodeKeyspace() {
    VersionEdit::AddKeyspace added;
    added.id = Keyspace();
    added.name = Text("keyspace name");
    added.options.layout = static_cast<KeyspaceLayout>(Take(reader_.ReadByte(), "layout"));
    added.options.compression = static_cast<Compression>(Take(reader_.ReadByte(), "compression"));
    added.options.block_size = Number("block size");
    added.options.compression_threshold = Number("compression threshold");
    added.options.filter_bits_per_key = SmallNumber("filter bits per key");
    added.options.key_width = SmallNumber("key width");
    if (!error_.empty()) return;
    if (!IsKeyspaceName(added.name)) Refuse("a name that no keyspace can have");
    const absl::Status options = CheckKeyspaceOptions(added.options);
    if (!options.ok()) Refuse(options.message());
    edit_.added_keyspaces.push_back(std::move(added));
  }

  void DecodeSegment() {
    VersionEdit::AddSegment added;
    added.keyspace = Keyspace();
    added.level = Level();
    SegmentMeta& segment = added.segment;
    segment.number = File();
    segment.id = Take(reader_.ReadFixed64(), "segment id");
    segment.size = Number("segment size");
    segment.entry_count = Number("entry count");
    segment.smallest = Text("smallest key");
    segment.largest = Text("largest key");
    segment.sequence_min = Sequence();
    segment.sequence_max = Sequence();
    if (!error_.empty()) return;
    if (!DecodeInternalKey(segment.smallest).has_value() ||
        !DecodeInternalKey(segment.largest).has_value()) {
      Refuse("a key that is no internal key");
    } else if (CompareInternalKeys(segment.smallest, segment.largest) > 0) {
      Refuse("a segment whose keys are out of order");
    }
    if (segment.sequence_min > segment.sequence_max) Refuse("sequence numbers out of order");
    edit_.added_segments.push_back(std::move(added));
    follows_segment_ = true;
  }

  void DecodeSegmentContent(SegmentMeta& segment) {
    segment.data_block_count = Number("number of blocks");
    segment.tombstone_count = Number("number of tombstones");
    if (segment.data_block_count == 0 || segment.data_block_count > segment.entry_count ||
        segment.tombstone_count > segment.entry_count) {
      Refuse("more blocks or tombstones than entries, or no block");
    }
    follows_content_ = true;
  }

  void DecodeIngested(SegmentMeta& segment) {
    segment.ingested_at = Sequence();
    if (segment.ingested_at.value == 0 || segment.sequence_min != segment.ingested_at ||
        segment.sequence_max != segment.ingested_at ||
        SequenceOf(segment.smallest) != segment.ingested_at ||
        SequenceOf(segment.largest) != segment.ingested_at) {
      Refuse("an ingested segment whose numbers differ");
    }
  }

  ByteReader reader_;
  VersionEdit edit_;
  bool follows_segment_ = false;  // the field before this one added a segment, or says more of it
  bool follows_content_ = false;  // the field before this one said what a segment holds
  std::string error_;
  size_t error_at_ = 0;
};

}  // namespace

std::string EncodeVersionEdit(const VersionEdit& edit) {
  std::string target;
  if (edit.next_file.has_value()) {
    PutTag(target, Tag::kNextFile);
    PutVarint64(target, edit.next_file->value);
  }
  if (edit.next_keyspace.has_value()) {
    PutTag(target, Tag::kNextKeyspace);
    PutVarint32(target, edit.next_keyspace->value);
  }
  if (edit.last_sequence.has_value()) {
    PutTag(target, Tag::kLastSequence);
    PutVarint64(target, edit.last_sequence->value);
  }
  for (const VersionEdit::AddKeyspace& added : edit.added_keyspaces) PutKeyspace(target, added);
  for (const KeyspaceId id : edit.dropped_keyspaces) {
    PutTag(target, Tag::kDropKeyspace);
    PutVarint32(target, id.value);
  }
  for (const VersionEdit::AddSegment& added : edit.added_segments) PutSegment(target, added);
  for (const VersionEdit::RemoveSegment& removed : edit.removed_segments) {
    PutTag(target, Tag::kRemoveSegment);
    PutVarint32(target, removed.keyspace.value);
    PutVarint64(target, removed.number.value);
  }
  for (const VersionEdit::Flushed& flushed : edit.flushed) {
    PutTag(target, Tag::kFlushed);
    PutVarint32(target, flushed.keyspace.value);
    PutVarint64(target, flushed.sequence.value);
  }
  for (const VersionEdit::Volatile& mark : edit.volatile_marks) {
    PutTag(target, Tag::kVolatile);
    PutVarint32(target, mark.keyspace.value);
    PutVarint64(target, mark.since.has_value() ? mark.since->value + 1 : 0);
  }
  for (const VersionEdit::DropBelow& drop : edit.bounds) {
    PutTag(target, Tag::kDropBelow);
    PutVarint32(target, drop.keyspace.value);
    PutVarint64(target, drop.bound);
  }
  for (const VersionEdit::LimitSize& changed : edit.size_limits) {
    PutTag(target, Tag::kSizeLimits);
    PutVarint32(target, changed.keyspace.value);
    PutVarint64(target, changed.limits.soft);
    PutVarint64(target, changed.limits.hard);
  }
  for (const VersionEdit::SetCompression& changed : edit.compressions) {
    PutTag(target, Tag::kCompression);
    PutVarint32(target, changed.keyspace.value);
    target.push_back(static_cast<char>(changed.choice.codec));
    PutVarint32(target, changed.choice.level);
  }
  return target;
}

absl::StatusOr<VersionEdit> DecodeVersionEdit(absl::string_view encoded) {
  return EditDecoder(encoded).Decode();
}

}  // namespace firn
