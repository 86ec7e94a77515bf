#include "compaction/ingest_placement.h"

#include <algorithm>

#include "base/check.h"
#include "compaction/leveled_picker.h"

namespace firn {
namespace {

uint32_t DeepestFor(const LayoutWork& work, const Levels& levels, uint64_t bytes,
                    const PickerOptions& options) {
  switch (work.segments) {
    case SegmentLayout::kHashed:
      return 0;
    case SegmentLayout::kSequence:
      return 1;
    case SegmentLayout::kOrdered:
      break;
  }
  uint32_t deepest = std::max<uint32_t>(levels.deepest().value, 1);
  while (deepest + 1 < kLevelCount && LevelTarget(options, {deepest}) < bytes) ++deepest;
  return deepest;
}

}  // namespace

LevelIndex PlaceIngested(const LayoutWork& work, const Levels& levels, const UserKeyRange& range,
                         uint64_t bytes, const PickerOptions& options,
                         absl::Span<const BusyRange> busy) {
  FIRN_CHECK(range.smallest.has_value() && range.largest.has_value());
  const auto is_free = [&](uint32_t level) {
    if (!levels.Overlapping({level}, range).empty()) return false;
    return std::none_of(busy.begin(), busy.end(), [&](const BusyRange& other) {
      return other.level.value == level && absl::string_view(other.smallest) <= *range.largest &&
             *range.smallest <= absl::string_view(other.largest);
    });
  };
  const uint32_t deepest = DeepestFor(work, levels, bytes, options);
  if (!levels.Overlapping({0}, range).empty()) return {0};
  uint32_t level = 0;
  while (level < deepest && is_free(level + 1)) ++level;
  return {level};
}

}  // namespace firn
