#include "engine/version.h"

#include <algorithm>
#include <numeric>
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

// A reader of `segment`. NotFound means "no such key" to our callers, so a missing file is DataLoss.
absl::StatusOr<std::shared_ptr<const SegmentReader>> OpenSegment(const SegmentMeta& segment,
                                                                 SegmentDirectory& segments) {
  absl::StatusOr<std::shared_ptr<const SegmentReader>> reader = segments.Get(segment);
  if (!absl::IsNotFound(reader.status())) return reader;
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingFile,
                   reader.status().message());
}

// The reader of a segment on its way into a lookup: the table's, or one that is opened for it.
class OpenReader {
 public:
  static absl::StatusOr<OpenReader> Of(const SegmentTable& table, const SegmentTable::Entry& entry,
                                       SegmentDirectory& segments) {
    OpenReader open;
    open.reader_ = entry.reader();
    if (open.reader_ != nullptr) return open;
    FIRN_ASSIGN_OR_RETURN(open.owned_, OpenSegment(entry.meta(), segments));
    open.reader_ = open.owned_.get();
    table.Keep(entry, open.owned_);
    return open;
  }
  const SegmentReader* operator->() const { return reader_; }
  // Null if the table had it.
  const std::shared_ptr<const SegmentReader>& owned() const { return owned_; }

 private:
  const SegmentReader* reader_ = nullptr;
  std::shared_ptr<const SegmentReader> owned_;
};

}  // namespace

Version::Version(std::shared_ptr<Memtable> active, std::vector<ImmutableMemtable> immutables,
                 std::shared_ptr<const Levels> levels, const Version* previous,
                 size_t readers_max)
    : active_(std::move(active)),
      immutables_(std::move(immutables)),
      levels_(std::move(levels)),
      table_(*levels_, previous == nullptr ? nullptr : &previous->table_, readers_max) {
  FIRN_CHECK(active_ != nullptr);
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
  if (!active_->empty()) {
    if (const auto found = active_->Get(key, sequence)) return ToResult(*found, active_);
  }
  for (const ImmutableMemtable& immutable : immutables_) {
    const auto found = immutable.memtable->Get(key, sequence);
    if (found.has_value()) return ToResult(*found, immutable.memtable);
  }
  return std::nullopt;
}

// Calls visit(entry) for each segment that may hold `key`, in the order of search, until it returns
// true.
template <typename Visitor>
void Version::VisitSegments(absl::string_view key, Visitor visit) const {
  const uint64_t prefix = KeyPrefix(key);
  for (const SegmentTable::Entry& entry : table_.level(LevelIndex{0})) {
    if (entry.Holds(key, prefix) && visit(entry)) return;
  }
  for (uint32_t level = 1; level < kLevelCount; ++level) {
    const SegmentTable::Entry* const entry = table_.Candidate(LevelIndex{level}, key, prefix);
    if (entry != nullptr && visit(*entry)) return;
  }
}

Result Version::Get(absl::string_view key, SequenceNumber sequence,
                    SegmentDirectory& segments) const {
  if (std::optional<Result> found = FindInMemory(key, sequence)) return *std::move(found);
  std::optional<Result> result;
  VisitSegments(key, [&](const SegmentTable::Entry& entry) {
    const absl::StatusOr<OpenReader> reader = OpenReader::Of(table_, entry, segments);
    if (!reader.ok()) {
      result = reader.status();
      return true;
    }
    absl::StatusOr<std::optional<FoundEntry>> found = (*reader)->Get(key, sequence);
    if (!found.ok()) {
      result = found.status();
    } else if (found->has_value()) {
      result = ToResult(**std::move(found));
    }
    return result.has_value();
  });
  return result.has_value() ? *std::move(result) : Absent();
}

std::optional<Result> Version::GetCached(absl::string_view key, SequenceNumber sequence) const {
  if (std::optional<Result> found = FindInMemory(key, sequence)) return found;
  bool needs_read = false;
  std::optional<FoundEntry> found;
  VisitSegments(key, [&](const SegmentTable::Entry& entry) {
    const SegmentReader* const reader = entry.reader();
    needs_read = reader == nullptr || !reader->GetCached(key, sequence, found);
    return needs_read || found.has_value();
  });
  if (needs_read) return std::nullopt;
  return found.has_value() ? ToResult(*std::move(found)) : Absent();
}

