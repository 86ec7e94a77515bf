// firn/presets.h: options for a kind of work, to start from. A preset is nothing but the options that
// it expands to: change any of them before Database::Open(). docs/operations.md has them all in one
// table.
#ifndef FIRN_PRESETS_H_
#define FIRN_PRESETS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/options.h"

namespace firn {

enum class Preset : uint8_t {
  kBalanced = 1,    // the defaults
  kWriteHeavy = 2,  // larger and more memtables, later merges: fewer bytes written, more read
  kReadHeavy = 3,   // a large cache, more filter bits, early merges
  kBulkLoad = 4,    // as much as possible before any merge; for kVolatile writes and sorted input
  kLowMemory = 5,   // 64 MiB in all
};

struct PresetOptions {
  Options store;
  KeyspaceOptions keyspace;
};

PresetOptions ExpandPreset(Preset preset);

// "balanced", "write-heavy", "read-heavy", "bulk-load", "low-memory".
absl::string_view PresetName(Preset preset);
// InvalidArgument/kInvalidOption listing the names.
absl::StatusOr<Preset> PresetNamed(absl::string_view name);
absl::Span<const Preset> AllPresets();

}  // namespace firn

#endif  // FIRN_PRESETS_H_
