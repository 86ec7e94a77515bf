#include "engine/version.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "compaction/level_iterator.h"
#include "sstable/internal_key.h"
#include "sstable/merging_iterator.h"

namespace firn {
namespace {

using Result = absl::StatusOr<PinnedValue>;

Result Absent() { return absl::NotFoundError(""); }

Result ToResult(const Memtable::Found& found, const std::shared_ptr<const Memtable>& memtable) {
  if (found.kind == EntryKind::kTombstone) return Absent();
  return PinnedValue(found.value, memtable);
}

Result ToResult(FoundEntry found) {
  if (found.kind == EntryKind::kTombstone) return Absent();
  return PinnedValue(found.value, std::move(found.pin));
}

bool Holds(const SegmentMeta& segment, absl::string_view key) {
  return CompareUserKeys(key, SmallestUserKey(segment)) >= 0 &&
         CompareUserKeys(key, LargestUserKey(segment)) <= 0;
}

// A reader of `segment`. NotFound means "no such key" to our callers, so a missing file is DataLoss.
absl::StatusOr<std::shared_ptr<const SegmentReader>> OpenSegment(const SegmentMeta& segment,
                                                                 SegmentDirectory& segments) {
  absl::StatusOr<std::shared_ptr<const SegmentReader>> reader = segments.Get(segment);
  if (!absl::IsNotFound(reader.status())) return reader;
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingFile,
                   reader.status().message());
}

// The answer that `segment` has for `key`, if it has one.
absl::StatusOr<std::optional<FoundEntry>> FindInSegment(const SegmentMeta& segment,
                                                        absl::string_view key,
                                                        SequenceNumber sequence,
                                                        SegmentDirectory& segments) {
  FIRN_ASSIGN_OR_RETURN(const auto reader, OpenSegment(segment, segments));
  return reader->Get(key, sequence);
}

}  // namespace

Version::Version(std::shared_ptr<Memtable> active, std::vector<ImmutableMemtable> immutables,
                 std::shared_ptr<const Levels> levels)
    : active_(std::move(active)), immutables_(std::move(immutables)), levels_(std::move(levels)) {
  FIRN_CHECK(active_ != nullptr && levels_ != nullptr);
}

std::optional<SequenceNumber> Version::oldest_in_memory() const {
  std::optional<SequenceNumber> oldest;
  const auto consider = [&](const Memtable& memtable) {
    if (memtable.empty()) return;
    const SequenceNumber smallest = memtable.smallest_sequence();
    if (!oldest.has_value() || smallest < *oldest) oldest = smallest;
  };
  consider(*active_);
  for (const ImmutableMemtable& immutable : immutables_) consider(*immutable.memtable);
  return oldest;
}

size_t Version::memtable_bytes() const {
  size_t bytes = active_->ApproximateMemory();
  for (const ImmutableMemtable& immutable : immutables_) {
    bytes += immutable.memtable->ApproximateMemory();
  }
  return bytes;
}

std::optional<Result> Version::FindInMemory(absl::string_view key, SequenceNumber sequence) const {
  if (const auto found = active_->Get(key, sequence)) return ToResult(*found, active_);
  for (const ImmutableMemtable& immutable : immutables_) {
    const auto found = immutable.memtable->Get(key, sequence);
    if (found.has_value()) return ToResult(*found, immutable.memtable);
  }
  return std::nullopt;
}

Result Version::Get(absl::string_view key, SequenceNumber sequence,
                    SegmentDirectory& segments) const {
  if (std::optional<Result> found = FindInMemory(key, sequence)) return *std::move(found);
  for (const SegmentPtr& segment : levels_->level0()) {
    if (!Holds(*segment, key)) continue;
    FIRN_ASSIGN_OR_RETURN(std::optional<FoundEntry> found,
                          FindInSegment(*segment, key, sequence, segments));
    if (found.has_value()) return ToResult(*std::move(found));
  }
  for (uint32_t level = 1; level < kLevelCount; ++level) {
    const SegmentMeta* const segment = levels_->Candidate(LevelIndex{level}, key);
    if (segment == nullptr) continue;
    FIRN_ASSIGN_OR_RETURN(std::optional<FoundEntry> found,
                          FindInSegment(*segment, key, sequence, segments));
    if (found.has_value()) return ToResult(*std::move(found));
  }
  return Absent();
}

// The keys of one MultiGet on their way down: those without an answer yet, ascending.
class Version::Batch {
 public:
  Batch(absl::Span<const absl::string_view> keys, SequenceNumber sequence,
        SegmentDirectory& segments)
      : sequence_(sequence), segments_(segments), results_(keys.size(), Absent()) {
    open_.reserve(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) open_.push_back({{keys[i], std::nullopt}, i, false});
    std::sort(open_.begin(), open_.end(), [](const Open& a, const Open& b) {
      return CompareUserKeys(a.lookup.user_key, b.lookup.user_key) < 0;
    });
  }

