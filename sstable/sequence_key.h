// sstable/sequence_key.h: the keys of the sequence layout: numbers as 8 bytes, big-endian, so that they
// sort as bytes.
#ifndef FIRN_SSTABLE_SEQUENCE_KEY_H_
#define FIRN_SSTABLE_SEQUENCE_KEY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "base/coding.h"
#include "base/types.h"
#include "sstable/internal_key.h"

namespace firn {

inline constexpr size_t kSequenceKeySize = 8;

// `key` has kSequenceKeySize bytes.
inline uint64_t LoadSequenceKey(absl::string_view key) {
  return LoadBigEndian64(reinterpret_cast<const uint8_t*>(key.data()));
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
  StoreBigEndian64(reinterpret_cast<uint8_t*>(target), number);
}

// The encoded internal key of a put: kSequenceKeySize + kInternalKeySuffixSize bytes.
inline void StoreSequenceInternalKey(char* target, uint64_t number, SequenceNumber sequence) {
  auto* const bytes = reinterpret_cast<uint8_t*>(target);
  StoreBigEndian64(bytes, number);
  StoreFixed64(bytes + kSequenceKeySize,
               sequence.value << 8 | static_cast<uint64_t>(EntryKind::kPut));
}
inline std::string SequenceInternalKey(uint64_t number, SequenceNumber sequence) {
  std::string key(kSequenceKeySize + kInternalKeySuffixSize, '\0');
  StoreSequenceInternalKey(key.data(), number, sequence);
  return key;
}

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_KEY_H_
