#include "engine/store_file.h"

#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "base/types.h"
#include "engine/file_names.h"

namespace firn {
namespace {

constexpr char kFirstLine[] = "firn store\n";
constexpr char kFormatPrefix[] = "format = ";
constexpr char kIdPrefix[] = "id = ";
constexpr char kFactPrefix[] = "fact.";
constexpr char kChecksumPrefix[] = "checksum = ";
constexpr size_t kIdSize = 32;

bool IsLowerHex(absl::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool IsPlain(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c)) || c == '=') return false;
  }
  return text.empty() || (text.front() != ' ' && text.back() != ' ');
}

absl::Status Damaged(absl::string_view path, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat(path, ": ", what));
}

// The rest of the line after `prefix`, taken off `text`; none if it does not stand there.
std::optional<absl::string_view> TakeLine(absl::string_view& text, absl::string_view prefix) {
  const size_t end = text.find('\n');
  if (end == absl::string_view::npos || !absl::StartsWith(text, prefix)) return std::nullopt;
  const absl::string_view rest = text.substr(prefix.size(), end - prefix.size());
  text.remove_prefix(end + 1);
  return rest;
}

std::string ChecksumLine(absl::string_view before) {
  return absl::StrFormat("%s%08x\n", kChecksumPrefix, Crc32c(AsBytes(before)));
}

}  // namespace

std::string NewStoreId() {
  std::random_device device;
  std::string id;
  for (size_t i = 0; i < kIdSize / 8; ++i) absl::StrAppend(&id, absl::Hex(device(), absl::kZeroPad8));
  return id;
}

absl::Status CheckIdentity(const std::map<std::string, std::string>& identity) {
  size_t size = 0;
  for (const auto& [key, value] : identity) {
    if (key.empty() || !IsPlain(key) || !IsPlain(value)) {
      return InvalidOption("identity", absl::StrCat("the fact \"", absl::CHexEscape(key), "\" = \"",
                                                    absl::CHexEscape(value),
                                                    "\" is not printable ASCII without '=' and "
                                                    "without blanks at its ends"));
    }
    size += key.size() + value.size() + 16;
  }
  if (size > kStoreFileSizeMax / 2) return InvalidOption("identity", "larger than 512 KiB");
  return absl::OkStatus();
}

std::string EncodeStoreFile(const StoreFile& store) {
  std::string text = absl::StrCat(kFirstLine, kFormatPrefix, kStoreFormatVersion, "\n", kIdPrefix,
                                  store.id, "\n");
  for (const auto& [key, value] : store.identity) {
    absl::StrAppend(&text, kFactPrefix, key, " = ", value, "\n");
  }
  absl::StrAppend(&text, ChecksumLine(text));
  return text;
}

absl::StatusOr<StoreFile> DecodeStoreFile(absl::string_view path, absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, kFirstLine)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                     absl::StrCat(path, ": not a firn store (it does not begin with \"firn store\")"));
  }
  const std::optional<absl::string_view> format = TakeLine(rest, kFormatPrefix);
  uint32_t version = 0;
  if (!format.has_value() || !absl::SimpleAtoi(*format, &version)) {
    return Damaged(path, "no format version in its second line");
  }
  if (version != kStoreFormatVersion) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrCat(path, ": format version ", version, "; this firn reads version ",
                                  kStoreFormatVersion));
  }
  const size_t checksum_at = text.rfind(kChecksumPrefix);
  if (checksum_at == absl::string_view::npos) return Damaged(path, "its checksum line is missing");
  const absl::string_view covered = text.substr(0, checksum_at);
  const std::string expected = ChecksumLine(covered);
  if (text.substr(checksum_at) != expected) {
    return Damaged(path, absl::StrCat("its content does not match its checksum: expected ",
                                      absl::StripSuffix(expected, "\n")));
  }
  rest.remove_suffix(text.size() - checksum_at);
  StoreFile store;
  const std::optional<absl::string_view> id = TakeLine(rest, kIdPrefix);
  if (!id.has_value() || id->size() != kIdSize || !IsLowerHex(*id)) {
    return Damaged(path, "no store id of 32 hex digits in its third line");
  }
  store.id = std::string(*id);
  while (!rest.empty()) {
    const std::optional<absl::string_view> fact = TakeLine(rest, kFactPrefix);
    if (!fact.has_value()) return Damaged(path, "a line that is no fact");
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(*fact, absl::MaxSplits(" = ", 1));
    if (!store.identity.emplace(parts.first, parts.second).second) {
      return Damaged(path, absl::StrCat("the fact ", parts.first, " stands there twice"));
    }
  }
  return store;
}

absl::Status WriteStoreFile(FileSystem& file_system, absl::string_view directory,
                            const StoreFile& store) {
  return WriteFileAtomically(file_system, JoinPath(directory, kStoreFileName),
                             EncodeStoreFile(store));
}

absl::StatusOr<StoreFile> ReadStoreFile(FileSystem& file_system, absl::string_view directory) {
  const std::string path = JoinPath(directory, kStoreFileName);
  FIRN_ASSIGN_OR_RETURN(const std::string text,
                        ReadWholeFile(file_system, path, kStoreFileSizeMax));
  return DecodeStoreFile(path, text);
}

}  // namespace firn
