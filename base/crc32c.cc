#include "base/crc32c.h"

#include <array>
#include <cstddef>

#include "base/check.h"
#include "base/coding.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace firn {
namespace crc32c_internal {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits reversed: the lowest bit is the highest power

using Table = std::array<std::array<uint32_t, 256>, 8>;

// kTable[k][b]: the register after byte b and then k zero bytes, from a register of zero.
constexpr Table MakeTable() {
  Table table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = table[k - 1][byte];
      table[k][byte] = (before >> 8) ^ table[0][before & 0xff];
    }
  }
  return table;
}

constexpr Table kTable = MakeTable();

inline uint32_t StepByte(uint32_t crc, uint8_t byte) {
  return (crc >> 8) ^ kTable[0][(crc ^ byte) & 0xff];
}

}  // namespace

uint32_t Portable(ByteSpan bytes, uint32_t seed) {
  uint32_t crc = ~seed;
  const uint8_t* next = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, next += 8) {
    const uint64_t word = LoadFixed64(next) ^ crc;
    crc = kTable[7][word & 0xff] ^ kTable[6][(word >> 8) & 0xff] ^ kTable[5][(word >> 16) & 0xff] ^
          kTable[4][(word >> 24) & 0xff] ^ kTable[3][(word >> 32) & 0xff] ^
          kTable[2][(word >> 40) & 0xff] ^ kTable[1][(word >> 48) & 0xff] ^ kTable[0][word >> 56];
  }
  for (; left > 0; --left) crc = StepByte(crc, *next++);
  return ~crc;
}

#if defined(__x86_64__)

namespace {

// The instruction takes three cycles but a new one can start every cycle, so large inputs go in
// three streams side by side. Their registers are joined by "what `stream size` zero bytes do to a
// register", which is linear over GF(2): one table look-up for each of its four bytes.
using ZeroesTable = std::array<std::array<uint32_t, 256>, 4>;
using Matrix = std::array<uint32_t, 32>;  // column k: the image of bit k

constexpr uint32_t Apply(const Matrix& matrix, uint32_t vector) {
  uint32_t sum = 0;
  for (size_t bit = 0; vector != 0; ++bit, vector >>= 1) {
    if ((vector & 1) != 0) sum ^= matrix[bit];
  }
  return sum;
}

// `size` is a power of two.
constexpr ZeroesTable MakeZeroesTable(size_t size) {
  Matrix matrix{};  // one zero byte
  for (size_t bit = 0; bit < 32; ++bit) {
    const uint32_t vector = uint32_t{1} << bit;
    matrix[bit] = (vector >> 8) ^ kTable[0][vector & 0xff];
  }
  for (size_t done = 1; done < size; done *= 2) {
    Matrix squared{};
    for (size_t bit = 0; bit < 32; ++bit) squared[bit] = Apply(matrix, matrix[bit]);
    matrix = squared;
  }
  ZeroesTable table{};
  for (uint32_t position = 0; position < 4; ++position) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      table[position][byte] = Apply(matrix, byte << (8 * position));
    }
  }
  return table;
}

constexpr size_t kLongStream = 2048;
constexpr size_t kShortStream = 128;
constexpr ZeroesTable kLongZeroes = MakeZeroesTable(kLongStream);
constexpr ZeroesTable kShortZeroes = MakeZeroesTable(kShortStream);

inline uint32_t AppendZeroes(const ZeroesTable& table, uint64_t crc) {
  return table[0][crc & 0xff] ^ table[1][(crc >> 8) & 0xff] ^ table[2][(crc >> 16) & 0xff] ^
         table[3][(crc >> 24) & 0xff];
}

// Takes three streams of `kStream` bytes from `next`.
template <size_t kStream>
__attribute__((target("sse4.2"))) inline uint64_t StepStreams(const ZeroesTable& zeroes,
                                                              uint64_t crc, const uint8_t* next) {
  uint64_t second = 0;
  uint64_t third = 0;
  for (size_t i = 0; i < kStream; i += 8) {
    crc = _mm_crc32_u64(crc, LoadFixed64(next + i));
    second = _mm_crc32_u64(second, LoadFixed64(next + kStream + i));
    third = _mm_crc32_u64(third, LoadFixed64(next + 2 * kStream + i));
  }
  crc = AppendZeroes(zeroes, crc) ^ second;
  return AppendZeroes(zeroes, crc) ^ third;
}

}  // namespace

bool HardwareIsPresent() {
  static const bool is_present = __builtin_cpu_supports("sse4.2") != 0;
  return is_present;
}

__attribute__((target("sse4.2"))) uint32_t Hardware(ByteSpan bytes, uint32_t seed) {
  uint64_t crc = static_cast<uint32_t>(~seed);
  const uint8_t* next = bytes.data();
  size_t left = bytes.size();
  for (; left >= 3 * kLongStream; left -= 3 * kLongStream, next += 3 * kLongStream) {
    crc = StepStreams<kLongStream>(kLongZeroes, crc, next);
  }
  for (; left >= 3 * kShortStream; left -= 3 * kShortStream, next += 3 * kShortStream) {
    crc = StepStreams<kShortStream>(kShortZeroes, crc, next);
  }
  for (; left >= 8; left -= 8, next += 8) crc = _mm_crc32_u64(crc, LoadFixed64(next));
  uint32_t narrow = static_cast<uint32_t>(crc);
  for (; left > 0; --left) narrow = _mm_crc32_u8(narrow, *next++);
  return ~narrow;
}

#else

bool HardwareIsPresent() { return false; }

uint32_t Hardware(ByteSpan bytes, uint32_t seed) {
  FIRN_CHECK(HardwareIsPresent());
  return Portable(bytes, seed);
}

#endif

}  // namespace crc32c_internal

uint32_t Crc32c(ByteSpan bytes, uint32_t seed) {
  if (crc32c_internal::HardwareIsPresent()) [[likely]] {
    return crc32c_internal::Hardware(bytes, seed);
  }
  return crc32c_internal::Portable(bytes, seed);
}

}  // namespace firn
