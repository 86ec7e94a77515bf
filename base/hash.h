// base/hash.h: a fast 64-bit hash for filters, shards and hash tables. Not for secrets and not
// against adversaries: labels use base/blake2b.h, checksums base/crc32c.h.
//
// Its output is part of the filter format: it never changes (a golden test holds it). The idea is
// that of wyhash and its kin: 64x64 -> 128-bit products, both halves folded together, are the
// cheapest good mixer on this hardware. With `size` bytes of input, words little-endian:
//
//   state = seed ^ kA;  while more than 16 bytes are left:  state = fold(w0 ^ kB, w1 ^ state)
//   the last 16 bytes are two words, overlapping what was read; of 8-15 bytes they are the first and
//   the last 8; of 4-7 the first and the last 4; of 1-3 bytes 0, size / 2 and size - 1 are word 0.
//   result = fold(kC ^ size, fold(last0 ^ kB, last1 ^ state))
#ifndef FIRN_BASE_HASH_H_
#define FIRN_BASE_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

uint64_t Hash64(ByteSpan bytes, uint64_t seed = 0);
inline uint64_t Hash64(absl::string_view text, uint64_t seed = 0) {
  return Hash64(AsBytes(text), seed);
}

// For integers; a bijection, so different numbers never collide in all 64 bits.
inline uint64_t HashInteger(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace firn

#endif  // FIRN_BASE_HASH_H_
