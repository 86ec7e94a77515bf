// base/compression.h: bytes made smaller. The only place that knows LZ4 and Zstd.
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
  kZstd = 3,
};

// How hard Compress() tries; what comes out has the same form. Level 0 is the default.
struct CompressionEffort {
  enum class Search : uint8_t { kFast = 1, kHigh = 2 };
  Search search = Search::kFast;  // LZ4: kHigh is LZ4-HC
  // LZ4 kFast: acceleration, [1, 65537]. LZ4 kHigh: [1, 12], default 9. Zstd: [1, 19], default 3.
  uint32_t level = 0;
};
inline constexpr uint32_t kLz4AccelerationMax = 65537;
inline constexpr uint32_t kLz4HighLevelMax = 12;
inline constexpr uint32_t kZstdLevelMax = 19;

// Whether this build can make and read it. Only Zstd may be missing.
bool HasCompression(CompressionKind compression);

// "none", "lz4", "zstd"; "unknown" for another number.
absl::string_view CompressionName(CompressionKind compression);

// The most that can be compressed, or come out of decompression.
inline constexpr size_t kMaxUncompressedSize = size_t{256} << 20;

// Replaces `target` by the compressed `bytes` (at most kMaxUncompressedSize, of a kind that this build
// has, at a level in its range: FIRN_CHECK). Its memory is reused.
void Compress(CompressionKind compression, ByteSpan bytes, std::string& target,
              const CompressionEffort& effort = {});

// The `original_size` bytes that were compressed. DataLoss if they are not that many, if the
// data is damaged, or if `original_size` is one that `bytes` cannot have come from: LZ4 never
// shrinks to less than 1/255, Zstd to less than 1/32768, so nothing larger is allocated.
// InvalidArgument for an unknown kind, or one that this build lacks.
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
