#include "sstable/segment_format.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr size_t kTrailerChecksumOffset = 8;
constexpr size_t kLayoutOffset = 64;
constexpr size_t kFooterChecksumOffset = 68;
constexpr size_t kVersionOffset = 72;
constexpr size_t kMagicOffset = 76;

uint32_t ChecksumSeed(const BlockAddress& address) {
  uint8_t bytes[16];
  StoreFixed64(bytes, address.segment_id);
  StoreFixed64(bytes + 8, address.offset);
  return Crc32c(ByteSpan(bytes, sizeof(bytes)));
}

uint32_t BlockChecksum(ByteSpan stored, ByteSpan trailer_head, const BlockAddress& address) {
  return Crc32c(trailer_head, Crc32c(stored, ChecksumSeed(address)));
}

uint32_t FooterChecksum(ByteSpan footer, const BlockAddress& address) {
  const uint32_t head = Crc32c(footer.subspan(0, kFooterChecksumOffset), ChecksumSeed(address));
  return Crc32c(footer.subspan(kVersionOffset), head);
}

void PutHandleFixed(std::string& target, const BlockHandle& handle) {
  PutFixed64(target, handle.offset);
  PutFixed64(target, handle.size);
}

BlockHandle LoadHandleFixed(ByteSpan bytes) {
  return {.offset = LoadFixed64(bytes), .size = LoadFixed64(bytes.subspan(8))};
}

absl::Status UnsupportedAt(absl::string_view path, uint64_t offset, absl::string_view what) {
  return MakeError(absl::StatusCode::kUnimplemented, ErrorReason::kUnsupported,
                   absl::StrFormat("%s: offset %d: %s", path, offset, what));
}

// The choices that a later firn may widen; the checksum has been seen to be right.
absl::StatusOr<SegmentLayout> ParseChoices(ByteSpan footer, uint64_t footer_offset,
                                           absl::string_view path) {
  const auto layout = static_cast<SegmentLayout>(footer[kLayoutOffset]);
  const uint64_t offset = footer_offset + kLayoutOffset;
  if (layout != SegmentLayout::kOrdered && layout != SegmentLayout::kHashed &&
      layout != SegmentLayout::kSequence) {
    return UnsupportedAt(path, offset,
                         absl::StrFormat("segment layout %d (%s): this firn reads 1 (ordered), "
                                         "2 (hashed) and 3 (sequence)",
                                         footer[kLayoutOffset], SegmentLayoutName(layout)));
  }
  if (footer[kLayoutOffset + 1] != static_cast<uint8_t>(ChecksumKind::kCrc32c)) {
    return UnsupportedAt(
        path, offset + 1,
        absl::StrFormat("checksum kind %d: this firn reads 1 (CRC32C)", footer[kLayoutOffset + 1]));
  }
  if (footer[kLayoutOffset + 2] != kBlockTrailerSize) {
    return UnsupportedAt(path, offset + 2,
                         absl::StrFormat("block trailers of %d bytes: this firn reads %d",
                                         footer[kLayoutOffset + 2], kBlockTrailerSize));
  }
  if (footer[kLayoutOffset + 3] != 0) {
    return CorruptionAt(path, offset + 3, "reserved byte of the footer",
                        {.expected = 0, .actual = footer[kLayoutOffset + 3]});
  }
  return layout;
}

