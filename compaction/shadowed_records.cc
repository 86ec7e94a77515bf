#include "compaction/shadowed_records.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "compaction/garbage_collector.h"

namespace firn {
namespace {

using Inputs = absl::Span<const std::shared_ptr<const HashedSegmentReader>>;

constexpr size_t kExtentsAtOnce = 256;
constexpr uint64_t kExtentBytesAtOnce = uint64_t{1} << 20;  // in memory; one extent at least
constexpr uint64_t kCellsBetweenChecks = 4096;

struct Candidate {
  uint32_t input = 0;
  uint32_t location = 0;
  friend auto operator<=>(const Candidate&, const Candidate&) = default;
};

// The entries of one cell of the key space, and which of them share a fingerprint.
class Cell {
 public:
  Cell() : seen_(1024), shared_(1024) {}

  void Add(uint32_t input, const IndexEntry& entry) {
    entries_.push_back({entry.fingerprint, {input, entry.location}});
    const size_t word = entry.fingerprint / 64;
    const uint64_t bit = uint64_t{1} << entry.fingerprint % 64;
    shared_[word] |= seen_[word] & bit;
    seen_[word] |= bit;
  }
  // Appends those that share theirs, and begins anew.
  void TakeCandidates(std::vector<Candidate>& candidates) {
    for (const Entry& entry : entries_) {
      if ((shared_[entry.fingerprint / 64] >> entry.fingerprint % 64 & 1) != 0) {
        candidates.push_back(entry.candidate);
      }
    }
    for (const Entry& entry : entries_) {
      seen_[entry.fingerprint / 64] = 0;
      shared_[entry.fingerprint / 64] = 0;
    }
    entries_.clear();
  }

 private:
  struct Entry {
    uint16_t fingerprint;
    Candidate candidate;
  };
  std::vector<uint64_t> seen_;  // a bit a fingerprint
  std::vector<uint64_t> shared_;
  std::vector<Entry> entries_;
};

// Reads candidates and finds the shadowed ones among them. All versions of a key come in one call.
class VersionSorter {
 public:
  VersionSorter(Inputs inputs, absl::Span<const SequenceNumber> snapshots,
                absl::FunctionRef<absl::Status(uint64_t)> pace)
      : inputs_(inputs), snapshots_(snapshots), pace_(pace) {
    result_.locations.resize(inputs.size());
  }

  // Empties `candidates`.
  absl::Status Sort(std::vector<Candidate>& candidates) {
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    keys_.clear();
    versions_.clear();
    for (size_t begin = 0; begin < candidates.size();) {
      FIRN_ASSIGN_OR_RETURN(begin, ReadSome(candidates, begin));
    }
    candidates.clear();
    FindShadowed();
    return absl::OkStatus();
  }

  ShadowedRecords TakeResult() {
    for (std::vector<uint32_t>& locations : result_.locations) {
      std::sort(locations.begin(), locations.end());
      locations.erase(std::unique(locations.begin(), locations.end()), locations.end());
    }
    return std::move(result_);
  }

 private:
  struct Version {
    uint64_t prefix;   // first 8 bytes of the key
    size_t key_begin;  // in keys_
    SequenceNumber sequence;
    EntryKind kind;
    Candidate candidate;
  };

  absl::string_view KeyOf(const Version& version) const {
    return absl::string_view(keys_).substr(version.key_begin, inputs_[0]->key_size());
  }

  // Reads candidates of one input, from `begin` on; where the next ones begin.
  absl::StatusOr<size_t> ReadSome(absl::Span<const Candidate> candidates, size_t begin) {
    const uint32_t input = candidates[begin].input;
    const HashedSegmentReader& reader = *inputs_[input];
    const LocationFormat format = reader.index().location();
    const SequenceNumber ingested_at = reader.meta().ingested_at;
    std::vector<uint32_t> extents;
    size_t limit = begin;
    uint64_t bytes = 0;
    uint64_t bytes_in_memory = 0;
    for (; limit < candidates.size() && candidates[limit].input == input; ++limit) {
      const uint32_t extent = format.ExtentOf(candidates[limit].location);
      if (!extents.empty() && extents.back() == extent) continue;
      const uint64_t stored = reader.ExtentHandle(extent).size;
      bytes_in_memory += std::max(stored, reader.properties().block_size);
      const bool is_enough =
          extents.size() == kExtentsAtOnce || bytes_in_memory > kExtentBytesAtOnce;
      if (!extents.empty() && is_enough) break;
      extents.push_back(extent);
      bytes += stored;
    }
    FIRN_ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<const Extent>> fetched,
                          reader.FetchExtents(extents, CacheUse::kProbe));
    size_t at = 0;
    for (size_t i = begin; i < limit; ++i) {
      const uint32_t location = candidates[i].location;
      if (extents[at] != format.ExtentOf(location)) ++at;
      ExtentRecord record;
      FIRN_RETURN_IF_ERROR(reader.ParseRecord(*fetched[at], location, record));
      const auto* const key = reinterpret_cast<const uint8_t*>(record.user_key.data());
      versions_.push_back({.prefix = LoadBigEndian64(key),
                           .key_begin = keys_.size(),
                           .sequence = ingested_at.value > 0 ? ingested_at : record.sequence,
                           .kind = record.kind,
                           .candidate = candidates[i]});
      keys_.append(record.user_key.data(), record.user_key.size());
    }
    FIRN_RETURN_IF_ERROR(pace_(bytes));
    return limit;
  }

