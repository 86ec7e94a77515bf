#include "base/compression.h"

#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"
#include "lz4.h"
#include "lz4hc.h"
#ifdef FIRN_HAVE_ZSTD
#include "zstd.h"
#endif

namespace firn {
namespace {

static_assert(kMaxUncompressedSize <= LZ4_MAX_INPUT_SIZE);

// A byte of LZ4 adds at most 255 bytes to a match; the first token and literals give a little more.
constexpr size_t kLz4MaxRatio = 255;
constexpr size_t kLz4Slack = 64;
// A block of Zstd is at most 128 KiB, and takes 4 bytes at least: 3 of header and the byte it repeats.
constexpr size_t kZstdMaxRatio = (size_t{128} << 10) / 4;
constexpr size_t kZstdSlack = size_t{128} << 10;

absl::Status Damaged(absl::string_view what, Mismatch mismatch) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrFormat("compressed data: %s: expected %d, found %d", what,
                                   mismatch.expected, mismatch.actual));
}

absl::Status UnknownKind(CompressionKind compression) {
  if (compression == CompressionKind::kZstd) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kUnsupported,
                     "compressed with zstd, which this build does not have");
  }
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kUnsupported,
                   absl::StrFormat("unknown compression %d", static_cast<int>(compression)));
}

// The state of LZ4-HC takes 256 KiB: one for each thread that ever uses it.
int CompressHigh(const char* bytes, char* target, int size, int target_size, uint32_t level) {
  thread_local const std::unique_ptr<std::vector<uint64_t>> state =
      std::make_unique<std::vector<uint64_t>>(static_cast<size_t>(LZ4_sizeofStateHC()) / 8 + 1);
  return LZ4_compress_HC_extStateHC(state->data(), bytes, target, size, target_size,
                                    level == 0 ? LZ4HC_CLEVEL_DEFAULT : static_cast<int>(level));
}

void CompressLz4(ByteSpan bytes, std::string& target, const CompressionEffort& effort) {
  static_assert(kLz4HighLevelMax == LZ4HC_CLEVEL_MAX);
  const int size = static_cast<int>(bytes.size());
  target.resize(static_cast<size_t>(LZ4_compressBound(size)));
  const int target_size = static_cast<int>(target.size());
  int written = 0;
  if (effort.search == CompressionEffort::Search::kHigh) {
    FIRN_CHECK(effort.level <= kLz4HighLevelMax);
    written =
        CompressHigh(AsText(bytes).data(), target.data(), size, target_size, effort.level);
  } else {
    FIRN_CHECK(effort.level <= kLz4AccelerationMax);
    written = LZ4_compress_fast(AsText(bytes).data(), target.data(), size, target_size,
                                effort.level == 0 ? 1 : static_cast<int>(effort.level));
  }
  FIRN_CHECK(written > 0);  // the bound leaves room for any input
  target.resize(static_cast<size_t>(written));
}

#ifdef FIRN_HAVE_ZSTD
struct ZstdContextDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

void CompressZstd(ByteSpan bytes, std::string& target, const CompressionEffort& effort) {
  FIRN_CHECK(effort.level <= kZstdLevelMax);
  thread_local const std::unique_ptr<ZSTD_CCtx, ZstdContextDeleter> context(ZSTD_createCCtx());
  FIRN_CHECK(context != nullptr);
  target.resize(ZSTD_compressBound(bytes.size()));
  const size_t written = ZSTD_compressCCtx(
      context.get(), target.data(), target.size(), bytes.data(), bytes.size(),
      effort.level == 0 ? ZSTD_CLEVEL_DEFAULT : static_cast<int>(effort.level));
  FIRN_CHECK(!ZSTD_isError(written));  // the bound leaves room for any input
  target.resize(written);
}

absl::Status UncompressZstd(ByteSpan bytes, absl::Span<uint8_t> target) {
  const size_t written =
      ZSTD_decompress(target.data(), target.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(written)) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     absl::StrFormat("compressed data: Zstd: %s", ZSTD_getErrorName(written)));
  }
  if (written == target.size()) return absl::OkStatus();
  return Damaged("uncompressed size", {.expected = target.size(), .actual = written});
}
#endif

}  // namespace

