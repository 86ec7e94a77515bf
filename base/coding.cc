#include "base/coding.h"

#include "base/check.h"

namespace firn {
namespace {

template <typename Integer>
void PutInteger(std::string& target, Integer value) {
  target.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

uint16_t LoadFixed16(ByteSpan bytes) {
  FIRN_CHECK(bytes.size() >= sizeof(uint16_t));
  return LoadFixed16(bytes.data());
}

uint32_t LoadFixed32(ByteSpan bytes) {
  FIRN_CHECK(bytes.size() >= sizeof(uint32_t));
  return LoadFixed32(bytes.data());
}

uint64_t LoadFixed64(ByteSpan bytes) {
  FIRN_CHECK(bytes.size() >= sizeof(uint64_t));
  return LoadFixed64(bytes.data());
}

uint32_t LoadBigEndian32(ByteSpan bytes) { return __builtin_bswap32(LoadFixed32(bytes)); }
uint64_t LoadBigEndian64(ByteSpan bytes) { return __builtin_bswap64(LoadFixed64(bytes)); }

void PutFixed16(std::string& target, uint16_t value) { PutInteger(target, value); }
void PutFixed32(std::string& target, uint32_t value) { PutInteger(target, value); }
void PutFixed64(std::string& target, uint64_t value) { PutInteger(target, value); }
void PutBigEndian32(std::string& target, uint32_t value) {
  PutInteger(target, __builtin_bswap32(value));
}
void PutBigEndian64(std::string& target, uint64_t value) {
  PutInteger(target, __builtin_bswap64(value));
}

void PutVarint32(std::string& target, uint32_t value) { PutVarint64(target, value); }

void PutVarint64(std::string& target, uint64_t value) {
  uint8_t buffer[kMaxVarint64Size];
  const uint8_t* limit = StoreVarint64(buffer, value);
  target.append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(limit - buffer));
}

void PutBytes(std::string& target, ByteSpan bytes) {
  target.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void PutLengthPrefixed(std::string& target, absl::string_view value) {
  FIRN_CHECK(value.size() <= UINT32_MAX);
  PutVarint32(target, static_cast<uint32_t>(value.size()));
  target.append(value.data(), value.size());
}

uint8_t* StoreVarint32(uint8_t* target, uint32_t value) { return StoreVarint64(target, value); }

uint8_t* StoreVarint64(uint8_t* target, uint64_t value) {
  while (value >= 0x80) {
    *target++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *target++ = static_cast<uint8_t>(value);
  return target;
}

std::optional<uint16_t> ByteReader::ReadFixed16() {
  if (remaining() < sizeof(uint16_t)) return std::nullopt;
  const uint16_t value = LoadFixed16(next_);
  next_ += sizeof(value);
  return value;
}

std::optional<uint32_t> ByteReader::ReadFixed32() {
  if (remaining() < sizeof(uint32_t)) return std::nullopt;
  const uint32_t value = LoadFixed32(next_);
  next_ += sizeof(value);
  return value;
}

std::optional<uint64_t> ByteReader::ReadFixed64() {
  if (remaining() < sizeof(uint64_t)) return std::nullopt;
  const uint64_t value = LoadFixed64(next_);
  next_ += sizeof(value);
  return value;
}

std::optional<uint32_t> ByteReader::ReadBigEndian32() {
  const std::optional<uint32_t> value = ReadFixed32();
  if (!value.has_value()) return std::nullopt;
  return __builtin_bswap32(*value);
}

std::optional<uint64_t> ByteReader::ReadBigEndian64() {
  const std::optional<uint64_t> value = ReadFixed64();
  if (!value.has_value()) return std::nullopt;
  return __builtin_bswap64(*value);
}

std::optional<uint64_t> ByteReader::ReadLongVarint(uint64_t value_max) {
  uint64_t value = 0;
  const uint8_t* at = next_;
  for (unsigned shift = 0; shift < 64 && at != limit_; shift += 7) {
    const uint64_t byte = *at++;
    const uint64_t bits = byte & 0x7f;
    if (shift == 63 && bits > 1) return std::nullopt;  // the tenth byte has room for one bit
    value |= bits << shift;
    if (byte >= 0x80) continue;
    if (bits == 0 && shift > 0) return std::nullopt;  // a shorter encoding exists
    if (value > value_max) return std::nullopt;
    next_ = at;
    return value;
  }
  return std::nullopt;
}

std::optional<ByteSpan> ByteReader::ReadBytes(size_t size) {
  if (size > remaining()) return std::nullopt;
  const ByteSpan bytes(next_, size);
  next_ += size;
  return bytes;
}

std::optional<absl::string_view> ByteReader::ReadText(size_t size) {
  const std::optional<ByteSpan> bytes = ReadBytes(size);
  if (!bytes.has_value()) return std::nullopt;
  return AsText(*bytes);
}

std::optional<absl::string_view> ByteReader::ReadLengthPrefixed() {
  const uint8_t* start = next_;
  const std::optional<uint32_t> size = ReadVarint32();
  if (!size.has_value()) return std::nullopt;
  const std::optional<absl::string_view> value = ReadText(*size);
  if (!value.has_value()) next_ = start;
  return value;
}

bool ByteReader::Skip(size_t size) {
  if (size > remaining()) return false;
  next_ += size;
  return true;
}

}  // namespace firn
