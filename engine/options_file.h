// engine/options_file.h: OPTIONS.toml, the options in force, for people to read. It is written at
// every open and never read back by the engine: what must last (the layout of a keyspace, the facts
// of a store) stands in the manifest and in FIRN. The commands of `firn` read the table [store], so that
// a store is opened as it was created (engine/admin/config.h).
#ifndef FIRN_ENGINE_OPTIONS_FILE_H_
#define FIRN_ENGINE_OPTIONS_FILE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "firn/options.h"
#include "io/file_system.h"

namespace firn {

absl::string_view LayoutName(KeyspaceLayout layout);
absl::string_view CompressionName(Compression compression);

// `keyspaces` by name.
std::string EncodeOptionsFile(const Options& options,
                              const std::map<std::string, KeyspaceOptions>& keyspaces);
absl::Status WriteOptionsFile(FileSystem& file_system, absl::string_view directory,
                              const Options& options,
                              const std::map<std::string, KeyspaceOptions>& keyspaces);

}  // namespace firn

#endif  // FIRN_ENGINE_OPTIONS_FILE_H_
