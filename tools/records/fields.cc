#include "tools/records/fields.h"

#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/blake2b.h"
#include "base/status.h"
#include "base/types.h"

namespace firn {
namespace {

constexpr size_t kPublicKeySize = 33;
// Times below this many are taken for seconds: as milliseconds they would lie before March 1973.
constexpr uint64_t kSecondsBelow = 100'000'000'000;

std::string Clip(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, 60)), text.size() > 60 ? "..." : "",
                      "\"");
}

std::string HashText(ByteSpan bytes) {
  const Blake2b256Hash hash = HashBlake2b256(bytes);
  return std::string(AsText(hash));
}

}  // namespace

absl::Status Refused(absl::string_view reason, absl::string_view detail) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidArgument,
                   absl::StrCat(reason, ": ", detail));
}

Rejection RejectionFrom(const absl::Status& status, absl::string_view original) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(status.message(), absl::MaxSplits(": ", 1));
  return {.reason = std::string(parts.first),
          .detail = std::string(parts.second),
          .original = std::string(original)};
}

bool IsUtf8(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<uint8_t>(text[at]);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - at < length) return false;
    uint32_t code = lead & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; ++i) {
      const auto next = static_cast<uint8_t>(text[at + i]);
      if ((next & 0xc0) != 0x80) return false;
      code = (code << 6) | (next & 0x3fu);
    }
    constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
    at += length;
  }
  return true;
}

absl::StatusOr<int64_t> ParseAmount(absl::string_view text, uint32_t scale) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  const bool negative = absl::ConsumePrefix(&rest, "-");
  if (!negative) absl::ConsumePrefix(&rest, "+");
  const size_t point = rest.find('.');
  absl::string_view whole = rest.substr(0, point);
  absl::string_view decimals = point == absl::string_view::npos ? "" : rest.substr(point + 1);
  if (whole.empty() && decimals.empty()) {
    return Refused("bad_number", absl::StrCat("an amount is needed, found ", Clip(text)));
  }
  for (const char c : absl::StrCat(whole, decimals)) {
    if (c < '0' || c > '9') {
      return Refused("bad_number", absl::StrCat("not a decimal number: ", Clip(text)));
    }
  }
  while (!decimals.empty() && decimals.back() == '0') decimals.remove_suffix(1);
  if (decimals.size() > scale) {
    return Refused("digits_lost", absl::StrCat(Clip(text), " has more than ", scale,
                                               " decimals; raise --scale"));
  }
  // 2^63 is reached by "-9223372036854775808" alone, so magnitudes are compared as unsigned.
  const uint64_t limit =
      static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
  const std::string digits =
      absl::StrCat(whole, decimals, std::string(scale - decimals.size(), '0'));
  uint64_t magnitude = 0;
  for (const char c : digits) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (magnitude > (limit - digit) / 10) {
      return Refused("out_of_range", absl::StrCat(Clip(text), " x 10^", scale,
                                                  " is beyond a signed 64-bit integer"));
    }
    magnitude = magnitude * 10 + digit;
  }
  return static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
}

absl::StatusOr<std::string> ParseHex(absl::string_view text) {
  if (text.size() % 2 != 0) {
    return Refused("bad_hex", absl::StrCat("an odd number of hex digits: ", Clip(text)));
  }
  for (const char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
      return Refused("bad_hex", absl::StrCat("not hex digits: ", Clip(text)));
    }
  }
  return absl::HexStringToBytes(text);
}

absl::StatusOr<std::string> ParseAccount(absl::string_view text, const RecordOptions& options) {
  if (text.empty()) return Refused("bad_account", "an account id is empty");
  if (options.accounts == AccountForm::kPseudo) {
    return absl::StrCat("\x02", HashText(AsBytes(text)));
  }
  if (options.accounts == AccountForm::kTable) {
    const auto found = options.account_table.find(std::string(text));
    if (found == options.account_table.end()) {
      return Refused("unknown_account", absl::StrCat(Clip(text), " is not in the account table"));
    }
    return found->second;
  }
  absl::StatusOr<std::string> key = ParseHex(text);
  if (!key.ok() || key->size() != kPublicKeySize || ((*key)[0] != 2 && (*key)[0] != 3)) {
    return Refused("bad_account", absl::StrCat("not a compressed public key (66 hex digits that "
                                               "begin with 02 or 03): ",
                                               Clip(text)));
  }
  return key;
}

absl::StatusOr<uint64_t> ParseTime(absl::string_view text, TimeForm form, uint64_t line) {
  if (form == TimeForm::kLine) return line;
  uint64_t time = 0;
  if (!absl::SimpleAtoi(text, &time)) {
    return Refused("bad_time", absl::StrCat("not a time (seconds or milliseconds since 1970): ",
                                            Clip(text)));
  }
  const bool seconds =
      form == TimeForm::kSeconds || (form == TimeForm::kAuto && time < kSecondsBelow);
  const auto limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (time > (seconds ? limit / 1000 : limit)) {
    return Refused("bad_time", absl::StrCat(Clip(text), " is beyond a signed 64-bit integer"));
  }
  return seconds ? time * 1000 : time;
}

std::string NoteKey(absl::string_view issuer, absl::string_view recipient) {
  return HashText(AsBytes(absl::StrCat(issuer, recipient)));
}

std::string AmountValue(int64_t amount) {
  std::string value(8, '\0');
  auto bits = static_cast<uint64_t>(amount);
  for (size_t i = 8; i-- > 0; bits >>= 8) value[i] = static_cast<char>(bits & 0xff);
  return value;
}

Operation AmountOperation(std::string key, int64_t amount, AmountForm form) {
  return form == AmountForm::kDelta ? Operation::UpdateLongBy(key, amount)
                                    : Operation::InsertOrUpdate(key, AmountValue(amount));
}

absl::StatusOr<std::map<std::string, std::string>> ReadAccountTable(absl::string_view path) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(path));
  RecordOptions hex;
  hex.accounts = AccountForm::kHex;
  std::map<std::string, std::string> table;
  InputLine line;
  while (true) {
    FIRN_ASSIGN_OR_RETURN(const bool more, input->Next(line));
    if (!more) return table;
    const absl::string_view text = absl::StripAsciiWhitespace(line.text);
    if (text.empty() || text[0] == '#') continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const absl::StatusOr<std::string> key =
        words.size() == 2 ? ParseAccount(words[1], hex) : Refused("bad_line", "two words needed");
    if (!key.ok()) {
      return Annotate(key.status(), absl::StrCat(input->path(), ": line ", line.number));
    }
    table.insert_or_assign(std::string(words[0]), *key);
  }
}

}  // namespace firn
