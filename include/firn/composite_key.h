// firn/composite_key.h: keys made of several parts, in two encodings.
//
// Ordered (for new data): sorts as the parts do, one after the other, bytewise; so "all of org 7",
// "org 7 from user m on" are ranges. Each part has its zero bytes written as 00 FF and ends with 00 01.
//     {"ab", "c"}       61 62 00 01 63 00 01
//     {"a\0", ""}       61 00 FF 00 01 00 01
// Length-prefixed: each part behind its length, 4 bytes big-endian. Sorts by the length of the first
// part first; for keys shared with programs that write this form.
//     {"ab", "c"}       00 00 00 02 61 62 00 00 00 01 63
//
// In both, the encoding of the first parts is a prefix of the whole: PrefixRange(EncodeOrderedKey(
// {"org7"})) is everything below org7, and nothing of org77.
#ifndef FIRN_COMPOSITE_KEY_H_
#define FIRN_COMPOSITE_KEY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace firn {

std::string EncodeOrderedKey(absl::Span<const absl::string_view> parts);
// InvalidArgument/kSerialization, with the offset, for bytes that EncodeOrderedKey() does not write.
absl::StatusOr<std::vector<std::string>> DecodeOrderedKey(absl::string_view key);

// Parts are shorter than 4 GiB (longer ones end the process).
std::string EncodeLengthPrefixedKey(absl::Span<const absl::string_view> parts);
absl::StatusOr<std::vector<std::string>> DecodeLengthPrefixedKey(absl::string_view key);

// Numbers as parts (or whole keys) that sort as numbers: 8 bytes big-endian, the sign bit of signed
// ones flipped. Decoding: none if `bytes` is not 8 bytes long.
std::string EncodeUint64(uint64_t number);
std::string EncodeInt64(int64_t number);
std::optional<uint64_t> DecodeUint64(absl::string_view bytes);
std::optional<int64_t> DecodeInt64(absl::string_view bytes);

}  // namespace firn

#endif  // FIRN_COMPOSITE_KEY_H_
