#include "engine/options_file.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/file_names.h"
#include "engine/store_file.h"

namespace firn {
namespace {

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = kKiB << 10;
constexpr uint64_t kGiB = kMiB << 10;
constexpr uint64_t kTiB = kGiB << 10;

struct Range {
  uint64_t min = 0;
  uint64_t max = 0;
};

absl::Status CheckRange(absl::string_view name, uint64_t value, Range range) {
  if (value >= range.min && value <= range.max) return absl::OkStatus();
  return InvalidOption(name,
                       absl::StrCat(value, " is outside [", range.min, ", ", range.max, "]"));
}

void AppendField(std::string& text, absl::string_view name, uint64_t value) {
  absl::StrAppend(&text, name, " = ", value, "\n");
}

void AppendField(std::string& text, absl::string_view name, absl::string_view value) {
  absl::StrAppend(&text, name, " = \"", value, "\"\n");
}

}  // namespace

absl::Status CheckOptions(const Options& options) {
  FIRN_RETURN_IF_ERROR(CheckIdentity(options.identity));
  FIRN_RETURN_IF_ERROR(CheckRange("memtable_size", options.memtable_size, {64 * kKiB, 4 * kGiB}));
  FIRN_RETURN_IF_ERROR(
      CheckRange("immutable_memtables_max", options.immutable_memtables_max, {1, 16}));
  FIRN_RETURN_IF_ERROR(CheckRange("block_cache_size", options.block_cache_size, {0, kTiB}));
  FIRN_RETURN_IF_ERROR(CheckRange("open_segments_max", options.open_segments_max, {16, 65536}));
  FIRN_RETURN_IF_ERROR(CheckRange("log_size_max", options.log_size_max, {kMiB, 64 * kGiB}));
  FIRN_RETURN_IF_ERROR(CheckRange("segment_size", options.segment_size, {64 * kKiB, 4 * kGiB}));
  FIRN_RETURN_IF_ERROR(CheckRange("level0_segments_merge", options.level0_segments_merge, {2, 64}));
  FIRN_RETURN_IF_ERROR(CheckRange("level0_segments_slow", options.level0_segments_slow,
                                  {options.level0_segments_merge, 4096}));
  FIRN_RETURN_IF_ERROR(CheckRange("level0_segments_stop", options.level0_segments_stop,
                                  {options.level0_segments_slow + 1, 65536}));
  FIRN_RETURN_IF_ERROR(CheckRange("level1_size", options.level1_size, {kMiB, kTiB}));
  return CheckRange("background_threads", options.background_threads, {2, 64});
}

absl::Status CheckKeyspaceOptions(const KeyspaceOptions& options) {
  FIRN_RETURN_IF_ERROR(CheckRange("layout", static_cast<uint64_t>(options.layout), {1, 3}));
  if (options.layout == KeyspaceLayout::kHashed) {
    FIRN_RETURN_IF_ERROR(CheckRange("key_width", options.key_width, {8, 64}));
  }
  FIRN_RETURN_IF_ERROR(
      CheckRange("compression", static_cast<uint64_t>(options.compression), {1, 2}));
  FIRN_RETURN_IF_ERROR(CheckRange("block_size", options.block_size, {512, kMiB}));
  FIRN_RETURN_IF_ERROR(
      CheckRange("compression_threshold", options.compression_threshold, {0, kGiB}));
  return CheckRange("filter_bits_per_key", options.filter_bits_per_key, {0, 32});
}

absl::string_view LayoutName(KeyspaceLayout layout) {
  switch (layout) {
    case KeyspaceLayout::kOrdered:
      return "ordered";
    case KeyspaceLayout::kHashed:
      return "hashed";
    case KeyspaceLayout::kSequence:
      return "sequence";
  }
  return "unknown";
}

absl::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kLz4:
      return "lz4";
  }
  return "unknown";
}

std::string EncodeOptionsFile(const Options& options,
                              const std::map<std::string, KeyspaceOptions>& keyspaces) {
  std::string text = "# The options in force since the store was last opened; sizes in bytes.\n";
  absl::StrAppend(&text, "# Written by firn for people: changing it changes nothing.\n\n[store]\n");
  AppendField(text, "storage", options.storage == Storage::kMemory ? "memory" : "disk");
  AppendField(text, "memtable_size", options.memtable_size);
  AppendField(text, "immutable_memtables_max", options.immutable_memtables_max);
  AppendField(text, "block_cache_size", options.block_cache_size);
  AppendField(text, "open_segments_max", options.open_segments_max);
  AppendField(text, "log_size_max", options.log_size_max);
  AppendField(text, "segment_size", options.segment_size);
  AppendField(text, "level0_segments_merge", options.level0_segments_merge);
  AppendField(text, "level0_segments_slow", options.level0_segments_slow);
  AppendField(text, "level0_segments_stop", options.level0_segments_stop);
  AppendField(text, "level1_size", options.level1_size);
  AppendField(text, "background_threads", options.background_threads);
  for (const auto& [name, keyspace] : keyspaces) {
    absl::StrAppend(&text, "\n[keyspaces.", name, "]\n");
    AppendField(text, "layout", LayoutName(keyspace.layout));
    if (keyspace.layout == KeyspaceLayout::kHashed) {
      AppendField(text, "key_width", keyspace.key_width);
    }
    AppendField(text, "compression", CompressionName(keyspace.compression));
    AppendField(text, "block_size", keyspace.block_size);
    AppendField(text, "compression_threshold", keyspace.compression_threshold);
    AppendField(text, "filter_bits_per_key", keyspace.filter_bits_per_key);
  }
  return text;
}

absl::Status WriteOptionsFile(FileSystem& file_system, absl::string_view directory,
                              const Options& options,
                              const std::map<std::string, KeyspaceOptions>& keyspaces) {
  return WriteFileAtomically(file_system, JoinPath(directory, kOptionsFileName),
                             EncodeOptionsFile(options, keyspaces));
}

}  // namespace firn
