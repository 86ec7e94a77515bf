// Any bytes as what a hashed segment is made of: extent, index root, extent table page, index page. The
// first byte chooses, the second is the key size. A value or a Status, and a value can be used.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "sstable/extent.h"
#include "sstable/hashed_index.h"
#include "sstable/hashed_segment_format.h"

namespace firn {
namespace {

void CheckInside(const ExtentRecord& record, ByteSpan bytes) {
  const auto* const begin = reinterpret_cast<const char*>(bytes.data());
  FIRN_CHECK(record.offset >= kExtentHeaderSize && record.limit <= bytes.size());
  FIRN_CHECK(record.user_key.data() == begin + record.offset);
  FIRN_CHECK(record.value.data() + record.value.size() == begin + record.limit);
  FIRN_CHECK(record.sequence <= kMaxSequenceNumber);
}

void FuzzExtent(ByteSpan bytes, size_t key_size) {
  auto owned = NewBlockMemory(bytes.size());  // so that a sanitizer knows its end
  if (!bytes.empty()) std::memcpy(owned.get(), bytes.data(), bytes.size());
  const auto extent = Extent::Create(std::move(owned), bytes.size());
  if (!extent.ok()) return;
  for (uint64_t offset = 0; offset <= bytes.size(); ++offset) {
    ExtentRecord record;
    if ((*extent)->ParseRecord(offset, key_size, record)) {
      CheckInside(record, (*extent)->bytes());
    }
  }
  ExtentBuilder builder;
  ExtentCursor cursor(**extent, key_size);
  while (cursor.Next()) {
    const ExtentRecord& record = cursor.record();
    CheckInside(record, (*extent)->bytes());
    builder.Add({record.user_key, record.sequence, record.kind}, record.value);
  }
  // A good extent has one encoding.
  if (cursor.status().ok()) FIRN_CHECK(builder.Finish() == (*extent)->bytes());
}

void FuzzRoot(ByteSpan bytes) {
  const auto root = ParseIndexRoot(bytes);
  if (root.ok()) FIRN_CHECK(EncodeIndexRoot(*root) == AsText(bytes));
}

void FuzzTablePage(ByteSpan bytes, uint64_t count) {
  std::vector<uint64_t> offsets = {0};
  const uint64_t limit = bytes.size() * 100;
  if (!ParseExtentTablePage(bytes, count, limit, offsets).ok()) return;
  FIRN_CHECK(offsets.size() == count + 1 && offsets.back() <= limit);
  FIRN_CHECK(std::is_sorted(offsets.begin(), offsets.end()));
}

void FuzzIndexPage(ByteSpan bytes) {
  if (bytes.size() < 2) return;
  const LocationFormat location{2 + bytes[0] % 27u};
  const uint64_t bucket_count = 1 + bytes[1] % 200;
  const uint64_t extent_count = std::min<uint64_t>(100, location.extents_max());
  HashedIndex index(bucket_count, extent_count, location);
  if (!index.AddPage(bytes.subspan(2)).ok()) return;
  FIRN_CHECK(index.loaded_buckets() == std::min(bucket_count, kBucketsPerPage));
  uint64_t entries = 0;
  for (uint64_t bucket = 0; bucket < bucket_count; ++bucket) {
    index.ForEach(bucket, [&](const IndexEntry& entry) {
      ++entries;
      FIRN_CHECK(location.ExtentOf(entry.location) < extent_count);
      FIRN_CHECK(location.OffsetOf(entry.location) >= kExtentHeaderSize);
    });
  }
  FIRN_CHECK(entries == index.entry_count());
  uint64_t matches = 0;
  index.Match(LoadFixed16(bytes), [&matches](uint32_t) { ++matches; });
  FIRN_CHECK(matches <= entries);
}

}  // namespace
}  // namespace firn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;  // NOLINT
  if (size < 2) return 0;
  const ByteSpan bytes(data + 2, size - 2);
  switch (data[0] % 4) {
    case 0:
      FuzzExtent(bytes, kHashedKeySizeMin + data[1] % 57);
      break;
    case 1:
      FuzzRoot(bytes);
      break;
    case 2:
      FuzzTablePage(bytes, data[1]);
      break;
    default:
      FuzzIndexPage(bytes);
  }
  return 0;
}
