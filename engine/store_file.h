// engine/store_file.h: the file FIRN, which says that a folder is a store, of which format version,
// under which random id, with which facts fixed at creation. docs/formats/store.md.
//
//   firn store
//   format = 2
//   id = 3f0c...              32 hex digits, random
//   fact.<key> = <value>      any number, sorted by key: Options::identity
//   checksum = 0a1b2c3d       CRC32C, 8 hex digits, of every byte before this line
//
// Lines end with one '\n'. It is written once, atomically, and never changed. The first two lines
// never change their form, so that any version can name the version that it does not read.
#ifndef FIRN_ENGINE_STORE_FILE_H_
#define FIRN_ENGINE_STORE_FILE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/file_system.h"

namespace firn {

inline constexpr uint32_t kStoreFormatVersion = 2;
inline constexpr size_t kStoreFileSizeMax = 1 << 20;

struct StoreFile {
  std::string id;
  std::map<std::string, std::string> identity;
  friend bool operator==(const StoreFile&, const StoreFile&) = default;
};

// 32 hex digits from the system's random source.
std::string NewStoreId();

// InvalidArgument/kInvalidOption if a key or value of `identity` cannot stand in the file.
absl::Status CheckIdentity(const std::map<std::string, std::string>& identity);

std::string EncodeStoreFile(const StoreFile& store);

// Errors name `path`: kNotAStore (it does not begin as ours does), kFormatVersion (another version,
// by its number), DataLoss/kCorruption (damaged).
absl::StatusOr<StoreFile> DecodeStoreFile(absl::string_view path, absl::string_view text);

// DIR/FIRN, durably. NotFound from Read if the file is absent.
absl::Status WriteStoreFile(FileSystem& file_system, absl::string_view directory,
                            const StoreFile& store);
absl::StatusOr<StoreFile> ReadStoreFile(FileSystem& file_system, absl::string_view directory);

}  // namespace firn

#endif  // FIRN_ENGINE_STORE_FILE_H_
