// firn/option_names.h: the numeric options (firn/options.h) by name: what a configuration file, a
// command line or a table in a manual needs. Options that are no numbers (identity, layout ...) are
// not here.
#ifndef FIRN_OPTION_NAMES_H_
#define FIRN_OPTION_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/options.h"

namespace firn {

enum class OptionUnit : uint8_t {
  kCount = 1,
  kBytes = 2,
  kBytesPerSecond = 3,
  kBits = 4,
  kSeconds = 5,
};

struct OptionName {
  absl::string_view name;  // as the field's
  OptionUnit unit = OptionUnit::kCount;
  uint64_t min = 0;
  uint64_t max = 0;
  bool or_zero = false;  // 0 is allowed too, and means "none"
};

// In the order of the fields.
absl::Span<const OptionName> StoreOptionNames();
absl::Span<const OptionName> KeyspaceOptionNames();

// InvalidArgument/kInvalidOption: no option has that name (the nearest one is suggested), or the value
// is out of its range. What two options ask of each other is left to CheckOptions().
absl::Status SetOption(Options& options, absl::string_view name, uint64_t value);
absl::Status SetOption(KeyspaceOptions& options, absl::string_view name, uint64_t value);
absl::StatusOr<uint64_t> GetOption(const Options& options, absl::string_view name);
absl::StatusOr<uint64_t> GetOption(const KeyspaceOptions& options, absl::string_view name);

// What Database::Open() and CreateKeyspace() check: InvalidArgument/kInvalidOption naming the field,
// its value and its range.
absl::Status CheckOptions(const Options& options);
absl::Status CheckKeyspaceOptions(const KeyspaceOptions& options);
// InvalidArgument/kInvalidOption for a level that the codec does not have, and for a codec that this
// build does not have.
absl::Status CheckCompression(const CompressionChoice& choice);

// One sentence for each option of a keyspace in which `asked` differs from `stored`:
// "block_size is 4096, 8192 was asked for". What changes at run time (size limits) is not looked at.
std::vector<std::string> KeyspaceOptionDifferences(const KeyspaceOptions& stored,
                                                   const KeyspaceOptions& asked);

// The one of `names` that is most like `word`, if it is like it at all; else empty.
absl::string_view NearestName(absl::string_view word, absl::Span<const absl::string_view> names);

}  // namespace firn

#endif  // FIRN_OPTION_NAMES_H_
