#include "bench/word_values.h"

#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "base/status.h"

namespace firn::bench {
namespace {

struct Parts {
  double number = 0;
  std::string unit;  // lower case
};

// "1.5MiB" is 1.5 and "mib".
absl::StatusOr<Parts> Split(absl::string_view text) {
  size_t digits = 0;
  while (digits < text.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.')) {
    ++digits;
  }
  Parts parts;
  if (digits == 0 || !absl::SimpleAtod(text.substr(0, digits), &parts.number)) {
    return InvalidArgument("is a number");
  }
  parts.unit = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(digits)));
  return parts;
}

struct Unit {
  const char* name;
  double factor;
};

template <size_t N>
absl::StatusOr<uint64_t> Scaled(absl::string_view text, const Unit (&units)[N],
                                const char* expectation) {
  const absl::StatusOr<Parts> parts = Split(text);
  if (!parts.ok()) return InvalidArgument(expectation);
  for (const Unit& unit : units) {
    if (parts->unit != unit.name) continue;
    const double value = parts->number * unit.factor;
    if (value > 9e18) return InvalidArgument("is too large");
    return static_cast<uint64_t>(std::llround(value));
  }
  return InvalidArgument(expectation);
}

constexpr double kKi = 1024;

}  // namespace

absl::StatusOr<bool> ParseFlag(absl::string_view text) {
  if (text == "1" || text == "true" || text == "yes") return true;
  if (text == "0" || text == "false" || text == "no") return false;
  return InvalidArgument("is 0 or 1");
}

absl::StatusOr<uint64_t> ParseCount(absl::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}};
  return Scaled(text, kUnits, "is a count such as 2000000, 500k or 2m");
}

absl::StatusOr<uint64_t> ParseSize(absl::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"b", 1},
                                    {"k", kKi},
                                    {"kb", kKi},
                                    {"kib", kKi},
                                    {"m", kKi * kKi},
                                    {"mb", kKi * kKi},
                                    {"mib", kKi * kKi},
                                    {"g", kKi * kKi * kKi},
                                    {"gb", kKi * kKi * kKi},
                                    {"gib", kKi * kKi * kKi},
                                    {"t", kKi * kKi * kKi * kKi},
                                    {"tb", kKi * kKi * kKi * kKi},
                                    {"tib", kKi * kKi * kKi * kKi}};
  return Scaled(text, kUnits, "is a size such as 4096, 64k or 2GiB");
}

absl::StatusOr<uint64_t> ParseDuration(absl::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1e6},  {"us", 1}, {"ms", 1e3},
                                    {"s", 1e6}, {"m", 6e7}, {"h", 3.6e9}};
  return Scaled(text, kUnits, "is a time such as 10, 10s, 500ms or 5m");
}

absl::StatusOr<double> ParseNumber(absl::string_view text) {
  double number = 0;
  if (absl::EndsWith(text, "%")) text.remove_suffix(1);
  if (!absl::SimpleAtod(text, &number) || !std::isfinite(number) || number < 0) {
    return InvalidArgument("is a number, 0 or more");
  }
  return number;
}

absl::StatusOr<std::pair<uint64_t, uint64_t>> ParseSizeRange(absl::string_view text) {
  const size_t dash = text.find('-');
  FIRN_ASSIGN_OR_RETURN(const uint64_t first, ParseSize(text.substr(0, dash)));
  if (dash == absl::string_view::npos) return std::make_pair(first, first);
  FIRN_ASSIGN_OR_RETURN(const uint64_t last, ParseSize(text.substr(dash + 1)));
  if (last < first) return InvalidArgument("is a range: the smaller size first");
  return std::make_pair(first, last);
}

}  // namespace firn::bench
