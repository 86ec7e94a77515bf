// sstable/hashed_segment_format.h: how the hashed layout finds a key: word, bucket, location; and the
// bytes of the index's root. Page: docs/formats/segment_hashed.md.
//
// Index root (varints in their shortest form):
//   scheme 1, key size, offset bits, buckets, extents; then the bytes (without the trailer) of each
//   extent table page and of each index page: as many as extents and buckets ask for.
// Pages stand between the extents and the root without gaps: extent table first, then the index.
#ifndef FIRN_SSTABLE_HASHED_SEGMENT_FORMAT_H_
#define FIRN_SSTABLE_HASHED_SEGMENT_FORMAT_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/coding.h"
#include "base/types.h"
#include "sstable/segment_format.h"

namespace firn {

inline constexpr size_t kHashedKeySizeMin = 8;
inline constexpr size_t kHashedKeySizeMax = 64;
inline constexpr uint64_t kHashedRecordsPerBucket = 7;
inline constexpr uint64_t kBucketsPerPage = 128;
inline constexpr uint64_t kExtentsPerPage = 4096;
inline constexpr size_t kIndexEntrySize = 2 + 4;

// What the index knows of a key: the first 6 bytes, big-endian, then 16 bits of fingerprint. Needs
// kHashedKeySizeMin bytes. For keys below 16 bytes the first 8 bytes and nothing else.
inline uint64_t HashedWord(absl::string_view user_key) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(user_key.data());
  const uint64_t prefix = LoadBigEndian64(bytes);
  if (user_key.size() < 16) return prefix;
  const uint64_t tail = LoadBigEndian64(bytes + user_key.size() - 8);
  return prefix ^ (tail * 0x9e3779b97f4a7c15) >> 48;
}
inline uint16_t FingerprintOf(uint64_t word) { return static_cast<uint16_t>(word); }
// Ascends with the key. `bucket_count` is at most 2^48, so that it is below it.
inline uint64_t BucketOf(uint64_t word, uint64_t bucket_count) {
  const uint64_t place = word & ~uint64_t{0xffff};
  return static_cast<uint64_t>((static_cast<unsigned __int128>(place) * bucket_count) >> 64);
}
inline constexpr uint64_t kBucketCountMax = uint64_t{1} << 32;

// How 32 bits name a record: extent number above, offset / 8 below.
struct LocationFormat {
  uint32_t offset_bits = 9;

  static constexpr uint32_t kOffsetBitsMin = 2;   // offset 16, of the first record
  static constexpr uint32_t kOffsetBitsMax = 28;  // extents of 2 GiB

  // For extents in which records begin below `block_size`.
  static LocationFormat ForBlockSize(uint64_t block_size) {
    const auto bits = static_cast<uint32_t>(std::bit_width((block_size - 1) / 8));
    return {std::clamp(bits, kOffsetBitsMin, kOffsetBitsMax)};
  }
  uint32_t Pack(uint32_t extent, uint32_t offset) const {
    return extent << offset_bits | offset / 8;
  }
  uint32_t ExtentOf(uint32_t location) const { return location >> offset_bits; }
  uint32_t OffsetOf(uint32_t location) const {
    return (location & ((uint32_t{1} << offset_bits) - 1)) * 8;
  }
  uint64_t extents_max() const { return uint64_t{1} << (32 - offset_bits); }
  // What a merge may take in: records that are packed anew seldom take more extents than they stood
  // in, but may, by a byte or two of their numbers each.
  uint64_t merged_extents_max() const { return extents_max() - extents_max() / 64; }
};

struct IndexRoot {
  uint32_t key_size = 0;
  LocationFormat location;
  uint64_t bucket_count = 0;
  uint64_t extent_count = 0;
  std::vector<uint32_t> table_page_sizes;
  std::vector<uint32_t> index_page_sizes;

  uint64_t table_page_count() const { return (extent_count + kExtentsPerPage - 1) / kExtentsPerPage; }
  uint64_t index_page_count() const { return (bucket_count + kBucketsPerPage - 1) / kBucketsPerPage; }
};

std::string EncodeIndexRoot(const IndexRoot& root);
// DataLoss, without a file, if `bytes` are no root.
absl::StatusOr<IndexRoot> ParseIndexRoot(ByteSpan bytes);

// Appends the sizes on one extent table page to `offsets`, of which the last is where the first of
// them begins: so each extent is [offsets[i], offsets[i + 1]), its trailer included. `count` sizes
// must be there and nothing else, and the extents end at `limit` at most; else DataLoss without a
// file.
absl::Status ParseExtentTablePage(ByteSpan bytes, uint64_t count, uint64_t limit,
                                  std::vector<uint64_t>& offsets);

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_SEGMENT_FORMAT_H_
