#include "tools/store_layout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "engine/file_names.h"
#include "wal/log_files.h"

namespace firn {
namespace {

std::string RoleOfTopFile(absl::string_view name) {
  if (name == kStoreFileName) return "what the folder is: format, id, facts of its creation";
  if (name == kLockFileName) return "lock of the process that has the store open";
  if (name == kCurrentFileName) return "which manifest is in force";
  if (name == kOptionsFileName) return "options in force when it was last opened";
  if (ParseManifestName(name).has_value()) return "manifest: keyspaces, segments, floors";
  absl::string_view stem = name;
  const bool is_temporary = absl::ConsumeSuffix(&stem, kTemporarySuffix) &&
                            (stem == kStoreFileName || stem == kCurrentFileName ||
                             stem == kOptionsFileName);
  return is_temporary ? "left over from a write that was interrupted" : "";
}

std::string RoleOfLog(absl::string_view name) {
  if (ParseLogName(name).has_value()) return "log of writes";
  const bool is_unfinished = absl::ConsumeSuffix(&name, ".tmp");
  if (!absl::ConsumeSuffix(&name, ".spare")) return "";
  // Numbered as logs are.
  if (!ParseLogName(absl::StrCat(name, ".wal")).has_value()) return "";
  return is_unfinished ? "spare log in the making" : "spare log, to be used again";
}

class Lister {
 public:
  Lister(FileSystem& file_system, absl::string_view directory)
      : file_system_(file_system), directory_(directory) {}

  absl::StatusOr<std::vector<LayoutEntry>> List() {
    FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system_.List(directory_));
    if (std::find(names.begin(), names.end(), kStoreFileName) == names.end()) {
      return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                       absl::StrCat(directory_, ": no file ", kStoreFileName,
                                    ": this is no store of firn"));
    }
    for (const std::string& name : names) FIRN_RETURN_IF_ERROR(AddTop(name));
    std::sort(entries_.begin(), entries_.end(),
              [](const LayoutEntry& a, const LayoutEntry& b) { return a.path < b.path; });
    return std::move(entries_);
  }

 private:
  absl::Status AddTop(const std::string& name) {
    FIRN_ASSIGN_OR_RETURN(const FileInfo info, file_system_.Stat(JoinPath(directory_, name)));
    if (!info.is_directory) {
      entries_.push_back({name, RoleOfTopFile(name), info.size});
      return absl::OkStatus();
    }
    if (name != kLogDirectoryName && name != kQuarantineDirectoryName && !IsKeyspaceName(name)) {
      entries_.push_back({absl::StrCat(name, "/"), "", 0});
      return absl::OkStatus();
    }
    return AddFolder(name);
  }

  absl::Status AddFolder(const std::string& folder) {
    FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          file_system_.List(JoinPath(directory_, folder)));
    for (const std::string& name : names) {
      const std::string path = JoinPath(folder, name);
      FIRN_ASSIGN_OR_RETURN(const FileInfo info, file_system_.Stat(JoinPath(directory_, path)));
      std::string role;
      if (info.is_directory) {
        role = "";
      } else if (folder == kLogDirectoryName) {
        role = RoleOfLog(name);
      } else if (folder == kQuarantineDirectoryName) {
        role = "damaged file that was set aside";
      } else if (ParseSegmentName(name).has_value()) {
        role = absl::StrCat("segment of keyspace ", folder);
      }
      entries_.push_back({info.is_directory ? absl::StrCat(path, "/") : path, std::move(role),
                          info.is_directory ? 0 : info.size});
    }
    return absl::OkStatus();
  }

  FileSystem& file_system_;
  const std::string directory_;
  std::vector<LayoutEntry> entries_;
};

}  // namespace

absl::StatusOr<std::vector<LayoutEntry>> ListLayout(FileSystem& file_system,
                                                    absl::string_view directory) {
  return Lister(file_system, directory).List();
}

}  // namespace firn