  void SearchMemory(const Version& version) {
    for (Open& open : open_) {
      std::optional<Result> found = version.FindInMemory(open.lookup.user_key, sequence_);
      if (found.has_value()) Answer(open, *std::move(found));
    }
    DropAnswered();
  }

  // All open keys that `segment` may hold, in one GetMany().
  void SearchSegment(const SegmentMeta& segment) {
    std::vector<Open*> asked;
    for (Open& open : open_) {
      if (!open.answered && Holds(segment, open.lookup.user_key)) asked.push_back(&open);
    }
    Ask(segment, asked);
    DropAnswered();
  }

  // Keys ascend and so do the segments of a level: runs of keys share their candidate.
  void SearchLevel(const Levels& levels, LevelIndex level) {
    for (size_t begin = 0; begin < open_.size();) {
      const SegmentMeta* const segment =
          levels.Candidate(level, open_[begin].lookup.user_key);
      std::vector<Open*> asked;
      size_t limit = begin;
      while (limit < open_.size() &&
             (limit == begin ||
              (segment != nullptr && Holds(*segment, open_[limit].lookup.user_key)))) {
        asked.push_back(&open_[limit++]);
      }
      if (segment != nullptr) Ask(*segment, asked);
      begin = limit;
    }
    DropAnswered();
  }

  bool done() const { return open_.empty(); }
  std::vector<Result> TakeResults() { return std::move(results_); }

 private:
  struct Open {
    SegmentLookup lookup;
    size_t index;  // in the caller's keys
    bool answered;
  };

  void Answer(Open& open, Result result) {
    results_[open.index] = std::move(result);
    open.answered = true;
  }

  void Ask(const SegmentMeta& segment, const std::vector<Open*>& asked) {
    if (asked.empty()) return;
    std::vector<SegmentLookup*> lookups;
    lookups.reserve(asked.size());
    for (Open* const open : asked) lookups.push_back(&open->lookup);
    const auto reader = OpenSegment(segment, segments_);
    const absl::Status status =
        reader.ok() ? (*reader)->GetMany(lookups, sequence_) : reader.status();
    for (Open* const open : asked) {
      if (!status.ok()) {
        Answer(*open, status);
      } else if (open->lookup.found.has_value()) {
        Answer(*open, ToResult(*std::move(open->lookup.found)));
      }
    }
  }

  void DropAnswered() {
    open_.erase(std::remove_if(open_.begin(), open_.end(),
                               [](const Open& open) { return open.answered; }),
                open_.end());
  }

  const SequenceNumber sequence_;
  SegmentDirectory& segments_;
  std::vector<Open> open_;
  std::vector<Result> results_;
};

std::vector<Result> Version::MultiGet(absl::Span<const absl::string_view> keys,
                                      SequenceNumber sequence, SegmentDirectory& segments) const {
  Batch batch(keys, sequence, segments);
  batch.SearchMemory(*this);
  for (const SegmentPtr& segment : levels_->level0()) {
    if (batch.done()) break;
    batch.SearchSegment(*segment);
  }
  for (uint32_t level = 1; level < kLevelCount && !batch.done(); ++level) {
    if (!levels_->level(LevelIndex{level}).empty()) batch.SearchLevel(*levels_, LevelIndex{level});
  }
  return batch.TakeResults();
}

absl::StatusOr<std::unique_ptr<InternalIterator>> Version::NewIterator(
    absl::string_view begin, const std::optional<std::string>& limit,
    SegmentDirectory& segments) const {
  const SegmentReadOptions options;
  UserKeyRange range;
  range.smallest = begin;
  if (limit.has_value()) range.largest = *limit;
  std::vector<std::unique_ptr<InternalIterator>> inputs;
  inputs.push_back(active_->NewIterator());
  for (const ImmutableMemtable& immutable : immutables_) {
    inputs.push_back(immutable.memtable->NewIterator());
  }
  for (const SegmentPtr& segment : levels_->level0()) {
    if (!Overlaps(*segment, range)) continue;
    FIRN_ASSIGN_OR_RETURN(const auto reader, OpenSegment(*segment, segments));
    inputs.push_back(reader->NewIterator(options));
  }
  for (uint32_t level = 1; level < kLevelCount; ++level) {
    std::vector<SegmentPtr> in_range = levels_->Overlapping(LevelIndex{level}, range);
    if (in_range.empty()) continue;
    inputs.push_back(NewLevelIterator(std::move(in_range), segments, options));
  }
  return NewMergingIterator(std::move(inputs));
}

}  // namespace firn
