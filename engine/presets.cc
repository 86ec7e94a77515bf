#include "firn/presets.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = kMiB << 10;

constexpr Preset kAll[] = {Preset::kBalanced, Preset::kWriteHeavy, Preset::kReadHeavy,
                           Preset::kBulkLoad, Preset::kLowMemory};

void MakeWriteHeavy(PresetOptions& options) {
  Options& store = options.store;
  store.memtable_size = 128 * kMiB;
  store.immutable_memtables_max = 4;
  store.log_size_max = kGiB;
  store.segment_size = 128 * kMiB;
  store.level0_segments_merge = 6;
  store.level0_segments_slow = 20;
  store.level0_segments_stop = 48;
  store.level1_size = kGiB;
  store.background_threads = 3;
}

void MakeReadHeavy(PresetOptions& options) {
  Options& store = options.store;
  store.memtable_size = 32 * kMiB;
  store.block_cache_size = 512 * kMiB;
  store.open_segments_max = 4096;
  store.level0_segments_merge = 2;
  store.level0_segments_slow = 8;
  store.level0_segments_stop = 24;
  options.keyspace.filter_bits_per_key = 14;
}

void MakeBulkLoad(PresetOptions& options) {
  Options& store = options.store;
  store.memtable_size = 256 * kMiB;
  store.immutable_memtables_max = 3;
  store.block_cache_size = 8 * kMiB;
  store.log_size_max = 2 * kGiB;
  store.segment_size = 256 * kMiB;
  store.level0_segments_merge = 16;
  store.level0_segments_slow = 64;
  store.level0_segments_stop = 256;
  store.level1_size = 2 * kGiB;
  options.keyspace.block_size = 16 << 10;
  store.compaction_interval_s = 0;
}

void MakeLowMemory(PresetOptions& options) {
  Options& store = options.store;
  store.memory_budget = 64 * kMiB;
  store.memtable_size = 4 * kMiB;
  store.immutable_memtables_max = 1;
  store.block_cache_size = 8 * kMiB;
  store.open_segments_max = 128;
  store.transaction_memory = kMiB;
  store.log_size_max = 16 * kMiB;
  store.segment_size = 16 * kMiB;
  store.level1_size = 32 * kMiB;
}

}  // namespace

PresetOptions ExpandPreset(Preset preset) {
  PresetOptions options;
  switch (preset) {
    case Preset::kBalanced:
      return options;
    case Preset::kWriteHeavy:
      MakeWriteHeavy(options);
      return options;
    case Preset::kReadHeavy:
      MakeReadHeavy(options);
      return options;
    case Preset::kBulkLoad:
      MakeBulkLoad(options);
      return options;
    case Preset::kLowMemory:
      MakeLowMemory(options);
      return options;
  }
  FIRN_CHECK(false);  // no other value has a name
}

absl::string_view PresetName(Preset preset) {
  switch (preset) {
    case Preset::kBalanced:
      return "balanced";
    case Preset::kWriteHeavy:
      return "write-heavy";
    case Preset::kReadHeavy:
      return "read-heavy";
    case Preset::kBulkLoad:
      return "bulk-load";
    case Preset::kLowMemory:
      return "low-memory";
  }
  return "unknown";
}

absl::StatusOr<Preset> PresetNamed(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const Preset preset : kAll) {
    if (PresetName(preset) == name) return preset;
    names.push_back(PresetName(preset));
  }
  return InvalidOption("preset", absl::StrCat("\"", name, "\" is none of ",
                                              absl::StrJoin(names, ", ")));
}

absl::Span<const Preset> AllPresets() { return kAll; }

}  // namespace firn
