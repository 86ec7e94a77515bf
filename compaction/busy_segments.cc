#include "compaction/busy_segments.h"

#include <algorithm>
#include <string>

namespace firn {

uint64_t BytesOf(const std::vector<SegmentPtr>& segments) {
  uint64_t bytes = 0;
  for (const SegmentPtr& segment : segments) bytes += segment->size;
  return bytes;
}

void WidenRange(Compaction& compaction, const std::vector<SegmentPtr>& segments, bool is_first) {
  for (const SegmentPtr& segment : segments) {
    const absl::string_view smallest = SmallestUserKey(*segment);
    const absl::string_view largest = LargestUserKey(*segment);
    if (is_first || smallest < compaction.smallest) compaction.smallest = std::string(smallest);
    if (is_first || largest > compaction.largest) compaction.largest = std::string(largest);
    is_first = false;
  }
}

BusySegments::BusySegments(RunningCompactions running) : running_(running) {
  for (const Compaction* compaction : running) {
    for (const SegmentPtr& segment : compaction->inputs) numbers_.insert(segment->number);
    for (const SegmentPtr& segment : compaction->output_inputs) numbers_.insert(segment->number);
  }
}

bool BusySegments::ReadsLevel0() const {
  return std::any_of(running_.begin(), running_.end(), [](const Compaction* compaction) {
    return compaction->source_level.value == 0;
  });
}

bool BusySegments::Forbids(const Compaction& compaction) const {
  const auto held = [this](const SegmentPtr& segment) { return Holds(segment); };
  if (std::any_of(compaction.inputs.begin(), compaction.inputs.end(), held) ||
      std::any_of(compaction.output_inputs.begin(), compaction.output_inputs.end(), held)) {
    return true;
  }
  return std::any_of(running_.begin(), running_.end(), [&](const Compaction* other) {
    return other->output_level == compaction.output_level && compaction.output_level.value > 0 &&
           other->smallest <= compaction.largest && compaction.smallest <= other->largest;
  });
}

uint64_t BusySegments::StayingBytes(const std::vector<SegmentPtr>& level, LevelIndex index) const {
  uint64_t bytes = BytesOf(level);
  for (const Compaction* compaction : running_) {
    if (compaction->source_level == index && compaction->output_level != index) {
      bytes -= std::min(bytes, BytesOf(compaction->inputs));
    }
  }
  return bytes;
}

}  // namespace firn
