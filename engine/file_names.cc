#include "engine/file_names.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "io/file_system.h"
#include "wal/log_files.h"

namespace firn {
namespace {

constexpr char kManifestPrefix[] = "MANIFEST-";
constexpr char kSegmentSuffix[] = ".seg";
constexpr size_t kKeyspaceNameSizeMax = 64;

std::string Digits(FileNumber number) { return absl::StrFormat("%06d", number.value); }

std::optional<FileNumber> ParseDigits(absl::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  if (!absl::SimpleAtoi(digits, &value) || value == 0 || value > kFileNumberMax) {
    return std::nullopt;
  }
  if (digits != Digits(FileNumber{value})) return std::nullopt;
  return FileNumber{value};
}

}  // namespace

std::string ManifestName(FileNumber number) {
  return absl::StrCat(kManifestPrefix, Digits(number));
}

std::optional<FileNumber> ParseManifestName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kManifestPrefix)) return std::nullopt;
  return ParseDigits(name);
}

std::string SegmentName(FileNumber number) { return absl::StrCat(Digits(number), kSegmentSuffix); }

std::optional<FileNumber> ParseSegmentName(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, kSegmentSuffix)) return std::nullopt;
  return ParseDigits(name);
}

std::string SegmentPath(absl::string_view directory, absl::string_view keyspace,
                        FileNumber number) {
  return JoinPath(JoinPath(directory, keyspace), SegmentName(number));
}

bool IsKeyspaceName(absl::string_view name) {
  if (name.empty() || name.size() > kKeyspaceNameSizeMax) return false;
  for (const char c : name) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) return false;
  }
  return name != kLogDirectoryName && name != kQuarantineDirectoryName;
}

}  // namespace firn
