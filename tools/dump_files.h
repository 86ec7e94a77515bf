// tools/dump_files.h: what stands in a file of firn's, told apart by its content, as text for people.
// A damaged file is shown up to the damage, which is then named with its offset.
#ifndef FIRN_TOOLS_DUMP_FILES_H_
#define FIRN_TOOLS_DUMP_FILES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "io/file_system.h"

namespace firn {

struct DumpOptions {
  bool entries = false;  // --entries: the entries of blocks, batches and edits too
  bool hex = false;      // --hex: keys and values as hex even where they are text
  uint64_t limit = 0;    // --limit: at most so many entries; 0: all
};

// Takes one line without its end.
using DumpSink = std::function<void(absl::string_view line)>;

enum class DumpKind : uint8_t {
  kUnknown = 0,
  kSegment = 1,
  kLog = 2,  // of writes, or a manifest
  kStoreFile = 3,
  kProofBundle = 4,
};

// By magic bytes at the beginning or the end; the name plays no part.
absl::StatusOr<DumpKind> DetectDumpKind(FileSystem& file_system, const std::string& path);

// OK: shown whole, all checksums good. DataLoss: shown as far as it goes; where the damage is.
absl::Status DumpFile(FileSystem& file_system, const std::string& path, const DumpOptions& options,
                      const DumpSink& sink);

// The forms, each for a file of its kind.
absl::Status DumpSegment(FileSystem& file_system, const std::string& path,
                         const DumpOptions& options, const DumpSink& sink);
absl::Status DumpLog(FileSystem& file_system, const std::string& path, const DumpOptions& options,
                     const DumpSink& sink);

// Printable text in quotes, or hex.
std::string ShowBytes(absl::string_view bytes, const DumpOptions& options);

}  // namespace firn

#endif  // FIRN_TOOLS_DUMP_FILES_H_
