#include "base/compression.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"
#include "lz4.h"

namespace firn {
namespace {

static_assert(kMaxUncompressedSize <= LZ4_MAX_INPUT_SIZE);

// A byte of LZ4 adds at most 255 bytes to a match; the first token and literals give a little more.
constexpr size_t kLz4MaxRatio = 255;
constexpr size_t kLz4Slack = 64;

absl::Status Damaged(absl::string_view what, Mismatch mismatch) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrFormat("compressed data: %s: expected %d, found %d", what,
                                   mismatch.expected, mismatch.actual));
}

absl::Status UnknownKind(CompressionKind compression) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kUnsupported,
                   absl::StrFormat("unknown compression %d", static_cast<int>(compression)));
}

}  // namespace

absl::string_view CompressionName(CompressionKind compression) {
  switch (compression) {
    case CompressionKind::kNone:
      return "none";
    case CompressionKind::kLz4:
      return "lz4";
  }
  return "unknown";
}

void Compress(CompressionKind compression, ByteSpan bytes, std::string& target) {
  FIRN_CHECK(bytes.size() <= kMaxUncompressedSize);
  if (compression == CompressionKind::kNone) {
    target.assign(AsText(bytes).data(), bytes.size());
    return;
  }
  FIRN_CHECK(compression == CompressionKind::kLz4);
  const int size = static_cast<int>(bytes.size());
  target.resize(static_cast<size_t>(LZ4_compressBound(size)));
  const int written = LZ4_compress_default(AsText(bytes).data(), target.data(), size,
                                           static_cast<int>(target.size()));
  FIRN_CHECK(written > 0);  // the bound leaves room for any input
  target.resize(static_cast<size_t>(written));
}

absl::Status CheckPlausibleSize(CompressionKind compression, size_t compressed_size,
                                size_t original_size) {
  switch (compression) {
    case CompressionKind::kNone:
      if (original_size == compressed_size) return absl::OkStatus();
      return Damaged("size of stored bytes",
                     {.expected = original_size, .actual = compressed_size});
    case CompressionKind::kLz4:
      break;
    default:
      return UnknownKind(compression);
  }
  if (original_size > kMaxUncompressedSize) {
    return Damaged("declared size above the limit",
                   {.expected = kMaxUncompressedSize, .actual = original_size});
  }
  if (compressed_size > static_cast<size_t>(LZ4_compressBound(static_cast<int>(original_size)))) {
    return Damaged("more bytes than LZ4 makes of the declared size",
                   {.expected = original_size, .actual = compressed_size});
  }
  if (original_size > compressed_size * kLz4MaxRatio + kLz4Slack) {
    return Damaged("declared size that so few bytes cannot have",
                   {.expected = compressed_size * kLz4MaxRatio + kLz4Slack,
                    .actual = original_size});
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
