// engine/manifest.h: the log of version edits, and CURRENT, which says which manifest is in force.
//
// A manifest is a log file of kind 2 (wal/record_format.h): each record is one encoded version edit
// (engine/version_edit.h). Its first records make the whole state as of its creation; later ones
// change it. docs/formats/manifest.md. CURRENT is one line, docs/formats/store.md:
//
//   MANIFEST-000012 0a1b2c3d      the name, and the CRC32C of the name in 8 hex digits
//
// Invariants:
//   1. A manifest is complete and synced, with its directory entry, before CURRENT names it.
//   2. CURRENT is replaced atomically. After a replacement whose outcome is unknown nothing more is
//      written to the manifest before it: either one read at the next open says the same.
#ifndef FIRN_ENGINE_MANIFEST_H_
#define FIRN_ENGINE_MANIFEST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "engine/store_state.h"
#include "engine/version_edit.h"
#include "io/file_system.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace firn {

std::string EncodeCurrent(FileNumber manifest);
// DataLoss/kCorruption naming `path`.
absl::StatusOr<FileNumber> DecodeCurrent(absl::string_view path, absl::string_view text);

// NotFound if CURRENT is absent.
absl::StatusOr<FileNumber> ReadCurrent(FileSystem& file_system, absl::string_view directory);
absl::Status SwitchCurrent(FileSystem& file_system, absl::string_view directory,
                           FileNumber manifest);

// Writes one manifest file. One thread at a time, except the accessors.
class Manifest {
 public:
  // A new file MANIFEST-<number> that makes `state`, synced, its folder too. CURRENT stays.
  static absl::StatusOr<std::unique_ptr<Manifest>> Create(FileSystem& file_system,
                                                          absl::string_view directory,
                                                          FileNumber number, uint64_t salt,
                                                          const StoreState& state);

  // Appends `edit` and syncs. A full disk that is met before the record is begun harms nothing, and
  // the call may be repeated: error() is then OK. Any other error sticks.
  absl::Status Append(const VersionEdit& edit);

  // Writes a closing record. The last call.
  absl::Status Close();

  FileNumber number() const { return log_->number(); }
  uint64_t synced_size() const { return log_->synced_size(); }
  absl::Status error() const { return log_->error(); }  // the one that sticks
  // Bytes that the state at creation took: what a roll would shrink the file to.
  uint64_t size_at_creation() const { return size_at_creation_; }

 private:
  explicit Manifest(std::unique_ptr<LogWriter> log) : log_(std::move(log)) {}

  const std::unique_ptr<LogWriter> log_;
  uint64_t size_at_creation_ = 0;
};

// What was read of a manifest.
struct ReadManifest {
  StoreState state;
  uint64_t edits = 0;
  LogEnding ending = LogEnding::kUnclosed;
};

// `synced_size_min`: so much of it was on stable storage, as a log's header says. Errors:
// kMissingFile, DataLoss naming the file and the offset of the record.
absl::StatusOr<ReadManifest> LoadManifest(FileSystem& file_system, absl::string_view directory,
                                          FileNumber number, uint64_t synced_size_min);

}  // namespace firn

#endif  // FIRN_ENGINE_MANIFEST_H_
