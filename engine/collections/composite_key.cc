#include "firn/composite_key.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr char kZero = '\x00';
constexpr char kEscapedZero = '\xff';  // behind a zero: the zero is part of the part
constexpr char kEnd = '\x01';          // behind a zero: the part ends
constexpr size_t kLengthSize = 4;

absl::Status Malformed(size_t offset, absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kSerialization,
                   absl::StrCat("composite key: offset ", offset, ": ", what));
}

void AppendBigEndian(std::string& target, uint64_t number, size_t size) {
  for (size_t i = size; i > 0; --i) target.push_back(static_cast<char>(number >> (8 * (i - 1))));
}

uint64_t LoadBigEndian(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

std::string EncodeOrderedKey(absl::Span<const absl::string_view> parts) {
  std::string key;
  for (const absl::string_view part : parts) {
    for (const char byte : part) {
      key.push_back(byte);
      if (byte == kZero) key.push_back(kEscapedZero);
    }
    key.push_back(kZero);
    key.push_back(kEnd);
  }
  return key;
}

absl::StatusOr<std::vector<std::string>> DecodeOrderedKey(absl::string_view key) {
  std::vector<std::string> parts;
  std::string part;
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] != kZero) {
      part.push_back(key[i]);
      continue;
    }
    if (++i == key.size()) return Malformed(i, "it ends behind a zero");
    if (key[i] == kEscapedZero) {
      part.push_back(kZero);
    } else if (key[i] == kEnd) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      return Malformed(i, "neither 01 nor FF behind a zero");
    }
  }
  if (!part.empty()) return Malformed(key.size(), "the last part has no end");
  return parts;
}

std::string EncodeLengthPrefixedKey(absl::Span<const absl::string_view> parts) {
  std::string key;
  for (const absl::string_view part : parts) {
    FIRN_CHECK(part.size() <= std::numeric_limits<uint32_t>::max());
    AppendBigEndian(key, part.size(), kLengthSize);
    key.append(part.data(), part.size());
  }
  return key;
}

absl::StatusOr<std::vector<std::string>> DecodeLengthPrefixedKey(absl::string_view key) {
  std::vector<std::string> parts;
  size_t offset = 0;
  while (offset < key.size()) {
    if (key.size() - offset < kLengthSize) return Malformed(offset, "a length is cut off");
    const uint64_t length = LoadBigEndian(key.substr(offset, kLengthSize));
    offset += kLengthSize;
    if (length > key.size() - offset) return Malformed(offset, "a part is cut off");
    parts.emplace_back(key.substr(offset, length));
    offset += length;
  }
  return parts;
}

std::string EncodeUint64(uint64_t number) {
  std::string bytes;
  AppendBigEndian(bytes, number, 8);
  return bytes;
}

std::string EncodeInt64(int64_t number) {
  return EncodeUint64(static_cast<uint64_t>(number) ^ uint64_t{1} << 63);
}

std::optional<uint64_t> DecodeUint64(absl::string_view bytes) {
  if (bytes.size() != 8) return std::nullopt;
  return LoadBigEndian(bytes);
}

std::optional<int64_t> DecodeInt64(absl::string_view bytes) {
  if (bytes.size() != 8) return std::nullopt;
  return static_cast<int64_t>(LoadBigEndian(bytes) ^ uint64_t{1} << 63);
}

}  // namespace firn
