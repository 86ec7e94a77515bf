// sstable/internal_key.h: a user key with the sequence number and kind of one write to it.
//
// Encoded: user key, then 8 bytes little-endian: sequence number << 8 | kind.
// Order (CompareInternalKeys): user key ascending as unsigned bytes, then the 8-byte number
// descending, so that the newest version of a key comes first and a lookup at sequence s is a seek
// to (key, s, kValueKindForSeek).
#ifndef FIRN_SSTABLE_INTERNAL_KEY_H_
#define FIRN_SSTABLE_INTERNAL_KEY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
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

// Need an encoded internal key (at least 8 bytes): for keys that were checked when read.
absl::string_view UserKeyOf(absl::string_view encoded);
SequenceNumber SequenceOf(absl::string_view encoded);
EntryKind KindOf(absl::string_view encoded);

// Negative, zero or positive.
int CompareInternalKeys(absl::string_view a, absl::string_view b);
int CompareUserKeys(absl::string_view a, absl::string_view b);

}  // namespace firn

#endif  // FIRN_SSTABLE_INTERNAL_KEY_H_
