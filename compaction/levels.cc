#include "compaction/levels.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// Level 0: newest first.
bool IsNewer(const SegmentPtr& a, const SegmentPtr& b) {
  if (a->sequence_max != b->sequence_max) return a->sequence_max > b->sequence_max;
  return a->number > b->number;
}

bool IsBefore(const SegmentPtr& a, const SegmentPtr& b) {
  const int order = CompareInternalKeys(a->smallest, b->smallest);
  return order != 0 ? order < 0 : a->number < b->number;
}

absl::Status Broken(const SegmentMeta& segment, absl::string_view what) {
  return InvalidArgument(absl::StrCat("levels: segment ", segment.number.value, ": ", what));
}

absl::Status CheckSegment(const SegmentMeta& segment) {
  if (!DecodeInternalKey(segment.smallest).has_value() ||
      !DecodeInternalKey(segment.largest).has_value()) {
    return Broken(segment, "its smallest or largest key is no internal key");
  }
  if (CompareInternalKeys(segment.smallest, segment.largest) > 0) {
    return Broken(segment, "its smallest key is above its largest");
  }
  if (segment.sequence_min > segment.sequence_max) {
    return Broken(segment, "its smallest sequence number is above its largest");
  }
  if (segment.entry_count == 0) return Broken(segment, "it has no entry");
  return absl::OkStatus();
}

// The first segment of a sorted level whose largest user key is at or after `user_key`.
std::vector<SegmentPtr>::const_iterator FirstReaching(const std::vector<SegmentPtr>& level,
                                                      absl::string_view user_key) {
  return std::partition_point(level.begin(), level.end(), [user_key](const SegmentPtr& segment) {
    return LargestUserKey(*segment) < user_key;
  });
}

}  // namespace

absl::string_view SmallestUserKey(const SegmentMeta& segment) {
  return UserKeyOf(segment.smallest);
}
absl::string_view LargestUserKey(const SegmentMeta& segment) { return UserKeyOf(segment.largest); }

bool Overlaps(const SegmentMeta& segment, const UserKeyRange& range) {
  return (!range.largest.has_value() || SmallestUserKey(segment) <= *range.largest) &&
         (!range.smallest.has_value() || LargestUserKey(segment) >= *range.smallest);
}

absl::StatusOr<Levels> Levels::Apply(const LevelsEdit& edit) const {
  for (const LevelSegment& added : edit.added) {
    if (added.level.value >= kLevelCount) {
      return Broken(*added.segment, absl::StrCat("level: expected below ", kLevelCount, ", found ",
                                                 added.level.value));
    }
    FIRN_RETURN_IF_ERROR(CheckSegment(*added.segment));  // its keys are compared below
  }
  absl::flat_hash_set<FileNumber> removed(edit.removed.begin(), edit.removed.end());
  Levels result;
  for (size_t index = 0; index < kLevelCount; ++index) {
    for (const SegmentPtr& segment : levels_[index]) {
      if (removed.erase(segment->number) == 0) result.levels_[index].push_back(segment);
    }
  }
  if (!removed.empty()) {
    return InvalidArgument(absl::StrCat("levels: segment ", removed.begin()->value,
                                        ": removed, but not there"));
  }
  for (const LevelSegment& added : edit.added) {
    result.levels_[added.level.value].push_back(added.segment);
  }
  std::sort(result.levels_[0].begin(), result.levels_[0].end(), IsNewer);
  for (size_t index = 1; index < kLevelCount; ++index) {
    std::sort(result.levels_[index].begin(), result.levels_[index].end(), IsBefore);
  }
  FIRN_RETURN_IF_ERROR(result.CheckInvariants());
  return result;
}

absl::Status Levels::CheckInvariants() const {
  absl::flat_hash_set<FileNumber> numbers;
  for (size_t index = 0; index < kLevelCount; ++index) {
    const SegmentPtr* before = nullptr;
    for (const SegmentPtr& segment : levels_[index]) {
      FIRN_RETURN_IF_ERROR(CheckSegment(*segment));
      if (!numbers.insert(segment->number).second) return Broken(*segment, "it stands twice");
      if (before != nullptr && index == 0 && !IsNewer(*before, segment)) {
        return Broken(*segment, "level 0 is not sorted newest first");
      }
      if (before != nullptr && index > 0 && LargestUserKey(**before) >= SmallestUserKey(*segment)) {
        return Broken(*segment, absl::StrCat("it overlaps segment ", (*before)->number.value,
                                             " on level ", index));
      }
      before = &segment;
    }
  }
  return absl::OkStatus();
}

LevelIndex Levels::deepest() const {
  for (uint32_t index = kLevelCount - 1; index > 0; --index) {
    if (!levels_[index].empty()) return {index};
  }
  return {0};
}

size_t Levels::segment_count() const {
  size_t count = 0;
  for (const auto& level : levels_) count += level.size();
  return count;
}

uint64_t Levels::bytes(LevelIndex level) const {
  uint64_t bytes = 0;
  for (const SegmentPtr& segment : levels_[level.value]) bytes += segment->size;
  return bytes;
}

uint64_t Levels::total_bytes() const {
  uint64_t total = 0;
  for (uint32_t index = 0; index < kLevelCount; ++index) total += bytes({index});
  return total;
}

uint64_t Levels::entry_count() const {
  uint64_t count = 0;
  for (const auto& level : levels_) {
    for (const SegmentPtr& segment : level) count += segment->entry_count;
  }
  return count;
}

std::vector<SegmentPtr> Levels::Overlapping(LevelIndex level, const UserKeyRange& range) const {
  const std::vector<SegmentPtr>& segments = levels_[level.value];
  std::vector<SegmentPtr> found;
  if (level.value == 0) {
    for (const SegmentPtr& segment : segments) {
      if (Overlaps(*segment, range)) found.push_back(segment);
    }
    return found;
  }
  auto next = range.smallest.has_value() ? FirstReaching(segments, *range.smallest)
                                         : segments.begin();
  for (; next != segments.end() && Overlaps(**next, range); ++next) found.push_back(*next);
  return found;
}

const SegmentMeta* Levels::Candidate(LevelIndex level, absl::string_view user_key) const {
  FIRN_DCHECK(level.value > 0);
  const std::vector<SegmentPtr>& segments = levels_[level.value];
  const auto found = FirstReaching(segments, user_key);
  if (found == segments.end() || SmallestUserKey(**found) > user_key) return nullptr;
  return found->get();
}

bool Levels::KeyMayExistBelow(LevelIndex level, absl::string_view user_key) const {
  for (uint32_t below = level.value + 1; below < kLevelCount; ++below) {
    if (Candidate({below}, user_key) != nullptr) return true;
  }
  return false;
}

uint64_t Levels::ApproximateBytes(const UserKeyRange& range) const {
  uint64_t bytes = 0;
  for (uint32_t index = 0; index < kLevelCount; ++index) {
    for (const SegmentPtr& segment : Overlapping({index}, range)) bytes += segment->size;
  }
  return bytes;
}

}  // namespace firn