// Keys on their way down through what is in memory: those without an answer yet.
class Version::CachedBatch {
 public:
  CachedBatch(absl::Span<SegmentLookup> lookups, SequenceNumber sequence) : sequence_(sequence) {
    FIRN_CHECK(lookups.size() <= kManyMax);
    for (SegmentLookup& lookup : lookups) {
      open_[count_] = &lookup;
      prefixes_[count_++] = KeyPrefix(lookup.user_key);
    }
  }
  bool done() const { return count_ == 0; }

  void SearchMemtable(const Memtable& memtable) {
    // What a reader may see was counted before it was published.
    if (memtable.empty()) return;
    memtable.GetMany(absl::MakeConstSpan(open_, count_), sequence_);
    DropAnswered();
  }

  void SearchSegment(const SegmentTable::Entry& segment) {
    SegmentLookup* asked[kManyMax];
    size_t asked_count = 0;
    for (size_t i = 0; i < count_; ++i) {
      if (segment.Holds(open_[i]->user_key, prefixes_[i])) asked[asked_count++] = open_[i];
    }
    Ask(segment, absl::MakeConstSpan(asked, asked_count));
    DropAnswered();
  }

  // Each key has one candidate at most; keys of one candidate are asked together.
  void SearchLevel(const SegmentTable& table, LevelIndex level) {
    const SegmentTable::Entry* candidates[kManyMax];
    for (size_t i = 0; i < count_; ++i) {
      candidates[i] = table.Candidate(level, open_[i]->user_key, prefixes_[i]);
    }
    for (size_t i = 0; i < count_; ++i) {
      const SegmentTable::Entry* const segment = candidates[i];
      if (segment == nullptr) continue;
      SegmentLookup* asked[kManyMax];
      size_t asked_count = 0;
      for (size_t j = i; j < count_; ++j) {
        if (candidates[j] != segment) continue;
        asked[asked_count++] = open_[j];
        candidates[j] = nullptr;
      }
      Ask(*segment, absl::MakeConstSpan(asked, asked_count));
    }
    DropAnswered();
  }

 private:
  void Ask(const SegmentTable::Entry& segment, absl::Span<SegmentLookup* const> asked) {
    if (asked.empty()) return;
    const SegmentReader* const reader = segment.reader();
    if (reader != nullptr) return reader->GetManyCached(asked, sequence_);
    for (SegmentLookup* const lookup : asked) lookup->needs_read = true;
  }

  void DropAnswered() {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      if (open_[i]->found.has_value() || open_[i]->needs_read) continue;
      open_[kept] = open_[i];
      prefixes_[kept++] = prefixes_[i];
    }
    count_ = kept;
  }

  const SequenceNumber sequence_;
  size_t count_ = 0;
  SegmentLookup* open_[kManyMax];
  uint64_t prefixes_[kManyMax];
};

void Version::GetManyCached(absl::Span<SegmentLookup> lookups, SequenceNumber sequence) const {
  CachedBatch batch(lookups, sequence);
  batch.SearchMemtable(*active_);
  for (const ImmutableMemtable& immutable : immutables_) {
    if (batch.done()) return;
    batch.SearchMemtable(*immutable.memtable);
  }
  for (const SegmentTable::Entry& segment : table_.level(LevelIndex{0})) {
    if (batch.done()) return;
    batch.SearchSegment(segment);
  }
  for (uint32_t level = 1; level < kLevelCount && !batch.done(); ++level) {
    if (!table_.level(LevelIndex{level}).empty()) batch.SearchLevel(table_, LevelIndex{level});
  }
}

