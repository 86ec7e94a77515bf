#include "sstable/raw_block.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/compression.h"
#include "base/status.h"

namespace firn {
namespace {

// Adjacent blocks are read as one piece up to this size: fewer requests, still short buffers.
constexpr size_t kReadPieceMax = size_t{128} << 10;

// A run of adjacent blocks, read by one request into one buffer.
struct Piece {
  size_t begin;  // in the handles
  size_t limit;
  BlockMemory bytes;
};

}  // namespace

absl::StatusOr<RawBlock> DecodeRawBlock(ByteSpan stored, BlockKind kind,
                                        const BlockAddress& address, absl::string_view path,
                                        BlockMemory owned) {
  FIRN_ASSIGN_OR_RETURN(const BlockTrailer trailer, CheckBlock(stored, kind, address, path));
  const ByteSpan bytes = stored.subspan(0, stored.size() - kBlockTrailerSize);
  if (trailer.compression == CompressionKind::kNone && owned != nullptr) {
    return RawBlock{std::move(owned), trailer.raw_size};  // the trailer stays behind it, unused
  }
  RawBlock block{.bytes = nullptr, .size = trailer.raw_size};
  absl::Status status = CheckPlausibleSize(trailer.compression, bytes.size(), trailer.raw_size);
  if (status.ok()) {
    block.bytes = NewBlockMemory(block.size);
    status = UncompressInto(trailer.compression, bytes,
                            absl::MakeSpan(block.bytes.get(), block.size));
  }
  if (!status.ok()) {
    return CorruptionAt(path, address.offset,
                        absl::StrCat(BlockKindName(kind), " block: ", status.message()));
  }
  return block;
}

uint64_t ReadRawBlocks(RandomAccessFile& file, uint64_t segment_id, BlockKind kind,
                       absl::Span<const BlockHandle> handles,
                       absl::FunctionRef<void(size_t, absl::StatusOr<RawBlock>)> visit) {
  std::vector<Piece> pieces;
  std::vector<ReadRequest> requests;
  uint64_t bytes_read = 0;
  for (size_t begin = 0; begin < handles.size();) {
    const uint64_t offset = handles[begin].offset;
    size_t limit = begin + 1;
    while (limit < handles.size() && handles[limit].offset == handles[limit - 1].limit() &&
           handles[limit].limit() - offset <= kReadPieceMax) {
      ++limit;
    }
    const auto size = static_cast<size_t>(handles[limit - 1].limit() - offset);
    pieces.push_back({begin, limit, NewBlockMemory(size)});
    requests.push_back({.offset = offset,
                        .target = absl::MakeSpan(pieces.back().bytes.get(), size),
                        .status = absl::OkStatus()});
    bytes_read += size;
    begin = limit;
  }
  if (requests.size() == 1) {
    requests[0].status = file.Read(requests[0].offset, requests[0].target);
  } else {
    // The first error, which stands in its request too.
    file.ReadMany(absl::MakeSpan(requests)).IgnoreError();
  }

  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    const ByteSpan bytes = requests[i].target;
    const bool alone = piece.limit - piece.begin == 1;
    for (size_t j = piece.begin; j < piece.limit; ++j) {
      if (!requests[i].status.ok()) {
        visit(j, requests[i].status);
        continue;
      }
      const BlockHandle& handle = handles[j];
      visit(j, DecodeRawBlock(
                   bytes.subspan(handle.offset - requests[i].offset,
                                 handle.size + kBlockTrailerSize),
                   kind, {segment_id, handle.offset}, file.path(),
                   alone ? std::move(piece.bytes) : nullptr));
    }
  }
  return bytes_read;
}

}  // namespace firn
