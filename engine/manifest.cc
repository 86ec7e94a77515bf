#include "engine/manifest.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "engine/file_names.h"

namespace firn {
namespace {

constexpr uint64_t kCurrentSizeMax = 4096;

}  // namespace

std::string EncodeCurrent(FileNumber manifest) {
  const std::string name = ManifestName(manifest);
  return absl::StrFormat("%s %08x\n", name, Crc32c(AsBytes(name)));
}

absl::StatusOr<FileNumber> DecodeCurrent(absl::string_view path, absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> words =
      absl::StrSplit(absl::StripSuffix(text, "\n"), absl::MaxSplits(' ', 1));
  const std::optional<FileNumber> number = ParseManifestName(words.first);
  if (!number.has_value() || text != EncodeCurrent(*number)) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     absl::StrCat(path, ": damaged: it is not the name of a manifest and its ",
                                  "checksum"));
  }
  return *number;
}

absl::StatusOr<FileNumber> ReadCurrent(FileSystem& file_system, absl::string_view directory) {
  const std::string path = JoinPath(directory, kCurrentFileName);
  FIRN_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file_system, path, kCurrentSizeMax));
  return DecodeCurrent(path, text);
}

absl::Status SwitchCurrent(FileSystem& file_system, absl::string_view directory,
                           FileNumber manifest) {
  return WriteFileAtomically(file_system, JoinPath(directory, kCurrentFileName),
                             EncodeCurrent(manifest));
}

absl::StatusOr<std::unique_ptr<Manifest>> Manifest::Create(FileSystem& file_system,
                                                           absl::string_view directory,
                                                           FileNumber number, uint64_t salt,
                                                           const StoreState& state) {
  LogHeader header;
  header.kind = LogKind::kManifest;
  header.number = number;
  header.salt = salt;
  FIRN_ASSIGN_OR_RETURN(
      auto log, LogWriter::Create(file_system, JoinPath(directory, ManifestName(number)), header));
  std::unique_ptr<Manifest> manifest(new Manifest(std::move(log)));
  for (const VersionEdit& edit : state.AsEdits()) FIRN_RETURN_IF_ERROR(manifest->Append(edit));
  FIRN_RETURN_IF_ERROR(file_system.SyncDirectory(directory));
  manifest->size_at_creation_ = manifest->synced_size();
  return manifest;
}

absl::Status Manifest::Append(const VersionEdit& edit) {
  return log_->Append(AsBytes(EncodeVersionEdit(edit)), SequenceRange{});
}

absl::Status Manifest::Close() { return log_->Close(SequenceNumber{}).status(); }

absl::StatusOr<ReadManifest> LoadManifest(FileSystem& file_system, absl::string_view directory,
                                          FileNumber number, uint64_t synced_size_min) {
  const std::string path = JoinPath(directory, ManifestName(number));
  LogReaderOptions options;
  options.kind = LogKind::kManifest;
  options.number = number;
  options.synced_size_min = synced_size_min;
  absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(file_system, path, options);
  if (absl::IsNotFound(reader.status())) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingFile,
                     absl::StrCat(path, ": missing, though CURRENT names it"));
  }
  FIRN_RETURN_IF_ERROR(reader.status());
  ReadManifest read;
  while (true) {
    FIRN_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, (*reader)->Next());
    if (!record.has_value()) break;
    absl::StatusOr<VersionEdit> edit = DecodeVersionEdit(AsText(record->payload));
    absl::StatusOr<StoreState> next =
        edit.ok() ? read.state.Apply(*edit) : absl::StatusOr<StoreState>(edit.status());
    if (!next.ok()) {
      return Annotate(next.status(), absl::StrCat(path, ": offset ", record->offset));
    }
    read.state = *std::move(next);
    ++read.edits;
  }
  if (read.edits == 0) return CorruptionAt(path, 0, "a manifest without a record");
  read.ending = (*reader)->ending();
  return read;
}

}  // namespace firn
