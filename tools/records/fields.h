// tools/records/fields.h: the fields that import forms share: amounts, accounts, times, keys.
// Each function returns InvalidArgument whose message begins with a reason word and a colon
// ("bad_number: ..."), which the reader turns into a Rejection.
#ifndef FIRN_TOOLS_RECORDS_FIELDS_H_
#define FIRN_TOOLS_RECORDS_FIELDS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/records/record.h"

namespace firn {

absl::Status Refused(absl::string_view reason, absl::string_view detail);
Rejection RejectionFrom(const absl::Status& status, absl::string_view original);

// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool IsUtf8(absl::string_view text);

// A decimal number times 10^scale, exactly: "bad_number", "digits_lost" if it has more decimals than
// `scale` (trailing zeroes aside), "out_of_range" beyond a signed 64-bit integer.
absl::StatusOr<int64_t> ParseAmount(absl::string_view text, uint32_t scale);

// 33 bytes: "bad_account" / "unknown_account".
absl::StatusOr<std::string> ParseAccount(absl::string_view text, const RecordOptions& options);

// Milliseconds since 1970 in [0, 2^63): "bad_time".
absl::StatusOr<uint64_t> ParseTime(absl::string_view text, TimeForm form, uint64_t line);

// Hex digits of any even count: "bad_hex".
absl::StatusOr<std::string> ParseHex(absl::string_view text);

// BLAKE2b-256 of issuer and recipient key, joined.
std::string NoteKey(absl::string_view issuer, absl::string_view recipient);

// 8 bytes, big-endian, two's complement.
std::string AmountValue(int64_t amount);

// The operation that records `amount` under `key`.
Operation AmountOperation(std::string key, int64_t amount, AmountForm form);

// The file of --accounts table:FILE: one `id key` a line, key 66 hex digits; '#' begins a comment.
absl::StatusOr<std::map<std::string, std::string>> ReadAccountTable(absl::string_view path);

}  // namespace firn

#endif  // FIRN_TOOLS_RECORDS_FIELDS_H_