// From the back: each block ends where the next begins, so nothing can wrap around.
absl::Status CheckHandles(const SegmentFooter& footer, uint64_t footer_offset,
                          absl::string_view path) {
  struct Part {
    absl::string_view what;
    const BlockHandle& handle;
    size_t field_offset;
  };
  uint64_t limit = footer_offset;
  for (const Part& part :
       {Part{"properties block", footer.properties, 48}, Part{"index block", footer.index, 16},
        Part{"filter block", footer.filter, 32}}) {
    const uint64_t at = footer_offset + part.field_offset;
    if (part.handle == BlockHandle{} && part.field_offset == 32) break;
    if (part.handle.size == 0 || part.handle.size > kBlockSizeMax ||
        part.handle.size > limit - std::min<uint64_t>(limit, kBlockTrailerSize)) {
      return CorruptionAt(path, at + 8, absl::StrCat("size of the ", part.what),
                          {.expected = limit, .actual = part.handle.size});
    }
    const uint64_t offset = limit - kBlockTrailerSize - part.handle.size;
    if (part.handle.offset != offset) {
      return CorruptionAt(path, at, absl::StrCat("offset of the ", part.what),
                          {.expected = offset, .actual = part.handle.offset});
    }
    limit = offset;
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view SegmentLayoutName(SegmentLayout layout) {
  switch (layout) {
    case SegmentLayout::kOrdered:
      return "ordered";
    case SegmentLayout::kHashed:
      return "hashed";
    case SegmentLayout::kSequence:
      return "sequence";
  }
  return "unknown";
}

absl::string_view BlockKindName(BlockKind kind) {
  switch (kind) {
    case BlockKind::kData:
      return "data";
    case BlockKind::kIndex:
      return "index";
    case BlockKind::kFilter:
      return "filter";
    case BlockKind::kProperties:
      return "properties";
    case BlockKind::kExtentTable:
      return "extent table";
    case BlockKind::kIndexPage:
      return "index page";
  }
  return "unknown";
}

std::string SegmentFileName(FileNumber number) { return absl::StrFormat("%06d.seg", number.value); }

void AppendBlockHandle(std::string& target, const BlockHandle& handle) {
  PutVarint64(target, handle.offset);
  PutVarint64(target, handle.size);
}

absl::StatusOr<BlockHandle> ParseBlockHandle(absl::string_view bytes) {
  ByteReader reader(bytes);
  const std::optional<uint64_t> offset = reader.ReadVarint64();
  if (!offset.has_value()) return absl::DataLossError("offset of a block handle is cut off");
  const std::optional<uint64_t> size = reader.ReadVarint64();
  if (!size.has_value()) return absl::DataLossError("size of a block handle is cut off");
  if (!reader.empty()) return absl::DataLossError("bytes follow a block handle");
  if (*size > kBlockSizeMax || *offset > UINT64_MAX - kBlockSizeMax - kBlockTrailerSize) {
    return absl::DataLossError("block handle out of range");
  }
  return BlockHandle{.offset = *offset, .size = *size};
}

void AppendBlockTrailer(std::string& target, const BlockTrailer& trailer, ByteSpan stored,
                        const BlockAddress& address) {
  const size_t begin = target.size();
  target.push_back(static_cast<char>(trailer.kind));
  target.push_back(static_cast<char>(trailer.compression));
  PutFixed16(target, 0);
  PutFixed32(target, trailer.raw_size);
  const ByteSpan head = AsBytes(target).subspan(begin);
  PutFixed32(target, BlockChecksum(stored, head, address));
}

absl::StatusOr<BlockTrailer> CheckBlock(ByteSpan block, BlockKind expected,
                                        const BlockAddress& address, absl::string_view path) {
  FIRN_CHECK(block.size() >= kBlockTrailerSize);
  const size_t size = block.size() - kBlockTrailerSize;
  const ByteSpan trailer = block.subspan(size);
  const uint64_t at = address.offset + size;
  const uint32_t stored_checksum = LoadFixed32(trailer.subspan(kTrailerChecksumOffset));
  const uint32_t checksum =
      BlockChecksum(block.subspan(0, size), trailer.subspan(0, kTrailerChecksumOffset), address);
  if (checksum != stored_checksum) {
    return CorruptionAt(path, address.offset,
                        absl::StrCat("checksum of a ", BlockKindName(expected), " block"),
                        {.expected = stored_checksum, .actual = checksum});
  }
  if (trailer[0] != static_cast<uint8_t>(expected)) {
    return CorruptionAt(path, at, absl::StrCat("kind of a ", BlockKindName(expected), " block"),
                        {.expected = static_cast<uint8_t>(expected), .actual = trailer[0]});
  }
  const auto compression = static_cast<CompressionKind>(trailer[1]);
  if (compression < CompressionKind::kNone || compression > CompressionKind::kZstd) {
    return CorruptionAt(
        path, at + 1, "compression of a block",
        {.expected = static_cast<uint8_t>(CompressionKind::kLz4), .actual = trailer[1]});
  }
  if (LoadFixed16(trailer.subspan(2)) != 0) {
    return CorruptionAt(path, at + 2, "reserved bytes of a block trailer",
                        {.expected = 0, .actual = LoadFixed16(trailer.subspan(2))});
  }
  const uint32_t raw_size = LoadFixed32(trailer.subspan(4));
  if (raw_size > kBlockSizeMax || (compression == CompressionKind::kNone && raw_size != size)) {
    return CorruptionAt(path, at + 4, "raw size of a block",
                        {.expected = size, .actual = raw_size});
  }
  return BlockTrailer{.kind = expected, .compression = compression, .raw_size = raw_size};
}

std::string EncodeSegmentFooter(const SegmentFooter& footer) {
  std::string bytes;
  PutFixed64(bytes, footer.id);
  PutFixed64(bytes, footer.file_size);
  PutHandleFixed(bytes, footer.index);
  PutHandleFixed(bytes, footer.filter);
  PutHandleFixed(bytes, footer.properties);
  bytes.push_back(static_cast<char>(footer.layout));
  bytes.push_back(static_cast<char>(ChecksumKind::kCrc32c));
  bytes.push_back(static_cast<char>(kBlockTrailerSize));
  bytes.push_back(0);
  PutFixed32(bytes, 0);  // the checksum, below
  PutFixed32(bytes, kSegmentFormatVersion);
  bytes.append(kSegmentMagic.data(), kSegmentMagic.size());
  FIRN_CHECK(bytes.size() == kSegmentFooterSize && footer.file_size >= kSegmentFooterSize);
  const uint32_t checksum =
      FooterChecksum(AsBytes(bytes), {footer.id, footer.file_size - kSegmentFooterSize});
  StoreFixed32(reinterpret_cast<uint8_t*>(bytes.data()) + kFooterChecksumOffset, checksum);
  return bytes;
}

absl::StatusOr<SegmentFooter> ParseSegmentFooter(ByteSpan bytes, uint64_t file_size,
                                                 absl::string_view path) {
  FIRN_CHECK(bytes.size() == kSegmentFooterSize && file_size >= kSegmentFooterSize);
  const uint64_t footer_offset = file_size - kSegmentFooterSize;
  if (AsText(bytes.subspan(kMagicOffset)) != kSegmentMagic) {
    return NotASegment(path, "the file does not end with \"firn.seg\"");
  }
  const uint32_t version = LoadFixed32(bytes.subspan(kVersionOffset));
  if (version != kSegmentFormatVersion) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
        absl::StrFormat("%s: offset %d: segment format version %d, this firn reads %d", path,
                        footer_offset + kVersionOffset, version, kSegmentFormatVersion));
  }
  SegmentFooter footer;
  footer.id = LoadFixed64(bytes);
  footer.file_size = LoadFixed64(bytes.subspan(8));
  const uint32_t stored_checksum = LoadFixed32(bytes.subspan(kFooterChecksumOffset));
  const uint32_t checksum = FooterChecksum(bytes, {footer.id, footer_offset});
  if (checksum != stored_checksum) {
    return CorruptionAt(path, footer_offset, "checksum of the footer",
                        {.expected = stored_checksum, .actual = checksum});
  }
  if (footer.file_size != file_size) {
    return CorruptionAt(path, footer_offset + 8, "size of the file",
                        {.expected = footer.file_size, .actual = file_size});
  }
  FIRN_ASSIGN_OR_RETURN(footer.layout, ParseChoices(bytes, footer_offset, path));
  footer.index = LoadHandleFixed(bytes.subspan(16));
  footer.filter = LoadHandleFixed(bytes.subspan(32));
  footer.properties = LoadHandleFixed(bytes.subspan(48));
  FIRN_RETURN_IF_ERROR(CheckHandles(footer, footer_offset, path));
  return footer;
}

absl::Status NotASegment(absl::string_view path, absl::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                   absl::StrCat(path, ": not a firn segment: ", why));
}

}  // namespace firn
