// Any bytes as what stands around the data blocks of a segment: footer, index, filter, properties,
// block handle and trailer. The first byte chooses. A value or a Status, and a value can be used.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "sstable/filter.h"
#include "sstable/index.h"
#include "sstable/internal_key.h"
#include "sstable/segment_format.h"
#include "sstable/segment_properties.h"

namespace firn {
namespace {

void FuzzFooter(ByteSpan bytes) {
  if (bytes.size() < kSegmentFooterSize) return;
  const uint64_t file_size = bytes.size();
  std::string footer(AsText(bytes.subspan(bytes.size() - kSegmentFooterSize)));
  (void)ParseSegmentFooter(AsBytes(footer), file_size, "s").ok();
  // Again with a good checksum, magic and version, so that what is behind them is reached.
  const SegmentFooter hostile{
      .id = LoadFixed64(AsBytes(footer)),
      .file_size = file_size,
      .index = {LoadFixed64(AsBytes(footer).subspan(16)), LoadFixed64(AsBytes(footer).subspan(24))},
      .filter = {LoadFixed64(AsBytes(footer).subspan(32)),
                 LoadFixed64(AsBytes(footer).subspan(40))},
      .properties = {LoadFixed64(AsBytes(footer).subspan(48)),
                     LoadFixed64(AsBytes(footer).subspan(56))},
      .layout = static_cast<SegmentLayout>(footer[64])};
  const auto parsed = ParseSegmentFooter(AsBytes(EncodeSegmentFooter(hostile)), file_size, "s");
  if (!parsed.ok()) return;
  FIRN_CHECK(parsed->index.limit() == parsed->properties.offset);
  FIRN_CHECK(parsed->properties.limit() == file_size - kSegmentFooterSize);
}

void FuzzIndex(ByteSpan bytes) {
  if (bytes.size() < 9) return;
  const uint64_t data_size = LoadFixed32(bytes);
  const uint64_t count = bytes[4];
  const ByteSpan block = bytes.subspan(5);
  auto owned = std::make_unique<uint8_t[]>(block.size());
  std::memcpy(owned.get(), block.data(), block.size());
  const auto index =
      Index::Create(std::move(owned), block.size(),
                    {.path = "s", .offset = 0, .data_size = data_size, .data_block_count = count});
  if (!index.ok()) return;
  FIRN_CHECK(index->size() == count);
  for (size_t i = 0; i < index->size(); ++i) {
    FIRN_CHECK(index->handle(i).limit() <= data_size);
    FIRN_CHECK(index->Seek(index->separator(i)) == i);
  }
}

void FuzzFilter(ByteSpan bytes) {
  const auto filter = Filter::Create(bytes, 0, "s");
  if (filter.ok()) (void)filter->MayContain(AsText(bytes.subspan(0, bytes.size() % 40)));
}

void FuzzProperties(ByteSpan bytes) {
  const auto properties = ParseSegmentProperties(AsText(bytes), 0, "s");
  if (properties.ok()) FIRN_CHECK(EncodeSegmentProperties(*properties) == AsText(bytes));
}

void FuzzHandle(ByteSpan bytes) {
  const auto handle = ParseBlockHandle(AsText(bytes));
  if (!handle.ok()) return;
  FIRN_CHECK(handle->limit() > handle->offset);
  std::string encoded;
  AppendBlockHandle(encoded, *handle);
  FIRN_CHECK(encoded == AsText(bytes));
}

void FuzzTrailer(ByteSpan bytes) {
  if (bytes.size() < kBlockTrailerSize) return;
  (void)CheckBlock(bytes, BlockKind::kData, {1, 2}, "s").ok();
  const ByteSpan stored = bytes.subspan(8);
  std::string block(AsText(stored));
  AppendBlockTrailer(block,
                     {.kind = static_cast<BlockKind>(bytes[0]),
                      .compression = static_cast<CompressionKind>(bytes[1]),
                      .raw_size = LoadFixed32(bytes.subspan(4))},
                     stored, {1, 2});
  const auto trailer = CheckBlock(AsBytes(block), BlockKind::kData, {1, 2}, "s");
  if (trailer.ok()) FIRN_CHECK(trailer->raw_size <= kBlockSizeMax);
}

}  // namespace
}  // namespace firn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;  // NOLINT
  if (size == 0) return 0;
  const ByteSpan bytes(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      FuzzFooter(bytes);
      break;
    case 1:
      FuzzIndex(bytes);
      break;
    case 2:
      FuzzFilter(bytes);
      break;
    case 3:
      FuzzProperties(bytes);
      break;
    case 4:
      FuzzHandle(bytes);
      break;
    default:
      FuzzTrailer(bytes);
  }
  return 0;
}
