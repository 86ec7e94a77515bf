// compaction/levels.h: which segments stand on which level: an immutable value, made anew by each
// edit, shared by all who read it.
//
// Invariants (CheckInvariants):
//   1. Level 0 is sorted newest first: sequence_max descending, then number descending. Its segments
//      may overlap.
//   2. Below level 0 the segments of a level are sorted by key and disjoint in user keys.
//   3. Every segment has smallest <= largest, both internal keys, sequence_min <= sequence_max, at
//      least one entry, and no number stands twice.
#ifndef FIRN_COMPACTION_LEVELS_H_
#define FIRN_COMPACTION_LEVELS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/segment_meta.h"

namespace firn {

using SegmentPtr = std::shared_ptr<const SegmentMeta>;

inline constexpr size_t kLevelCount = 7;

// User keys from `smallest` to `largest`, both included; none: no bound on that side.
struct UserKeyRange {
  std::optional<absl::string_view> smallest;
  std::optional<absl::string_view> largest;
};

absl::string_view SmallestUserKey(const SegmentMeta& segment);
absl::string_view LargestUserKey(const SegmentMeta& segment);
bool Overlaps(const SegmentMeta& segment, const UserKeyRange& range);

struct LevelSegment {
  LevelIndex level;
  SegmentPtr segment;
};

// A change: what comes and what goes. A move is the same number in both.
struct LevelsEdit {
  std::vector<LevelSegment> added;
  std::vector<FileNumber> removed;
};

class Levels {
 public:
  Levels() = default;  // no segment

  // The levels after `edit`. InvalidArgument if a removed number is not there, a level is out of
  // range, or the result would break an invariant: an edit read from a manifest may be damaged.
  absl::StatusOr<Levels> Apply(const LevelsEdit& edit) const;
  absl::Status CheckInvariants() const;

  const std::vector<SegmentPtr>& level(LevelIndex level) const { return levels_[level.value]; }
  const std::vector<SegmentPtr>& level0() const { return levels_[0]; }
  // The deepest level with a segment; 0 if there is none.
  LevelIndex deepest() const;
  bool empty() const { return segment_count() == 0; }
  size_t segment_count() const;
  uint64_t bytes(LevelIndex level) const;
  uint64_t total_bytes() const;
  uint64_t entry_count() const;

  // Segments of `level` that meet `range`, in the level's order. Below level 0: binary search.
  std::vector<SegmentPtr> Overlapping(LevelIndex level, const UserKeyRange& range) const;
  // Below level 0: the one segment that may hold `user_key`, or null. No allocation, no count
  // touched: the pointer lives as long as this value.
  const SegmentMeta* Candidate(LevelIndex level, absl::string_view user_key) const;
  // Whether a level below `level` has a segment whose range holds `user_key`.
  bool KeyMayExistBelow(LevelIndex level, absl::string_view user_key) const;
  // Bytes of the segments that meet `range`, whole segments counted.
  uint64_t ApproximateBytes(const UserKeyRange& range) const;

 private:
  std::vector<SegmentPtr> levels_[kLevelCount];
};

}  // namespace firn

#endif  // FIRN_COMPACTION_LEVELS_H_
