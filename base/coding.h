// base/coding.h: integers as bytes, and a cursor over bytes that cannot run past its end.
//
//   fixed     2, 4 or 8 bytes, little-endian; the BigEndian forms are for keys, which must sort as
//             numbers, and for the tree's labels and proofs
//   varint    7 bits a byte, lowest first, the high bit set on all but the last: 1-5 or 1-10 bytes.
//             One number has one encoding: a longer one (a last byte of zero) is refused
//   prefixed  varint32 length, then that many bytes
#ifndef FIRN_BASE_CODING_H_
#define FIRN_BASE_CODING_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

static_assert(std::endian::native == std::endian::little, "loads and stores below copy bytes");

inline constexpr size_t kMaxVarint32Size = 5;
inline constexpr size_t kMaxVarint64Size = 10;

// Into memory of at least the integer's size.
inline void StoreFixed16(uint8_t* target, uint16_t value) { std::memcpy(target, &value, 2); }
inline void StoreFixed32(uint8_t* target, uint32_t value) { std::memcpy(target, &value, 4); }
inline void StoreFixed64(uint8_t* target, uint64_t value) { std::memcpy(target, &value, 8); }
inline void StoreBigEndian32(uint8_t* target, uint32_t value) {
  StoreFixed32(target, __builtin_bswap32(value));
}
inline void StoreBigEndian64(uint8_t* target, uint64_t value) {
  StoreFixed64(target, __builtin_bswap64(value));
}

// From the first bytes of `source`, which the caller has seen to be there.
inline uint16_t LoadFixed16(const uint8_t* source) {
  uint16_t value;
  std::memcpy(&value, source, sizeof(value));
  return value;
}
inline uint32_t LoadFixed32(const uint8_t* source) {
  uint32_t value;
  std::memcpy(&value, source, sizeof(value));
  return value;
}
inline uint64_t LoadFixed64(const uint8_t* source) {
  uint64_t value;
  std::memcpy(&value, source, sizeof(value));
  return value;
}
inline uint32_t LoadBigEndian32(const uint8_t* source) {
  return __builtin_bswap32(LoadFixed32(source));
}
inline uint64_t LoadBigEndian64(const uint8_t* source) {
  return __builtin_bswap64(LoadFixed64(source));
}

// The same from a span or view; a shorter one is a broken invariant (FIRN_CHECK).
uint16_t LoadFixed16(ByteSpan bytes);
uint32_t LoadFixed32(ByteSpan bytes);
uint64_t LoadFixed64(ByteSpan bytes);
uint32_t LoadBigEndian32(ByteSpan bytes);
uint64_t LoadBigEndian64(ByteSpan bytes);

// Appended to `target`.
void PutFixed16(std::string& target, uint16_t value);
void PutFixed32(std::string& target, uint32_t value);
void PutFixed64(std::string& target, uint64_t value);
void PutBigEndian32(std::string& target, uint32_t value);
void PutBigEndian64(std::string& target, uint64_t value);
void PutVarint32(std::string& target, uint32_t value);
void PutVarint64(std::string& target, uint64_t value);
void PutBytes(std::string& target, ByteSpan bytes);
// The value's length must fit 32 bits (FIRN_CHECK).
void PutLengthPrefixed(std::string& target, absl::string_view value);

// Into memory of at least kMaxVarint..Size bytes; returns one past the last byte written.
uint8_t* StoreVarint32(uint8_t* target, uint32_t value);
uint8_t* StoreVarint64(uint8_t* target, uint64_t value);

// Bytes that a varint takes.
inline size_t VarintSize(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Reads forward over bytes that someone else owns. What is not there, or not well formed, is
// nullopt, and the cursor then stays where it was, so position() names the bad byte for an error.
class ByteReader {
 public:
  ByteReader() = default;
  explicit ByteReader(ByteSpan bytes)
      : begin_(bytes.data()), next_(bytes.data()), limit_(bytes.data() + bytes.size()) {}
  explicit ByteReader(absl::string_view bytes) : ByteReader(AsBytes(bytes)) {}

  std::optional<uint8_t> ReadByte();
  std::optional<uint16_t> ReadFixed16();
  std::optional<uint32_t> ReadFixed32();
  std::optional<uint64_t> ReadFixed64();
  std::optional<uint32_t> ReadBigEndian32();
  std::optional<uint64_t> ReadBigEndian64();
  std::optional<uint32_t> ReadVarint32();
  std::optional<uint64_t> ReadVarint64();
  // Views of the underlying bytes.
  std::optional<ByteSpan> ReadBytes(size_t size);
  std::optional<absl::string_view> ReadText(size_t size);
  std::optional<absl::string_view> ReadLengthPrefixed();
  // Moves on by `size` bytes; false (and no move) if fewer are left.
  [[nodiscard]] bool Skip(size_t size);

  size_t position() const { return static_cast<size_t>(next_ - begin_); }
  size_t remaining() const { return static_cast<size_t>(limit_ - next_); }
  bool empty() const { return next_ == limit_; }
  ByteSpan rest() const { return ByteSpan(next_, remaining()); }

 private:
  std::optional<uint64_t> ReadLongVarint(uint64_t value_max);

  const uint8_t* begin_ = nullptr;
  const uint8_t* next_ = nullptr;
  const uint8_t* limit_ = nullptr;
};

inline std::optional<uint8_t> ByteReader::ReadByte() {
  if (next_ == limit_) return std::nullopt;
  return *next_++;
}

inline std::optional<uint32_t> ByteReader::ReadVarint32() {
  if (next_ != limit_ && *next_ < 0x80) [[likely]] return *next_++;
  const std::optional<uint64_t> value = ReadLongVarint(UINT32_MAX);
  if (!value.has_value()) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

inline std::optional<uint64_t> ByteReader::ReadVarint64() {
  if (next_ != limit_ && *next_ < 0x80) [[likely]] return *next_++;
  return ReadLongVarint(UINT64_MAX);
}

}  // namespace firn

#endif  // FIRN_BASE_CODING_H_
