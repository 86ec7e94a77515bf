// sstable/internal_key.h: a user key with the sequence number and kind of one write to it.
//
// Encoded: user key, then 8 bytes little-endian: sequence number << 8 | kind.
// Order (CompareInternalKeys): user key ascending as unsigned bytes, then the 8-byte number
// descending, so that the newest version of a key comes first and a lookup at sequence s is a seek
// to (key, s, kKindForSeek).
#ifndef FIRN_SSTABLE_INTERNAL_KEY_H_
#define FIRN_SSTABLE_INTERNAL_KEY_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/types.h"

namespace firn {

// On disk: never renumbered.
enum class EntryKind : uint8_t {
  kTombstone = 1,
  kPut = 2,
};
// The greatest kind, hence first among equal sequence numbers.
inline constexpr EntryKind kKindForSeek = EntryKind::kPut;

inline constexpr size_t kInternalKeySuffixSize = 8;

struct InternalKey {
  absl::string_view user_key;
  SequenceNumber sequence;
  EntryKind kind = EntryKind::kPut;
};

// Appends the encoding of `key` to `*target`.
void AppendInternalKey(std::string& target, const InternalKey& key);
std::string EncodeInternalKey(const InternalKey& key);

// None if `encoded` is too short or its kind is unknown.
std::optional<InternalKey> DecodeInternalKey(absl::string_view encoded);

// The rest needs encoded internal keys (at least 8 bytes): keys that were checked when read.

inline absl::string_view UserKeyOf(absl::string_view encoded) {
  FIRN_DCHECK(encoded.size() >= kInternalKeySuffixSize);
  return absl::string_view(encoded.data(), encoded.size() - kInternalKeySuffixSize);
}
// Sequence number << 8 | kind.
inline uint64_t SuffixOf(absl::string_view encoded) {
  FIRN_DCHECK(encoded.size() >= kInternalKeySuffixSize);
  return LoadFixed64(reinterpret_cast<const uint8_t*>(encoded.data()) + encoded.size() -
                     kInternalKeySuffixSize);
}
inline SequenceNumber SequenceOf(absl::string_view encoded) {
  return SequenceNumber{SuffixOf(encoded) >> 8};
}
inline EntryKind KindOf(absl::string_view encoded) {
  return static_cast<EntryKind>(SuffixOf(encoded) & 0xff);
}

// The first 8 bytes of a user key as a number that sorts as they do; shorter keys are padded with 0.
// Keys with different prefixes compare as these do.
inline uint64_t KeyPrefix(absl::string_view user_key) {
  uint64_t bytes = 0;
  if (user_key.size() >= sizeof(bytes)) [[likely]] {
    std::memcpy(&bytes, user_key.data(), sizeof(bytes));
  } else if (!user_key.empty()) {
    std::memcpy(&bytes, user_key.data(), user_key.size());
  }
  static_assert(std::endian::native == std::endian::little);
  return __builtin_bswap64(bytes);
}

// Is it an encoded internal key of a known kind?
inline bool IsInternalKey(absl::string_view encoded) {
  if (encoded.size() < kInternalKeySuffixSize) return false;
  const EntryKind kind = KindOf(encoded);
  return kind == EntryKind::kPut || kind == EntryKind::kTombstone;
}

// Negative, zero or positive.
inline int CompareUserKeys(absl::string_view a, absl::string_view b) { return a.compare(b); }
inline int CompareInternalKeys(absl::string_view a, absl::string_view b) {
  const int order = CompareUserKeys(UserKeyOf(a), UserKeyOf(b));
  if (order != 0) return order;
  const uint64_t suffix_a = SuffixOf(a);
  const uint64_t suffix_b = SuffixOf(b);
  return suffix_a == suffix_b ? 0 : (suffix_a > suffix_b ? -1 : 1);
}

// The target of a lookup: the encoding of (user key, sequence, kKindForSeek), in place up to 120
// bytes, so that a lookup of an ordinary key does not allocate. The user key need not outlive it.
class LookupKey {
 public:
  LookupKey(absl::string_view user_key, SequenceNumber at_most);
  LookupKey(const LookupKey&) = delete;
  LookupKey& operator=(const LookupKey&) = delete;

  absl::string_view encoded() const { return absl::string_view(data_, size_); }
  absl::string_view user_key() const { return UserKeyOf(encoded()); }

 private:
  char inline_[128];
  std::unique_ptr<char[]> heap_;
  char* data_;
  size_t size_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_INTERNAL_KEY_H_
