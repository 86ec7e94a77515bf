// sstable/raw_block.h: blocks of a segment read from its file, checked and decompressed: what the
// readers of all layouts share.
#ifndef FIRN_SSTABLE_RAW_BLOCK_H_
#define FIRN_SSTABLE_RAW_BLOCK_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/block_memory.h"
#include "sstable/segment_format.h"

namespace firn {

// The bytes of a block after its checksum was seen to be good; what they mean is still to be checked.
struct RawBlock {
  BlockMemory bytes;  // `size` of them, and perhaps more behind
  size_t size = 0;
};

// The block that was read as `stored` (with its trailer). Takes over `owned` as the block's memory if
// it begins with the same bytes and they need no decompression; it may be null. DataLoss names file
// and offset.
absl::StatusOr<RawBlock> DecodeRawBlock(ByteSpan stored, BlockKind kind,
                                        const BlockAddress& address, absl::string_view path,
                                        BlockMemory owned = nullptr);

// Reads `handles` in one submission, neighbours in one piece, and calls `visit(i, block)` for each in
// turn: each has its own outcome. The number of bytes read.
uint64_t ReadRawBlocks(RandomAccessFile& file, uint64_t segment_id, BlockKind kind,
                       absl::Span<const BlockHandle> handles,
                       absl::FunctionRef<void(size_t, absl::StatusOr<RawBlock>)> visit);

}  // namespace firn

#endif  // FIRN_SSTABLE_RAW_BLOCK_H_
