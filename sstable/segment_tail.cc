#include "sstable/segment_tail.h"

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

absl::StatusOr<SegmentFooter> ReadFooter(RandomAccessFile& file) {
  if (file.size() < kSegmentFooterSize) {
    return NotASegment(file.path(), absl::StrCat("it has ", file.size(), " bytes, a footer alone ",
                                                 kSegmentFooterSize));
  }
  std::array<uint8_t, kSegmentFooterSize> bytes;
  FIRN_RETURN_IF_ERROR(file.Read(file.size() - kSegmentFooterSize, absl::MakeSpan(bytes)));
  return ParseSegmentFooter(bytes, file.size(), file.path());
}

// One of the blocks of the tail on its way into memory.
struct TailBlock {
  BlockHandle handle;
  BlockKind kind;
  std::unique_ptr<uint8_t[]> bytes;  // stored bytes and trailer; null if there is no such block
};

TailBlock Allocate(const BlockHandle& handle, BlockKind kind) {
  TailBlock block{.handle = handle, .kind = kind, .bytes = nullptr};
  if (handle.size > 0) {  // and at most the file's size: the footer was checked
    block.bytes = std::make_unique_for_overwrite<uint8_t[]>(handle.size + kBlockTrailerSize);
  }
  return block;
}

absl::Status Check(const TailBlock& block, uint64_t segment_id, absl::string_view path) {
  const ByteSpan bytes(block.bytes.get(), block.handle.size + kBlockTrailerSize);
  FIRN_ASSIGN_OR_RETURN(const BlockTrailer trailer,
                        CheckBlock(bytes, block.kind, {segment_id, block.handle.offset}, path));
  if (trailer.compression != CompressionKind::kNone) {
    return CorruptionAt(path, block.handle.offset + block.handle.size + 1,
                        absl::StrCat("compression of the ", BlockKindName(block.kind), " block"),
                        {.expected = static_cast<uint8_t>(CompressionKind::kNone),
                         .actual = static_cast<uint8_t>(trailer.compression)});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentTail> ReadSegmentTail(RandomAccessFile& file) {
  FIRN_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadFooter(file));
  TailBlock properties_block = Allocate(footer.properties, BlockKind::kProperties);
  TailBlock index_block = Allocate(footer.index, BlockKind::kIndex);
  TailBlock filter_block = Allocate(footer.filter, BlockKind::kFilter);
  std::vector<ReadRequest> requests;
  for (const TailBlock* block : {&filter_block, &index_block, &properties_block}) {
    if (block->bytes == nullptr) continue;
    requests.push_back(
        {.offset = block->handle.offset,
         .target = absl::MakeSpan(block->bytes.get(), block->handle.size + kBlockTrailerSize),
         .status = absl::OkStatus()});
  }
  FIRN_RETURN_IF_ERROR(file.ReadMany(absl::MakeSpan(requests)));
  for (const TailBlock* block : {&filter_block, &index_block, &properties_block}) {
    if (block->bytes == nullptr) continue;
    FIRN_RETURN_IF_ERROR(Check(*block, footer.id, file.path()));
  }

  FIRN_ASSIGN_OR_RETURN(
      SegmentProperties properties,
      ParseSegmentProperties(AsText(ByteSpan(properties_block.bytes.get(), footer.properties.size)),
                             footer.properties.offset, file.path()));
  const uint64_t data_size = footer.filter.size > 0 ? footer.filter.offset : footer.index.offset;
  if (properties.data_size != data_size) {
    return CorruptionAt(file.path(), footer.properties.offset, "size of the data in the properties",
                        {.expected = data_size, .actual = properties.data_size});
  }
  FIRN_ASSIGN_OR_RETURN(Index index,
                        Index::Create(std::move(index_block.bytes), footer.index.size,
                                      {.path = file.path(),
                                       .offset = footer.index.offset,
                                       .data_size = data_size,
                                       .data_block_count = properties.data_block_count}));
  Filter filter;
  if (filter_block.bytes != nullptr) {
    FIRN_ASSIGN_OR_RETURN(filter,
                          Filter::Create(ByteSpan(filter_block.bytes.get(), footer.filter.size),
                                         footer.filter.offset, file.path()));
  }
  return SegmentTail{.footer = footer,
                     .properties = std::move(properties),
                     .index = std::move(index),
                     .filter = std::move(filter)};
}

SegmentMeta MetaOf(const SegmentTail& tail) {
  return SegmentMeta{.number = tail.properties.number,
                     .id = tail.footer.id,
                     .size = tail.footer.file_size,
                     .entry_count = tail.properties.entry_count,
                     .smallest = tail.properties.smallest,
                     .largest = tail.properties.largest,
                     .sequence_min = tail.properties.sequence_min,
                     .sequence_max = tail.properties.sequence_max};
}

}  // namespace firn