absl::string_view CompressionName(CompressionKind compression) {
  switch (compression) {
    case CompressionKind::kNone:
      return "none";
    case CompressionKind::kLz4:
      return "lz4";
    case CompressionKind::kZstd:
      return "zstd";
  }
  return "unknown";
}

bool HasCompression(CompressionKind compression) {
#ifdef FIRN_HAVE_ZSTD
  if (compression == CompressionKind::kZstd) return true;
#endif
  return compression == CompressionKind::kNone || compression == CompressionKind::kLz4;
}

void Compress(CompressionKind compression, ByteSpan bytes, std::string& target,
              const CompressionEffort& effort) {
  FIRN_CHECK(bytes.size() <= kMaxUncompressedSize);
  if (compression == CompressionKind::kNone) {
    target.assign(AsText(bytes).data(), bytes.size());
    return;
  }
#ifdef FIRN_HAVE_ZSTD
  if (compression == CompressionKind::kZstd) return CompressZstd(bytes, target, effort);
#endif
  FIRN_CHECK(compression == CompressionKind::kLz4);
  CompressLz4(bytes, target, effort);
}

absl::Status CheckPlausibleSize(CompressionKind compression, size_t compressed_size,
                                size_t original_size) {
  switch (compression) {
    case CompressionKind::kNone:
      if (original_size == compressed_size) return absl::OkStatus();
      return Damaged("size of stored bytes",
                     {.expected = original_size, .actual = compressed_size});
    default:
      if (!HasCompression(compression)) return UnknownKind(compression);
  }
  const bool is_lz4 = compression == CompressionKind::kLz4;
  if (original_size > kMaxUncompressedSize) {
    return Damaged("declared size above the limit",
                   {.expected = kMaxUncompressedSize, .actual = original_size});
  }
  if (is_lz4 &&
      compressed_size > static_cast<size_t>(LZ4_compressBound(static_cast<int>(original_size)))) {
    return Damaged("more bytes than LZ4 makes of the declared size",
                   {.expected = original_size, .actual = compressed_size});
  }
  if (compressed_size > 2 * kMaxUncompressedSize) {
    return Damaged("compressed size above the limit",
                   {.expected = 2 * kMaxUncompressedSize, .actual = compressed_size});
  }
  const size_t most = is_lz4 ? compressed_size * kLz4MaxRatio + kLz4Slack
                             : compressed_size * kZstdMaxRatio + kZstdSlack;
  if (original_size > most) {
    return Damaged("declared size that so few bytes cannot have",
                   {.expected = most, .actual = original_size});
  }
  return absl::OkStatus();
}

absl::Status UncompressInto(CompressionKind compression, ByteSpan bytes,
                            absl::Span<uint8_t> target) {
  FIRN_RETURN_IF_ERROR(CheckPlausibleSize(compression, bytes.size(), target.size()));
  if (compression == CompressionKind::kNone) {
    if (!bytes.empty()) std::memcpy(target.data(), bytes.data(), bytes.size());
    return absl::OkStatus();
  }
#ifdef FIRN_HAVE_ZSTD
  if (compression == CompressionKind::kZstd) return UncompressZstd(bytes, target);
#endif
  char nothing = 0;  // LZ4 wants an address even for no bytes
  char* into = target.empty() ? &nothing : reinterpret_cast<char*>(target.data());
  const int written =
      LZ4_decompress_safe(AsText(bytes).data(), into, static_cast<int>(bytes.size()),
                          static_cast<int>(target.size()));
  if (written < 0) {
    return Damaged("LZ4 stops at byte",
                   {.expected = bytes.size(), .actual = static_cast<uint64_t>(-written)});
  }
  if (static_cast<size_t>(written) != target.size()) {
    return Damaged("uncompressed size",
                   {.expected = target.size(), .actual = static_cast<uint64_t>(written)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Uncompress(CompressionKind compression, ByteSpan bytes,
                                       size_t original_size) {
  FIRN_RETURN_IF_ERROR(CheckPlausibleSize(compression, bytes.size(), original_size));
  std::string original(original_size, '\0');
  FIRN_RETURN_IF_ERROR(UncompressInto(
      compression, bytes,
      absl::MakeSpan(reinterpret_cast<uint8_t*>(original.data()), original.size())));
  return original;
}

}  // namespace firn