  void FindShadowed() {
    std::sort(versions_.begin(), versions_.end(), [this](const Version& a, const Version& b) {
      if (a.prefix != b.prefix) return a.prefix < b.prefix;
      const int order = KeyOf(a).compare(KeyOf(b));
      if (order != 0) return order < 0;
      if (a.sequence != b.sequence) return a.sequence > b.sequence;
      if (a.kind != b.kind) return a.kind > b.kind;
      return b.candidate < a.candidate;  // the same entry twice: the one of the newer input stays
    });
    size_t last_stripe = 0;
    for (size_t i = 0; i < versions_.size(); ++i) {
      const Version& version = versions_[i];
      const size_t stripe = StripeOf(snapshots_, version.sequence);
      const bool is_same_key = i > 0 && versions_[i - 1].prefix == version.prefix &&
                               KeyOf(versions_[i - 1]) == KeyOf(version);
      if (is_same_key && stripe == last_stripe) {
        result_.locations[version.candidate.input].push_back(version.candidate.location);
      }
      last_stripe = stripe;
    }
  }

  const Inputs inputs_;
  const absl::Span<const SequenceNumber> snapshots_;
  const absl::FunctionRef<absl::Status(uint64_t)> pace_;
  std::string keys_;
  std::vector<Version> versions_;
  ShadowedRecords result_;
};

}  // namespace

absl::StatusOr<ShadowedRecords> FindShadowedRecords(
    Inputs inputs, absl::Span<const SequenceNumber> snapshots,
    absl::FunctionRef<absl::Status(uint64_t bytes)> pace, size_t candidates_at_once) {
  // As many cells as the largest index has buckets, each a little wider, so that there is no rest.
  uint64_t cell_count = 1;
  std::vector<std::shared_ptr<const HashedIndex>> indexes;
  for (const auto& input : inputs) {
    FIRN_CHECK(input->key_size() == inputs[0]->key_size());
    FIRN_ASSIGN_OR_RETURN(indexes.emplace_back(), input->index().Whole());
    cell_count = std::max(cell_count, input->index().bucket_count());
  }
  const uint64_t step = UINT64_MAX / cell_count + 1;
  Cell cell;
  std::vector<Candidate> candidates;
  VersionSorter sorter(inputs, snapshots, pace);
  uint64_t cells = 0;
  for (uint64_t begin = 0;; begin += step) {
    const uint64_t last = step - 1 <= UINT64_MAX - begin ? begin + (step - 1) : UINT64_MAX;
    for (uint32_t i = 0; i < inputs.size(); ++i) {
      const HashedIndex& index = *indexes[i];
      const uint64_t last_bucket = BucketOf(last, index.bucket_count());
      for (uint64_t bucket = BucketOf(begin, index.bucket_count()); bucket <= last_bucket;
           ++bucket) {
        index.ForEach(bucket, [&](const IndexEntry& entry) { cell.Add(i, entry); });
      }
    }
    cell.TakeCandidates(candidates);
    if (candidates.size() >= candidates_at_once) FIRN_RETURN_IF_ERROR(sorter.Sort(candidates));
    if (++cells % kCellsBetweenChecks == 0) FIRN_RETURN_IF_ERROR(pace(0));
    if (last == UINT64_MAX) break;
  }
  FIRN_RETURN_IF_ERROR(sorter.Sort(candidates));
  return sorter.TakeResult();
}

}  // namespace firn
