#include "engine/store_state.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

// Segments that one edit of AsEdits() names at most: well below the largest record of a log, also
// with the largest keys.
constexpr size_t kSegmentsPerEdit = 128;

absl::Status Contradiction(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("version edit: ", what));
}

absl::StatusOr<KeyspaceState*> Find(StoreState& state, KeyspaceId id) {
  const auto found = state.keyspaces.find(id);
  if (found == state.keyspaces.end()) {
    return Contradiction(absl::StrCat("keyspace ", id.value, " does not exist"));
  }
  return &found->second;
}

absl::Status AddKeyspaces(StoreState& state, const VersionEdit& edit) {
  for (const VersionEdit::AddKeyspace& added : edit.added_keyspaces) {
    if (added.id >= state.next_keyspace) {
      return Contradiction(absl::StrCat("keyspace ", added.id.value, " is not below the next id ",
                                        state.next_keyspace.value));
    }
    for (const auto& [id, keyspace] : state.keyspaces) {
      if (id == added.id || keyspace.name == added.name) {
        return Contradiction(absl::StrCat("keyspace ", added.id.value, " (", added.name,
                                          ") is there already"));
      }
    }
    state.keyspaces.emplace(
        added.id, KeyspaceState{added.name, added.options, std::make_shared<const Levels>(),
                                SequenceNumber{}, std::nullopt, 0});
  }
  for (const KeyspaceId id : edit.dropped_keyspaces) {
    if (state.keyspaces.erase(id) == 0) {
      return Contradiction(absl::StrCat("keyspace ", id.value, " does not exist"));
    }
  }
  return absl::OkStatus();
}

// The levels' edit of each keyspace that `edit` touches.
absl::StatusOr<std::map<KeyspaceId, LevelsEdit>> SplitByKeyspace(const StoreState& state,
                                                                 const VersionEdit& edit) {
  std::map<KeyspaceId, LevelsEdit> split;
  absl::flat_hash_map<FileNumber, SegmentPtr> moving;
  for (const VersionEdit::RemoveSegment& removed : edit.removed_segments) {
    split[removed.keyspace].removed.push_back(removed.number);
    moving.emplace(removed.number, nullptr);
  }
  for (const auto& [id, change] : split) {
    const auto keyspace = state.keyspaces.find(id);
    if (keyspace == state.keyspaces.end()) continue;  // Apply() refuses it
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : keyspace->second.levels->level(LevelIndex{level})) {
        const auto moved = moving.find(segment->number);
        if (moved != moving.end()) moved->second = segment;
      }
    }
  }
  for (const VersionEdit::AddSegment& added : edit.added_segments) {
    const SegmentMeta& segment = added.segment;
    if (segment.number >= state.next_file) {
      return Contradiction(absl::StrCat("segment ", segment.number.value,
                                        " is not below the next file number ",
                                        state.next_file.value));
    }
    if (segment.sequence_max > state.last_sequence) {
      return Contradiction(absl::StrCat("segment ", segment.number.value,
                                        " holds a sequence number above the last one"));
    }
    const auto moved = moving.find(segment.number);
    const bool same = moved != moving.end() && moved->second != nullptr && *moved->second == segment;
    split[added.keyspace].added.push_back(
        {added.level, same ? moved->second : std::make_shared<const SegmentMeta>(segment)});
  }
  return split;
}

absl::Status ChangeLevels(StoreState& state, const VersionEdit& edit) {
  FIRN_ASSIGN_OR_RETURN(const auto changes, SplitByKeyspace(state, edit));
  for (const auto& [id, change] : changes) {
    FIRN_ASSIGN_OR_RETURN(KeyspaceState* const keyspace, Find(state, id));
    absl::StatusOr<Levels> levels = keyspace->levels->Apply(change);
    if (!levels.ok()) {
      return Contradiction(absl::StrCat("keyspace ", keyspace->name, ": ",
                                        levels.status().message()));
    }
    keyspace->levels = std::make_shared<const Levels>(*std::move(levels));
  }
  return absl::OkStatus();
}

