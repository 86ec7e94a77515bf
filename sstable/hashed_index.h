// sstable/hashed_index.h: from a key to the records that may be its versions, in one cache line.
//
// On disk: pages of counts and entries (fingerprint, location), without empty slots:
// hashed_segment_format.h and docs/formats/segment_hashed.md. In memory a bucket is a line:
//
//   offset  size  field
//        0     4  entries in this line (4 bits), further line + 1 (28 bits; 0: none)
//        4    20  fingerprints of ten entries
//       24    40  locations of ten entries
//
// With 7 entries a bucket on average one bucket in ten has a further line, so a probe touches 1.1
// lines and an entry takes 10 bytes. A bucket may have any number of further lines: versions of one
// key share a bucket, and keys that are not uniform are slow, not wrong.
#ifndef FIRN_SSTABLE_HASHED_INDEX_H_
#define FIRN_SSTABLE_HASHED_INDEX_H_

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/types.h"
#include "io/huge_pages.h"
#include "sstable/hashed_segment_format.h"

namespace firn {

struct IndexEntry {
  uint16_t fingerprint = 0;
  uint32_t location = 0;
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

struct alignas(64) IndexLine {
  static constexpr uint32_t kSlots = 10;
  static constexpr uint32_t kCountBits = 4;

  uint32_t header = 0;
  uint16_t fingerprints[kSlots] = {};
  uint32_t locations[kSlots] = {};

  uint32_t count() const { return header & ((1u << kCountBits) - 1); }
  uint32_t further() const { return header >> kCountBits; }  // its number + 1; 0: none
};
static_assert(sizeof(IndexLine) == 64, "one cache line");

namespace hashed_index_internal {

// Bit i: entry i of the line has the fingerprint. The two are tested against each other.
inline uint32_t MatchScalar(const IndexLine& line, uint16_t fingerprint) {
  uint32_t mask = 0;
  for (uint32_t i = 0; i < IndexLine::kSlots; ++i) {
    mask |= static_cast<uint32_t>(line.fingerprints[i] == fingerprint) << i;
  }
  return mask & ((1u << line.count()) - 1);
}

#if defined(__SSE2__)
inline uint32_t MatchSse2(const IndexLine& line, uint16_t fingerprint) {
  const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(fingerprint));
  const auto* const first = reinterpret_cast<const __m128i*>(line.fingerprints);      // 0 to 7
  const auto* const last = reinterpret_cast<const __m128i*>(line.fingerprints + 2);  // 2 to 9
  const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_loadu_si128(first), wanted),
                                        _mm_cmpeq_epi16(_mm_loadu_si128(last), wanted));
  const auto bits = static_cast<uint32_t>(_mm_movemask_epi8(equal));
  return ((bits & 0xff) | (bits >> 14) << 8) & ((1u << line.count()) - 1);
}
inline uint32_t Match(const IndexLine& line, uint16_t fingerprint) {
  return MatchSse2(line, fingerprint);
}
#else
inline uint32_t Match(const IndexLine& line, uint16_t fingerprint) {
  return MatchScalar(line, fingerprint);
}
#endif

}  // namespace hashed_index_internal

// Gathers the entries of a segment and scatters them into buckets: no sort. 12 bytes a record (while
// it grows beyond what was reserved, up to three times that), and 6 more while Finish() runs.
class HashedIndexBuilder {
 public:
  void Reserve(uint64_t entries) {
    words_.reserve(entries);
    locations_.reserve(entries);
  }
  void Add(uint64_t word, uint32_t location) {
    words_.push_back(word);
    locations_.push_back(location);
  }
  uint64_t size() const { return words_.size(); }

  struct Result {
    uint64_t bucket_count = 0;
    uint64_t distinct_keys = 0;  // pairs of bucket and fingerprint
  };
  // Calls `append` with each page in turn; stops at its first error. Not empty. Once.
  absl::StatusOr<Result> Finish(absl::FunctionRef<absl::Status(ByteSpan page)> append);

 private:
  std::vector<uint64_t> words_;
  std::vector<uint32_t> locations_;
};

// In memory. Immutable once all pages are in, so thread-safe.
class HashedIndex {
 public:
  HashedIndex() = default;
  // Of these the pages follow, in their order. `bucket_count` is at least 1 and was compared with
  // the size of the pages, since it is believed.
  HashedIndex(uint64_t bucket_count, uint64_t extent_count, LocationFormat location);

  // DataLoss, without a file, if `page` is not the one for the next buckets, or points outside the
  // extents.
  absl::Status AddPage(ByteSpan page);

  uint64_t bucket_count() const { return lines_.size(); }
  uint64_t loaded_buckets() const { return loaded_buckets_; }
  uint64_t entry_count() const { return entry_count_; }
  LocationFormat location() const { return location_; }
  size_t memory_usage() const {
    return (lines_.size() + further_.capacity()) * sizeof(IndexLine) + sizeof(*this);
  }

  void Prefetch(uint64_t word) const {
    __builtin_prefetch(&lines_[BucketOf(word, lines_.size())]);
  }
  // Calls `visit(location)` for each entry that a key with this word may be.
  template <typename Visit>
  void Match(uint64_t word, Visit&& visit) const {
    const uint16_t fingerprint = FingerprintOf(word);
    const IndexLine* line = &lines_[BucketOf(word, lines_.size())];
    while (true) {
      for (uint32_t mask = hashed_index_internal::Match(*line, fingerprint); mask != 0;
           mask &= mask - 1) {
        visit(line->locations[std::countr_zero(mask)]);
      }
      if (line->further() == 0) [[likely]] return;
      line = &further_[line->further() - 1];
    }
  }
  // Calls `visit(const IndexEntry&)` for each entry of a bucket, in the order of records.
  template <typename Visit>
  void ForEach(uint64_t bucket, Visit&& visit) const {
    const IndexLine* line = &lines_[bucket];
    while (true) {
      for (uint32_t i = 0; i < line->count(); ++i) {
        visit(IndexEntry{line->fingerprints[i], line->locations[i]});
      }
      if (line->further() == 0) return;
      line = &further_[line->further() - 1];
    }
  }

 private:
  void Append(uint64_t bucket, const IndexEntry* entries, uint64_t count);

  using Lines = std::vector<IndexLine, HugePageAllocator<IndexLine>>;
  Lines lines_;    // one a bucket
  Lines further_;  // for buckets of more than ten
  uint64_t loaded_buckets_ = 0;
  uint64_t entry_count_ = 0;
  uint64_t extent_count_ = 0;
  LocationFormat location_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_INDEX_H_
