#include "engine/options_file.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/file_names.h"
#include "engine/store_file.h"
#include "firn/option_names.h"

namespace firn {
namespace {

void AppendField(std::string& text, absl::string_view name, uint64_t value) {
  absl::StrAppend(&text, name, " = ", value, "\n");
}

void AppendField(std::string& text, absl::string_view name, absl::string_view value) {
  absl::StrAppend(&text, name, " = \"", value, "\"\n");
}

}  // namespace

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
    case Compression::kLz4Hc:
      return "lz4hc";
    case Compression::kZstd:
      return "zstd";
  }
  return "unknown";
}

std::string EncodeOptionsFile(const Options& options,
                              const std::map<std::string, KeyspaceOptions>& keyspaces) {
  std::string text = "# The options in force since the store was last opened; sizes in bytes.\n";
  absl::StrAppend(&text, "# Written at every open. The command line opens the store with [store]; for a\n",
                  "# program that embeds firn, changing it changes nothing.\n\n[store]\n");
  AppendField(text, "storage", options.storage == Storage::kMemory ? "memory" : "disk");
  for (const OptionName& about : StoreOptionNames()) {
    AppendField(text, about.name, GetOption(options, about.name).value());
  }
  for (const auto& [name, keyspace] : keyspaces) {
    absl::StrAppend(&text, "\n[keyspaces.", name, "]\n");
    AppendField(text, "layout", LayoutName(keyspace.layout));
    AppendField(text, "compression", CompressionName(keyspace.compression));
    for (const OptionName& about : KeyspaceOptionNames()) {
      const bool is_width = about.name == "key_width";
      if (is_width && keyspace.layout != KeyspaceLayout::kHashed) continue;  // not used
      AppendField(text, about.name, GetOption(keyspace, about.name).value());
    }
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
