#include "sstable/segment_frame.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

// One of the blocks of the frame on its way into memory.
struct FrameBlock {
  BlockHandle handle;
  BlockKind kind;
  std::unique_ptr<uint8_t[]> bytes;  // stored bytes and trailer; null if there is no such block
};

FrameBlock Allocate(const BlockHandle& handle, BlockKind kind) {
  FrameBlock block{.handle = handle, .kind = kind, .bytes = nullptr};
  if (handle.size > 0) {  // and at most the file's size: the footer was checked
    block.bytes = std::make_unique_for_overwrite<uint8_t[]>(handle.size + kBlockTrailerSize);
  }
  return block;
}

absl::Status Check(const FrameBlock& block, uint64_t segment_id, absl::string_view path) {
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

absl::StatusOr<SegmentFooter> ReadSegmentFooter(RandomAccessFile& file) {
  if (file.size() < kSegmentFooterSize) {
    return NotASegment(file.path(), absl::StrCat("it has ", file.size(), " bytes, a footer alone ",
                                                 kSegmentFooterSize));
  }
  std::array<uint8_t, kSegmentFooterSize> bytes;
  FIRN_RETURN_IF_ERROR(file.Read(file.size() - kSegmentFooterSize, absl::MakeSpan(bytes)));
  return ParseSegmentFooter(bytes, file.size(), file.path());
}

absl::StatusOr<SegmentFrame> ReadSegmentFrame(RandomAccessFile& file, const SegmentFooter& footer) {
  FrameBlock properties_block = Allocate(footer.properties, BlockKind::kProperties);
  FrameBlock index_block = Allocate(footer.index, BlockKind::kIndex);
  FrameBlock filter_block = Allocate(footer.filter, BlockKind::kFilter);
  std::vector<ReadRequest> requests;
  for (const FrameBlock* block : {&filter_block, &index_block, &properties_block}) {
    if (block->bytes == nullptr) continue;
    requests.push_back(
        {.offset = block->handle.offset,
         .target = absl::MakeSpan(block->bytes.get(), block->handle.size + kBlockTrailerSize),
         .status = absl::OkStatus()});
  }
  FIRN_RETURN_IF_ERROR(file.ReadMany(absl::MakeSpan(requests)));
  for (const FrameBlock* block : {&filter_block, &index_block, &properties_block}) {
    if (block->bytes == nullptr) continue;
    FIRN_RETURN_IF_ERROR(Check(*block, footer.id, file.path()));
  }

  FIRN_ASSIGN_OR_RETURN(
      SegmentProperties properties,
      ParseSegmentProperties(AsText(ByteSpan(properties_block.bytes.get(), footer.properties.size)),
                             footer.properties.offset, file.path()));
  SegmentFrame frame{.footer = footer,
                     .properties = std::move(properties),
                     .index = std::move(index_block.bytes),
                     .filter = std::move(filter_block.bytes)};
  // The hashed layout has pages between its data and what the footer names, and checks them itself.
  const bool pages_follow = footer.layout == SegmentLayout::kHashed;
  if (pages_follow ? frame.properties.data_size > frame.data_size()
                   : frame.properties.data_size != frame.data_size()) {
    return CorruptionAt(file.path(), footer.properties.offset, "size of the data in the properties",
                        {.expected = frame.data_size(), .actual = frame.properties.data_size});
  }
  return frame;
}

SegmentMeta MetaOf(const SegmentFooter& footer, const SegmentProperties& properties) {
  return SegmentMeta{.number = properties.number,
                     .id = footer.id,
                     .size = footer.file_size,
                     .entry_count = properties.entry_count,
                     .smallest = properties.smallest,
                     .largest = properties.largest,
                     .sequence_min = properties.sequence_min,
                     .sequence_max = properties.sequence_max,
                     .data_block_count = properties.data_block_count,
                     .tombstone_count = properties.tombstone_count,
                     .raw_size = properties.raw_key_size + properties.raw_value_size};
}

}  // namespace firn
