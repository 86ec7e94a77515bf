// sstable/segment_format.h: the bytes of a segment file around its blocks. What is in them stands
// in block_builder.h, index.h, filter.h and segment_properties.h. Page: docs/formats/segment.md.
//
//   data block, trailer   ... one after the other from offset 0, without gaps
//   filter block, trailer     absent if the segment has no filter
//   index block, trailer      separator key -> handle of a data block
//   properties block, trailer
//   footer                    the last 84 bytes
//
// Block trailer (integers little-endian; 12 bytes):
//   offset  size  field
//        0     1  block kind    1 data, 2 index, 3 filter, 4 properties; hashed: 5 extent table, 6 index
//                              page; others refused
//        1     1  compression   1 none, 2 LZ4; others refused
//        2     2  reserved      zero, refused otherwise
//        4     4  raw size      bytes of the block once decompressed
//        8     4  checksum      CRC32C of the stored bytes and bytes [0, 8) of the trailer, seeded
//                              with that of (segment id, offset of the block: 8 bytes each)
// Footer:
//        0     8  segment id    random; the same number stands in the manifest
//        8     8  file size
//       16    16  index         offset, size of the stored bytes (without the trailer)
//       32    16  filter        offset, size; zeroes if there is none
//       48    16  properties    offset, size
//       64     1  layout        1 ordered, 2 hashed, 3 sequence; others refused
//       65     1  checksum      1 CRC32C
//       66     1  trailer size  12; another kind of checksum or an AEAD may need more
//       67     1  reserved      zero
//       68     4  checksum      CRC32C of bytes [0, 68) and [72, 84), seeded as that of a
//                              block at the footer's offset
//       72     4  version       1
//       76     8  magic         "firn.seg"
// Invariants:
//   1. Version and magic are the last 12 bytes in every version, so that another version can be
//      told from a file that is no segment.
//   2. The id seeds each checksum, so that a block of another segment, or of another place in this
//      one, does not pass, whatever the files are called.
#ifndef FIRN_SSTABLE_SEGMENT_FORMAT_H_
#define FIRN_SSTABLE_SEGMENT_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/compression.h"
#include "base/types.h"

namespace firn {

inline constexpr uint32_t kSegmentFormatVersion = 1;
inline constexpr absl::string_view kSegmentMagic = "firn.seg";
inline constexpr size_t kBlockTrailerSize = 1 + 1 + 2 + 4 + 4;
inline constexpr size_t kSegmentFooterSize = 8 + 8 + 3 * 16 + 4 + 4 + 4 + 8;
static_assert(kBlockTrailerSize == 12 && kSegmentFooterSize == 84,
              "docs/formats/segment.md and tests/golden say 12 and 84");
// A block is one entry at least, and an entry comes from a batch of at most 64 MiB; the filter of a
// 4 GiB segment is the largest block.
inline constexpr uint64_t kBlockSizeMax = uint64_t{1} << 30;

// On disk: never renumbered.
enum class SegmentLayout : uint8_t {
  kOrdered = 1,   // any keys, prefix-compressed sorted blocks
  kHashed = 2,    // keys of one width that begin with 8 uniformly random bytes; records as they came
  kSequence = 3,  // 8-byte keys that ascend from entry to entry; puts alone
};

// On disk: never renumbered.
enum class BlockKind : uint8_t {
  kData = 1,
  kIndex = 2,
  kFilter = 3,
  kProperties = 4,
  kExtentTable = 5,  // the hashed layout's
  kIndexPage = 6,    // the hashed layout's
};

// On disk: never renumbered.
enum class ChecksumKind : uint8_t {
  kCrc32c = 1,
};

// "ordered", "data"; "unknown" for other numbers.
absl::string_view SegmentLayoutName(SegmentLayout layout);
absl::string_view BlockKindName(BlockKind kind);

// "000051.seg": at least six digits.
std::string SegmentFileName(FileNumber number);

// Where the stored bytes of a block are. Its trailer follows them.
struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;

  uint64_t limit() const { return offset + size + kBlockTrailerSize; }
  friend bool operator==(const BlockHandle&, const BlockHandle&) = default;
};

// Two varints: offset, size.
void AppendBlockHandle(std::string& target, const BlockHandle& handle);
// DataLoss unless `bytes` is one handle and nothing else, of at most kBlockSizeMax bytes that do
// not wrap around. Knows no file: the caller says where.
absl::StatusOr<BlockHandle> ParseBlockHandle(absl::string_view bytes);

// The identity of a block: what seeds its checksum.
struct BlockAddress {
  uint64_t segment_id = 0;
  uint64_t offset = 0;

  friend bool operator==(const BlockAddress&, const BlockAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const BlockAddress& address) {
    return H::combine(std::move(state), address.segment_id, address.offset);
  }
};

struct BlockTrailer {
  BlockKind kind = BlockKind::kData;
  CompressionKind compression = CompressionKind::kNone;
  uint32_t raw_size = 0;
};

// Appends the trailer of `stored`.
void AppendBlockTrailer(std::string& target, const BlockTrailer& trailer, ByteSpan stored,
                        const BlockAddress& address);

// Checks the checksum, then each field. `block` is the stored bytes and the trailer (at least
// kBlockTrailerSize: FIRN_CHECK). `path` is for errors.
absl::StatusOr<BlockTrailer> CheckBlock(ByteSpan block, BlockKind expected,
                                        const BlockAddress& address, absl::string_view path);

struct SegmentFooter {
  uint64_t id = 0;
  uint64_t file_size = 0;
  BlockHandle index;
  BlockHandle filter;  // size 0: none
  BlockHandle properties;
  SegmentLayout layout = SegmentLayout::kOrdered;
};

std::string EncodeSegmentFooter(const SegmentFooter& footer);

// `bytes` are the last kSegmentFooterSize bytes of a file of `file_size` bytes. Checks that the
// three handles lie in the file, in order and without gaps.
// Errors: FailedPrecondition/kNotAStore (no segment), FailedPrecondition/kFormatVersion,
// Unimplemented/kUnsupported (layout, checksum kind or trailer of a later firn), DataLoss.
absl::StatusOr<SegmentFooter> ParseSegmentFooter(ByteSpan bytes, uint64_t file_size,
                                                 absl::string_view path);

// FailedPrecondition/kNotAStore: "PATH: not a firn segment: WHY".
absl::Status NotASegment(absl::string_view path, absl::string_view why);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_FORMAT_H_