// The keys of one MultiGet on their way down: those without an answer yet, ascending.
class Version::Batch {
 public:
  Batch(const Version& version, absl::Span<const absl::string_view> keys, SequenceNumber sequence,
        SegmentDirectory& segments)
      : table_(version.table_),
        sequence_(sequence),
        segments_(segments),
        results_(keys.size(), Absent()) {
    std::vector<size_t> ascending(keys.size());
    std::iota(ascending.begin(), ascending.end(), size_t{0});
    std::sort(ascending.begin(), ascending.end(), [keys](size_t a, size_t b) {
      return CompareUserKeys(keys[a], keys[b]) < 0;
    });
    open_.reserve(keys.size());
    for (const size_t i : ascending) {
      open_.push_back({{.user_key = keys[i], .found = std::nullopt}, KeyPrefix(keys[i]), i, false});
    }
  }

  // Reads what the segments will be asked for, of all keys together. Errors are left to the search.
  void ReadAhead(const Version& version) {
    for (const Open& open : open_) {
      version.VisitSegments(open.lookup.user_key, [&](const SegmentTable::Entry& entry) {
        const auto reader = OpenReader::Of(table_, entry, segments_);
        if (!reader.ok()) return true;
        if (reader->owned() != nullptr) pins_.push_back(reader->owned());
        return (*reader)->AddMissing(open.lookup.user_key, sequence_, blocks_);
      });
    }
    blocks_.Read();
    for (Open& open : open_) open.lookup.fetched = &blocks_;
  }

  void SearchMemory(const Version& version) {
    for (Open& open : open_) {
      std::optional<Result> found = version.FindInMemory(open.lookup.user_key, sequence_);
      if (found.has_value()) Answer(open, *std::move(found));
    }
    DropAnswered();
  }

  // All open keys that `segment` may hold, in one GetMany().
  void SearchSegment(const SegmentTable::Entry& segment) {
    std::vector<Open*> asked;
    for (Open& open : open_) {
      if (segment.Holds(open.lookup.user_key, open.prefix)) asked.push_back(&open);
    }
    Ask(segment, asked);
    DropAnswered();
  }

  // Keys ascend and so do the segments of a level: runs of keys share their candidate.
  void SearchLevel(LevelIndex level) {
    for (size_t begin = 0; begin < open_.size();) {
      const SegmentTable::Entry* const segment =
          table_.Candidate(level, open_[begin].lookup.user_key, open_[begin].prefix);
      std::vector<Open*> asked;
      size_t limit = begin;
      while (limit < open_.size() &&
             (limit == begin ||
              (segment != nullptr &&
               segment->Holds(open_[limit].lookup.user_key, open_[limit].prefix)))) {
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
    uint64_t prefix;
    size_t index;  // in the caller's keys
    bool answered;
  };

  void Answer(Open& open, Result result) {
    results_[open.index] = std::move(result);
    open.answered = true;
  }

  void Ask(const SegmentTable::Entry& segment, const std::vector<Open*>& asked) {
    if (asked.empty()) return;
    std::vector<SegmentLookup*> lookups;
    lookups.reserve(asked.size());
    for (Open* const open : asked) lookups.push_back(&open->lookup);
    const auto reader = OpenReader::Of(table_, segment, segments_);
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

  const SegmentTable& table_;
  const SequenceNumber sequence_;
  SegmentDirectory& segments_;
  std::vector<Open> open_;
  std::vector<Result> results_;
  std::vector<std::shared_ptr<const SegmentReader>> pins_;  // of readers that were opened
  BlockBatch blocks_;
};

std::vector<Result> Version::MultiGet(absl::Span<const absl::string_view> keys,
                                      SequenceNumber sequence, SegmentDirectory& segments) const {
  Batch batch(*this, keys, sequence, segments);
  batch.SearchMemory(*this);
  if (!batch.done()) batch.ReadAhead(*this);
  for (const SegmentTable::Entry& segment : table_.level(LevelIndex{0})) {
    if (batch.done()) break;
    batch.SearchSegment(segment);
  }
  for (uint32_t level = 1; level < kLevelCount && !batch.done(); ++level) {
    if (!table_.level(LevelIndex{level}).empty()) batch.SearchLevel(LevelIndex{level});
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
