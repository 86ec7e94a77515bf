// base/compression.h: bytes made smaller. The only place that knows LZ4.
//
// The compressed form carries no length of its own: who stores it stores the kind and the original
// size beside it (a block's trailer does), and gives both back.
#ifndef FIRN_BASE_COMPRESSION_H_
#define FIRN_BASE_COMPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/types.h"

namespace firn {

// Stored in blocks: never renumbered.
enum class CompressionKind : uint8_t {
  kNone = 1,
  kLz4 = 2,
};

// "none", "lz4"; "unknown" for a number that is neither.
absl::string_view CompressionName(CompressionKind compression);

// The most that can be compressed, or come out of decompression.
inline constexpr size_t kMaxUncompressedSize = size_t{256} << 20;

// Replaces `target` by the compressed `bytes` (at most kMaxUncompressedSize: FIRN_CHECK). Its memory
// is reused.
void Compress(CompressionKind compression, ByteSpan bytes, std::string& target);

// The `original_size` bytes that were compressed. DataLoss if they are not that many, if the
// data is damaged, or if `original_size` is one that `bytes` cannot have come from: LZ4 never
// shrinks to less than 1/255, so nothing larger is allocated. InvalidArgument for an unknown kind.
// The messages say what is wrong; the caller knows file and offset.
absl::StatusOr<std::string> Uncompress(CompressionKind compression, ByteSpan bytes,
                                       size_t original_size);

// The same into `target` of exactly the original size.
absl::Status UncompressInto(CompressionKind compression, ByteSpan bytes,
                            absl::Span<uint8_t> target);

// Could `compressed_size` bytes stand for `original_size`? For who allocates by himself.
absl::Status CheckPlausibleSize(CompressionKind compression, size_t compressed_size,
                                size_t original_size);

}  // namespace firn

#endif  // FIRN_BASE_COMPRESSION_H_
