// engine/admin/config.h: options from a TOML file.
//
//     preset = "read-heavy"              # optional: what is not named below is as this preset has it
//     [store]                            # fields of firn::Options
//     storage = "disk"                   # or "memory"
//     block_cache_size = "1 GB"          # a number of bytes, or with a unit; 1 GB = 1 GiB = 2^30 here
//     [cache]                            # the same options by another name: what caches have to do with
//     block_cache_size = "1 GB"          # of [store]
//     compression_threshold = 1024       # of [keyspace]; there too with another value: refused
//     [keyspace]                         # of keyspaces without a table of their own
//     filter_bits_per_key = 12
//     [keyspaces.notes]                  # fields of firn::KeyspaceOptions; the rest as [keyspace]
//     layout = "hashed"                  # or "ordered", "sequence"
//     key_width = 32
//     compression = "none"               # or "lz4", "lz4hc", "zstd"
//
// The file OPTIONS.toml of a store is of this form. A key that is unknown, of the wrong type, out of
// its range or there twice is an error with its line: nothing is ignored.
#ifndef FIRN_ENGINE_ADMIN_CONFIG_H_
#define FIRN_ENGINE_ADMIN_CONFIG_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/options.h"
#include "firn/presets.h"

namespace firn {

struct Config {
  Preset preset = Preset::kBalanced;
  Options store;
  KeyspaceOptions keyspace;
  std::map<std::string, KeyspaceOptions> keyspaces;
};

// `name` is for messages, such as the file's. InvalidArgument/kInvalidOption: "F.toml:12: option
// memtable_size: ...".
absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name);

// NotFound, or what ParseConfig() says.
absl::StatusOr<Config> ReadConfig(const std::string& path);

// Bytes: digits, then nothing, B, or one of k K M G T with B or iB behind it: powers of 1024 in every
// case. InvalidArgument for anything else and for what does not fit 64 bits.
absl::StatusOr<uint64_t> ParseSize(absl::string_view text);

}  // namespace firn

#endif  // FIRN_ENGINE_ADMIN_CONFIG_H_
