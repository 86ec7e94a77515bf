#include "sstable/hashed_index.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "sstable/hashed_index_page.h"

namespace firn {
namespace {

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("index page: ", what));
}

IndexEntry LoadEntry(const uint8_t* bytes) {
  return {.fingerprint = LoadFixed16(bytes), .location = LoadFixed32(bytes + 2)};
}

// How many different fingerprints `count` entries have.
uint64_t CountDistinct(const uint8_t* entries, uint64_t count) {
  constexpr uint64_t kSmall = 32;
  if (count > kSmall) {
    std::vector<uint16_t> fingerprints(count);
    for (uint64_t i = 0; i < count; ++i) fingerprints[i] = LoadFixed16(entries + i * kIndexEntrySize);
    std::sort(fingerprints.begin(), fingerprints.end());
    return static_cast<uint64_t>(std::unique(fingerprints.begin(), fingerprints.end()) -
                                 fingerprints.begin());
  }
  uint16_t fingerprints[kSmall];
  uint64_t distinct = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint16_t fingerprint = LoadFixed16(entries + i * kIndexEntrySize);
    if (std::find(fingerprints, fingerprints + distinct, fingerprint) == fingerprints + distinct) {
      fingerprints[distinct++] = fingerprint;
    }
  }
  return distinct;
}

}  // namespace

absl::StatusOr<HashedIndexBuilder::Result> HashedIndexBuilder::Finish(
    absl::FunctionRef<absl::Status(ByteSpan page)> append) {
  FIRN_CHECK(!words_.empty());
  Result result;
  result.bucket_count = (size() + kHashedRecordsPerBucket - 1) / kHashedRecordsPerBucket;
  FIRN_CHECK(result.bucket_count <= kBucketCountMax);
  // begins[b]: where bucket b begins, then, when the entries have been placed, where it ends.
  std::vector<uint32_t> begins(result.bucket_count, 0);
  for (const uint64_t word : words_) ++begins[BucketOf(word, result.bucket_count)];
  uint32_t placed = 0;  // locations have 32 bits, so there are not more entries
  for (uint32_t& begin : begins) {
    const uint32_t count = begin;
    begin = placed;
    placed += count;
  }
  const auto entries = std::make_unique_for_overwrite<uint8_t[]>(size() * kIndexEntrySize);
  for (size_t i = 0; i < words_.size(); ++i) {
    const uint32_t place = begins[BucketOf(words_[i], result.bucket_count)]++;
    uint8_t* const target = entries.get() + uint64_t{place} * kIndexEntrySize;
    StoreFixed16(target, FingerprintOf(words_[i]));
    StoreFixed32(target + 2, locations_[i]);
  }
  std::string page;
  uint64_t begin = 0;
  for (uint64_t bucket = 0; bucket < result.bucket_count; bucket += kBucketsPerPage) {
    const uint64_t bucket_limit = std::min(bucket + kBucketsPerPage, result.bucket_count);
    const uint64_t page_begin = begin;
    page.clear();
    for (uint64_t b = bucket; b < bucket_limit; ++b) {
      const uint64_t count = begins[b] - begin;
      PutVarint32(page, static_cast<uint32_t>(count));
      result.distinct_keys += CountDistinct(entries.get() + begin * kIndexEntrySize, count);
      begin = begins[b];
    }
    PutBytes(page, ByteSpan(entries.get() + page_begin * kIndexEntrySize,
                            (begin - page_begin) * kIndexEntrySize));
    FIRN_RETURN_IF_ERROR(append(AsBytes(page)));
  }
  return result;
}

HashedIndex::HashedIndex(uint64_t bucket_count, uint64_t extent_count, LocationFormat location)
    : lines_(bucket_count), extent_count_(extent_count), location_(location) {}

void HashedIndex::Append(uint64_t bucket, const IndexEntry* entries, uint64_t count) {
  IndexLine* line = &lines_[bucket];
  for (uint64_t i = 0; i < count; ++i) {
    if (line->count() == IndexLine::kSlots) {
      const size_t previous = line == &lines_[bucket] ? SIZE_MAX : further_.size() - 1;
      further_.emplace_back();
      IndexLine& before = previous == SIZE_MAX ? lines_[bucket] : further_[previous];
      before.header |= static_cast<uint32_t>(further_.size()) << IndexLine::kCountBits;
      line = &further_.back();
    }
    const uint32_t slot = line->count();
    line->fingerprints[slot] = entries[i].fingerprint;
    line->locations[slot] = entries[i].location;
    ++line->header;
  }
}

absl::Status HashedIndex::AddPage(ByteSpan page) {
  const uint64_t bucket_limit = std::min(loaded_buckets_ + kBucketsPerPage, bucket_count());
  if (loaded_buckets_ == bucket_count()) return Damaged("one too many");
  FIRN_ASSIGN_OR_RETURN(const IndexPageSizes sizes,
                        ParseIndexPageSizes(page, bucket_limit - loaded_buckets_));
  // A line number has 28 bits.
  if (further_.size() + sizes.entry_count / IndexLine::kSlots >= uint64_t{1} << 28) {
    return Damaged("too many entries in few buckets");
  }
  const uint8_t* next = page.data() + sizes.entries_offset;
  ByteReader counts(page);
  std::vector<IndexEntry> entries;  // of a bucket
  for (; loaded_buckets_ < bucket_limit; ++loaded_buckets_) {
    entries.resize(*counts.ReadVarint32());
    for (IndexEntry& entry : entries) {
      entry = LoadEntry(next);
      next += kIndexEntrySize;
      FIRN_RETURN_IF_ERROR(CheckLocation(location_, extent_count_, entry.location));
    }
    Append(loaded_buckets_, entries.data(), entries.size());
  }
  entry_count_ += sizes.entry_count;
  if (loaded_buckets_ == bucket_count()) further_.shrink_to_fit();
  return absl::OkStatus();
}

}  // namespace firn