absl::Status RaiseFloors(StoreState& state, const VersionEdit& edit) {
  for (const VersionEdit::Flushed& flushed : edit.flushed) {
    FIRN_ASSIGN_OR_RETURN(KeyspaceState* const keyspace, Find(state, flushed.keyspace));
    if (flushed.sequence < keyspace->flushed || flushed.sequence > state.last_sequence) {
      return Contradiction(absl::StrCat("keyspace ", keyspace->name, ": flushed floor ",
                                        flushed.sequence.value, " is not in [",
                                        keyspace->flushed.value, ", ", state.last_sequence.value,
                                        "]"));
    }
    keyspace->flushed = flushed.sequence;
  }
  for (const VersionEdit::Volatile& mark : edit.volatile_marks) {
    FIRN_ASSIGN_OR_RETURN(KeyspaceState* const keyspace, Find(state, mark.keyspace));
    keyspace->volatile_since = mark.since;
  }
  for (const VersionEdit::DropBelow& drop : edit.bounds) {
    FIRN_ASSIGN_OR_RETURN(KeyspaceState* const keyspace, Find(state, drop.keyspace));
    if (keyspace->options.layout != KeyspaceLayout::kSequence || drop.bound < keyspace->bound) {
      return Contradiction(absl::StrCat("keyspace ", keyspace->name, ": bound ", drop.bound,
                                        " where there is none, or below the present ",
                                        keyspace->bound));
    }
    keyspace->bound = drop.bound;
  }
  for (const VersionEdit::LimitSize& changed : edit.size_limits) {
    FIRN_ASSIGN_OR_RETURN(KeyspaceState* const keyspace, Find(state, changed.keyspace));
    keyspace->options.size_soft_limit = changed.limits.soft;
    keyspace->options.size_limit = changed.limits.hard;
  }
  for (const VersionEdit::SetCompression& changed : edit.compressions) {
    FIRN_ASSIGN_OR_RETURN(KeyspaceState* const keyspace, Find(state, changed.keyspace));
    keyspace->options.compression = changed.choice.codec;
    keyspace->options.compression_level = changed.choice.level;
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status Raise(T& field, const std::optional<T>& value, absl::string_view name) {
  if (!value.has_value()) return absl::OkStatus();
  if (*value < field) {
    return Contradiction(absl::StrCat("the ", name, " falls from ", field.value, " to ",
                                      value->value));
  }
  field = *value;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoreState> StoreState::Apply(const VersionEdit& edit) const {
  StoreState state = *this;
  FIRN_RETURN_IF_ERROR(Raise(state.next_file, edit.next_file, "next file number"));
  FIRN_RETURN_IF_ERROR(Raise(state.next_keyspace, edit.next_keyspace, "next keyspace id"));
  FIRN_RETURN_IF_ERROR(Raise(state.last_sequence, edit.last_sequence, "last sequence number"));
  FIRN_RETURN_IF_ERROR(AddKeyspaces(state, edit));
  FIRN_RETURN_IF_ERROR(ChangeLevels(state, edit));
  FIRN_RETURN_IF_ERROR(RaiseFloors(state, edit));
  return state;
}

std::vector<VersionEdit> StoreState::AsEdits() const {
  std::vector<VersionEdit> edits(1);
  edits.front().next_file = next_file;
  edits.front().next_keyspace = next_keyspace;
  edits.front().last_sequence = last_sequence;
  for (const auto& [id, keyspace] : keyspaces) {
    VersionEdit edit;
    edit.added_keyspaces.push_back({id, keyspace.name, keyspace.options});
    if (keyspace.flushed.value > 0) edit.flushed.push_back({id, keyspace.flushed});
    if (keyspace.volatile_since.has_value()) {
      edit.volatile_marks.push_back({id, keyspace.volatile_since});
    }
    if (keyspace.bound > 0) edit.bounds.push_back({id, keyspace.bound});
    const SizeLimits limits{keyspace.options.size_soft_limit, keyspace.options.size_limit};
    if (limits.soft > 0 || limits.hard > 0) edit.size_limits.push_back({id, limits});
    if (keyspace.options.compression_level > 0) {
      edit.compressions.push_back(
          {id, {keyspace.options.compression, keyspace.options.compression_level}});
    }
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : keyspace.levels->level(LevelIndex{level})) {
        if (edit.added_segments.size() == kSegmentsPerEdit) {
          edits.push_back(std::move(edit));
          edit = VersionEdit{};
        }
        edit.added_segments.push_back({id, LevelIndex{level}, *segment});
      }
    }
    edits.push_back(std::move(edit));
  }
  return edits;
}

}  // namespace firn
