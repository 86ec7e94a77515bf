#include "tests/support/golden_reader.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace firn {
namespace {

// One line of the block, appended to `bytes`.
absl::Status AppendLine(absl::string_view line, std::string& bytes) {
  const size_t colon = line.find(':');
  uint64_t offset = 0;
  if (colon == absl::string_view::npos ||
      !absl::SimpleHexAtoi(absl::StripAsciiWhitespace(line.substr(0, colon)), &offset)) {
    return InvalidArgument(absl::StrCat("not \"offset: bytes\": ", line));
  }
  if (offset != bytes.size()) {
    return InvalidArgument(
        absl::StrFormat("offset %#x where %#x bytes came before: %s", offset, bytes.size(), line));
  }
  for (const absl::string_view word :
       absl::StrSplit(line.substr(colon + 1), absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    uint32_t byte = 0;
    if (word.size() != 2 || !absl::SimpleHexAtoi(word, &byte)) {
      return InvalidArgument(absl::StrCat("not a byte: ", word));
    }
    bytes.push_back(static_cast<char>(byte));
  }
  return absl::OkStatus();
}

// Is `line` the opening of the wanted block?
bool Opens(absl::string_view line, absl::string_view name) {
  if (!absl::ConsumePrefix(&line, "```hex")) return false;
  if (!line.empty() && line.front() != ' ') return false;
  return name.empty() || absl::StripAsciiWhitespace(line) == name;
}

}  // namespace

absl::StatusOr<std::string> ParseGoldenHex(absl::string_view page, absl::string_view name) {
  std::string bytes;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    if (!inside) {
      inside = Opens(line, name);
      continue;
    }
    if (line == "```") return bytes;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    FIRN_RETURN_IF_ERROR(AppendLine(line, bytes));
  }
  return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNone,
                   inside ? "the hex block does not end" : absl::StrCat("no hex block ", name));
}

absl::StatusOr<std::string> ReadGoldenHex(absl::string_view path, absl::string_view name) {
  FIRN_ASSIGN_OR_RETURN(const std::string page, ReadSourceFile(path));
  absl::StatusOr<std::string> bytes = ParseGoldenHex(page, name);
  if (!bytes.ok()) return Annotate(bytes.status(), path);
  return bytes;
}

absl::StatusOr<std::string> ReadSourceFile(absl::string_view path) {
  const std::string full =
      absl::StartsWith(path, "/") ? std::string(path) : absl::StrCat(SourceRoot(), "/", path);
  std::ifstream file(full, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", full));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

std::string SourceRoot() { return FIRN_SOURCE_ROOT; }

}  // namespace firn
