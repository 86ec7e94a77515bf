#include "base/hash.h"

#include <cstddef>

#include "base/coding.h"

namespace firn {
namespace {

// Odd numbers from the digits of the golden ratio, pi and e.
constexpr uint64_t kA = 0x9e3779b97f4a7c15;
constexpr uint64_t kB = 0x243f6a8885a308d3;
constexpr uint64_t kC = 0xb7e151628aed2a6b;

inline uint64_t Fold(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

uint64_t Hash64(ByteSpan bytes, uint64_t seed) {
  const uint8_t* next = bytes.data();
  const size_t size = bytes.size();
  uint64_t state = seed ^ kA;
  uint64_t last0 = 0;
  uint64_t last1 = 0;
  if (size >= 16) {
    const uint8_t* const tail = next + size - 16;
    for (; next < tail; next += 16) {
      state = Fold(LoadFixed64(next) ^ kB, LoadFixed64(next + 8) ^ state);
    }
    last0 = LoadFixed64(tail);
    last1 = LoadFixed64(tail + 8);
  } else if (size >= 8) {
    last0 = LoadFixed64(next);
    last1 = LoadFixed64(next + size - 8);
  } else if (size >= 4) {
    last0 = LoadFixed32(next);
    last1 = LoadFixed32(next + size - 4);
  } else if (size > 0) {
    last0 = static_cast<uint64_t>(next[0]) | static_cast<uint64_t>(next[size / 2]) << 8 |
            static_cast<uint64_t>(next[size - 1]) << 16;
  }
  return Fold(kC ^ size, Fold(last0 ^ kB, last1 ^ state));
}

}  // namespace firn
