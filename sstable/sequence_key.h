// sstable/sequence_key.h: the keys of the sequence layout: numbers as 8 bytes, big-endian, so that they
// sort as bytes.
#ifndef FIRN_SSTABLE_SEQUENCE_KEY_H_
#define FIRN_SSTABLE_SEQUENCE_KEY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace firn {

inline constexpr size_t kSequenceKeySize = 8;

// `key` has kSequenceKeySize bytes.
inline uint64_t LoadSequenceKey(absl::string_view key) {
  uint64_t number = 0;
  for (size_t i = 0; i < kSequenceKeySize; ++i) number = number << 8 | static_cast<uint8_t>(key[i]);
  return number;
}

// The least number whose key is at or after `key`, which may have any size; none if there is none.
inline std::optional<uint64_t> LoadSequenceKeyAtOrAfter(absl::string_view key) {
  uint64_t number = 0;
  for (size_t i = 0; i < kSequenceKeySize; ++i) {
    number = number << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0u);
  }
  if (key.size() <= kSequenceKeySize) return number;
  if (number == UINT64_MAX) return std::nullopt;
  return number + 1;  // a longer key comes after its prefix
}

// Writes kSequenceKeySize bytes.
inline void StoreSequenceKey(char* target, uint64_t number) {
  for (size_t i = kSequenceKeySize; i-- > 0; number >>= 8) target[i] = static_cast<char>(number);
}

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_KEY_H_
