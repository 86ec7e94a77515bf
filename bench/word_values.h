// bench/word_values.h: the values of a job's words as fio writes them: 64k, 128MiB, 10s, 100-150.
#ifndef FIRN_BENCH_WORD_VALUES_H_
#define FIRN_BENCH_WORD_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace firn::bench {

// "0", "1", "true", "false", "yes", "no".
absl::StatusOr<bool> ParseFlag(absl::string_view text);
// A count, with k, m, g for powers of 1000.
absl::StatusOr<uint64_t> ParseCount(absl::string_view text);
// Bytes: k, m, g, t (also kb, kib, ...) are powers of 1024, as fio has it.
absl::StatusOr<uint64_t> ParseSize(absl::string_view text);
// Seconds, or with us, ms, s, m, h. Gives microseconds.
absl::StatusOr<uint64_t> ParseDuration(absl::string_view text);
// A finite number that is not negative, with "%" allowed behind it.
absl::StatusOr<double> ParseNumber(absl::string_view text);
// "100-150" or "100": both ends, sizes.
absl::StatusOr<std::pair<uint64_t, uint64_t>> ParseSizeRange(absl::string_view text);

template <typename T>
struct Choice {
  const char* name;
  T value;
};
// InvalidArgument naming all choices.
template <typename T, size_t N>
absl::StatusOr<T> ParseChoice(absl::string_view text, const Choice<T> (&choices)[N]) {
  std::string all;
  for (const Choice<T>& choice : choices) {
    if (text == choice.name) return choice.value;
    absl::StrAppend(&all, all.empty() ? "" : ", ", choice.name);
  }
  return absl::InvalidArgumentError(absl::StrCat("is one of ", all));
}

}  // namespace firn::bench

#endif  // FIRN_BENCH_WORD_VALUES_H_
