// sstable/hashed_segment_index.h: index and extent table of a hashed segment as its reader has them.
//
// The extent table is always in memory, 8 bytes an extent. The index is
//   resident   a HashedIndex, 9 to 10 bytes a record: a lookup touches one line of memory; or
//   paged      pages of 128 buckets (some 5 KiB) that come through the block cache, for segments whose
//              index is larger than it may be: a lookup may need a read more, for the page.
// Which one is settled when the segment is opened. Pages have slots of their own beside the extents'.
#ifndef FIRN_SSTABLE_HASHED_SEGMENT_INDEX_H_
#define FIRN_SSTABLE_HASHED_SEGMENT_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/block_cache.h"
#include "sstable/hashed_index.h"
#include "sstable/hashed_index_page.h"
#include "sstable/hashed_segment_format.h"
#include "sstable/raw_block.h"
#include "sstable/segment_format.h"
#include "sstable/segment_reader.h"

namespace firn {

// Where the parts are. `cache` and `counters` may be null.
struct HashedIndexSource {
  RandomAccessFile& file;
  const SegmentFooter& footer;
  const SegmentProperties& properties;
  ByteSpan root;  // the block that the footer names, without its trailer
  BlockCache* cache = nullptr;
  SegmentCounters* counters = nullptr;
  uint64_t bytes_max = UINT64_MAX;  // a larger index is paged
};

// Immutable, thread-safe. The file, cache and counters must outlive it.
class HashedSegmentIndex {
 public:
  // Pages that a lookup of many fetched, by their number.
  class Pages {
   public:
    // Null: not among them.
    const IndexPage* Find(size_t number) const;

   private:
    friend class HashedSegmentIndex;
    absl::InlinedVector<std::pair<size_t, std::shared_ptr<const IndexPage>>, 8> pages_;  // ascending
  };

  // Errors: DataLoss, which names file and offset; I/O.
  static absl::StatusOr<std::unique_ptr<const HashedSegmentIndex>> Read(
      const HashedIndexSource& source);

  uint32_t key_size() const { return key_size_; }
  LocationFormat location() const { return location_; }
  uint64_t bucket_count() const { return bucket_count_; }
  uint64_t bucket_of(uint64_t word) const { return BucketOf(word, bucket_count_); }
  // One more than extents: the last is where they end.
  absl::Span<const uint64_t> extent_offsets() const { return extent_offsets_; }
  bool is_resident() const { return resident_ != nullptr; }
  // What the reader holds whatever the cache does.
  size_t memory_usage() const;

  void Prefetch(uint64_t word) const {
    if (is_resident()) resident_->Prefetch(word);
  }
  // Calls `visit(location)` for each entry that a key with this word may be, without a read; false,
  // and no call, if it needs one. Inside a guard of the cache's epochs().
  template <typename Visit>
  bool MatchCached(uint64_t word, Visit&& visit) const {
    if (is_resident()) [[likely]] {
      resident_->Match(word, std::forward<Visit>(visit));
      return true;
    }
    const uint64_t bucket = bucket_of(word);
    const BlockContent* const page = slots_->Look(PageOf(bucket));
    if (page == nullptr) return false;
    static_cast<const IndexPage*>(page)->Match(bucket % kBucketsPerPage, FingerprintOf(word), visit);
    return true;
  }
  // The same with a page that is read if it is not cached.
  template <typename Visit>
  absl::Status Match(uint64_t word, Visit&& visit) const {
    if (is_resident()) [[likely]] {
      resident_->Match(word, std::forward<Visit>(visit));
      return absl::OkStatus();
    }
    const uint64_t bucket = bucket_of(word);
    const absl::StatusOr<Pages> pages = Fetch({PageOf(bucket)}, CacheUse::kFill);
    if (!pages.ok()) return pages.status();
    pages->pages_.front().second->Match(bucket % kBucketsPerPage, FingerprintOf(word), visit);
    return absl::OkStatus();
  }
  // The pages that Match() of these words needs, in one submission; none if resident.
  absl::StatusOr<Pages> PagesOf(absl::Span<const uint64_t> words) const;
  // The same with a word's page among `pages`; false, and no call, if it is not.
  template <typename Visit>
  bool Match(uint64_t word, const Pages& pages, Visit&& visit) const {
    if (is_resident()) [[likely]] {
      resident_->Match(word, std::forward<Visit>(visit));
      return true;
    }
    const uint64_t bucket = bucket_of(word);
    const IndexPage* const page = pages.Find(PageOf(bucket));
    if (page == nullptr) return false;
    page->Match(bucket % kBucketsPerPage, FingerprintOf(word), visit);
    return true;
  }

  // Each entry of the buckets [begin, limit), bucket by bucket.
  absl::Status ForEach(uint64_t begin, uint64_t limit, CacheUse cache,
                       absl::FunctionRef<void(uint64_t bucket, const IndexEntry& entry)> visit) const;
  // All of it in memory, for those who go through the whole: the resident one, or one that was read
  // for the caller, past the cache.
  absl::StatusOr<std::shared_ptr<const HashedIndex>> Whole() const;

 private:
  HashedSegmentIndex(const HashedIndexSource& source, const IndexRoot& root,
                     std::vector<BlockHandle> page_handles);

  static size_t PageOf(uint64_t bucket) { return static_cast<size_t>(bucket / kBucketsPerPage); }
  uint64_t BucketsOn(size_t page) const;
  absl::StatusOr<std::shared_ptr<const HashedIndex>> ReadResident() const;
  // Of pages in ascending order, each once.
  absl::StatusOr<Pages> Fetch(absl::Span<const size_t> numbers, CacheUse cache) const;
  absl::StatusOr<std::shared_ptr<const IndexPage>> MakePage(size_t number, RawBlock block) const;

  RandomAccessFile& file_;
  const uint64_t segment_id_;
  SegmentCounters* const counters_;
  const uint32_t key_size_;
  const LocationFormat location_;
  const uint64_t bucket_count_;
  const uint64_t extent_count_;
  std::vector<uint64_t> extent_offsets_;
  std::vector<BlockHandle> page_handles_;         // empty if resident
  std::shared_ptr<const HashedIndex> resident_;   // null if paged
  std::unique_ptr<const BlockSlots> slots_;       // a page each; null if resident
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_SEGMENT_INDEX_H_
