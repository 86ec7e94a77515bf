// engine/file_names.h: the names of a store's files, made and parsed in one place (DESIGN 15).
//
//   DIR/FIRN  LOCK  CURRENT  OPTIONS.toml  MANIFEST-000012
//   DIR/wal/            the logs, named by wal/log_files.h
//   DIR/<keyspace>/     000051.seg
//   DIR/quarantine/     damaged files that repair moved aside
// Numbers are decimal, at least six digits, no more leading zeroes than that; a parser accepts
// exactly what the maker makes, so that a foreign file is never taken for one of ours.
#ifndef FIRN_ENGINE_FILE_NAMES_H_
#define FIRN_ENGINE_FILE_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

inline constexpr char kStoreFileName[] = "FIRN";
inline constexpr char kLockFileName[] = "LOCK";
inline constexpr char kCurrentFileName[] = "CURRENT";
inline constexpr char kOptionsFileName[] = "OPTIONS.toml";
inline constexpr char kLogDirectoryName[] = "wal";
inline constexpr char kQuarantineDirectoryName[] = "quarantine";
inline constexpr char kTemporarySuffix[] = ".tmp";  // of io's WriteFileAtomically()

std::string ManifestName(FileNumber number);
std::optional<FileNumber> ParseManifestName(absl::string_view name);

std::string SegmentName(FileNumber number);
std::optional<FileNumber> ParseSegmentName(absl::string_view name);

// DIR/<keyspace>/000051.seg
std::string SegmentPath(absl::string_view directory, absl::string_view keyspace, FileNumber number);

// 1 to 64 characters of [a-z0-9_-], and no name that the store needs itself.
bool IsKeyspaceName(absl::string_view name);

}  // namespace firn

#endif  // FIRN_ENGINE_FILE_NAMES_H_
