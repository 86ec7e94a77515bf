// tests/support/random_keys.h: keys and values drawn from a seed.
#ifndef FIRN_TESTS_SUPPORT_RANDOM_KEYS_H_
#define FIRN_TESTS_SUPPORT_RANDOM_KEYS_H_

#include <cstddef>
#include <string>

#include "base/random.h"

namespace firn {

// Uniform bytes.
inline std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

// A key of 0..`size_max` bytes that likes to collide, to be a prefix of another, and to hold 0x00
// and 0xff: three quarters of its bytes come from a small alphabet.
inline std::string RandomKey(Random& random, size_t size_max) {
  static constexpr char kAlphabet[] = {'\x00', 'a', 'b', '\xff'};
  std::string key(static_cast<size_t>(random.Uniform(size_max + 1)), '\0');
  for (char& byte : key) {
    byte = random.OneIn(4) ? static_cast<char>(random.Next())
                           : kAlphabet[random.Uniform(sizeof(kAlphabet))];
  }
  return key;
}

// A value whose size is mostly small and now and then near `size_max`; half of them compress well.
inline std::string RandomValue(Random& random, size_t size_max) {
  const size_t limit = random.OneIn(8) ? size_max : size_max / 16;
  const size_t size = static_cast<size_t>(random.Uniform(limit + 1));
  if (random.OneIn(2)) return RandomBytes(random, size);
  return std::string(size, static_cast<char>('a' + random.Uniform(26)));
}

}  // namespace firn

#endif  // FIRN_TESTS_SUPPORT_RANDOM_KEYS_H_
