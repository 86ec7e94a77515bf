#include "sstable/hashed_segment_format.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr uint64_t kScheme = 1;

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption, what);
}

bool ReadSizes(ByteReader& reader, uint64_t count, std::vector<uint32_t>& sizes) {
  if (count > reader.remaining()) return false;  // before anything is allocated
  sizes.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const std::optional<uint32_t> size = reader.ReadVarint32();
    if (!size.has_value() || *size == 0 || *size > kBlockSizeMax) return false;
    sizes.push_back(*size);
  }
  return true;
}

}  // namespace

std::string EncodeIndexRoot(const IndexRoot& root) {
  FIRN_CHECK(root.table_page_sizes.size() == root.table_page_count());
  FIRN_CHECK(root.index_page_sizes.size() == root.index_page_count());
  std::string bytes;
  PutVarint64(bytes, kScheme);
  PutVarint32(bytes, root.key_size);
  PutVarint32(bytes, root.location.offset_bits);
  PutVarint64(bytes, root.bucket_count);
  PutVarint64(bytes, root.extent_count);
  for (const uint32_t size : root.table_page_sizes) PutVarint32(bytes, size);
  for (const uint32_t size : root.index_page_sizes) PutVarint32(bytes, size);
  return bytes;
}

absl::StatusOr<IndexRoot> ParseIndexRoot(ByteSpan bytes) {
  ByteReader reader(bytes);
  const std::optional<uint64_t> scheme = reader.ReadVarint64();
  if (scheme != kScheme) return Damaged("index root: unknown scheme");
  const std::optional<uint32_t> key_size = reader.ReadVarint32();
  const std::optional<uint32_t> offset_bits = reader.ReadVarint32();
  const std::optional<uint64_t> bucket_count = reader.ReadVarint64();
  const std::optional<uint64_t> extent_count = reader.ReadVarint64();
  if (!key_size || !offset_bits || !bucket_count || !extent_count) {
    return Damaged("index root: cut off");
  }
  if (*key_size < kHashedKeySizeMin || *key_size > kHashedKeySizeMax) {
    return Damaged(absl::StrCat("index root: key size ", *key_size));
  }
  if (*offset_bits < LocationFormat::kOffsetBitsMin ||
      *offset_bits > LocationFormat::kOffsetBitsMax) {
    return Damaged(absl::StrCat("index root: ", *offset_bits, " offset bits"));
  }
  IndexRoot root{.key_size = *key_size,
                 .location = {*offset_bits},
                 .bucket_count = *bucket_count,
                 .extent_count = *extent_count};
  if (root.bucket_count == 0 || root.bucket_count > kBucketCountMax) {
    return Damaged(absl::StrCat("index root: ", root.bucket_count, " buckets"));
  }
  if (root.extent_count == 0 || root.extent_count > root.location.extents_max()) {
    return Damaged(absl::StrCat("index root: ", root.extent_count, " extents"));
  }
  if (!ReadSizes(reader, root.table_page_count(), root.table_page_sizes) ||
      !ReadSizes(reader, root.index_page_count(), root.index_page_sizes)) {
    return Damaged("index root: page sizes");
  }
  if (!reader.empty()) return Damaged("index root: bytes follow it");
  return root;
}

absl::Status ParseExtentTablePage(ByteSpan bytes, uint64_t count, uint64_t limit,
                                  std::vector<uint64_t>& offsets) {
  FIRN_CHECK(!offsets.empty());
  ByteReader reader(bytes);
  for (uint64_t i = 0; i < count; ++i) {
    const std::optional<uint32_t> size = reader.ReadVarint32();
    const uint64_t begin = offsets.back();
    if (!size.has_value() || *size == 0 || *size > kBlockSizeMax) {
      return Damaged(absl::StrCat("extent table: size of extent ", offsets.size() - 1));
    }
    if (begin > limit || *size + kBlockTrailerSize > limit - begin) {
      return Damaged(absl::StrCat("extent table: extent ", offsets.size() - 1,
                                  " reaches beyond the data"));
    }
    offsets.push_back(begin + *size + kBlockTrailerSize);
  }
  if (!reader.empty()) return Damaged("extent table: bytes follow it");
  return absl::OkStatus();
}

}  // namespace firn
