// tests/support/golden_reader.h: the worked hex example of a page in docs/formats, as bytes. A test
// that encodes and decodes it keeps page and code from drifting apart.
//
// The example is a fenced block that opens with "```hex"; an optional name may follow, as in
// "```hex two_records". Each line is "offset: hex bytes  # comment":
//
//   0000: 46 49 52 4e 01 00  # magic, version
//   0006: 2a                 # number
//
// The offset is hexadecimal and must be the number of bytes that came before it in the block. Blank
// lines and lines that hold a comment alone are skipped.
#ifndef FIRN_TESTS_SUPPORT_GOLDEN_READER_H_
#define FIRN_TESTS_SUPPORT_GOLDEN_READER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace firn {

// The bytes of the block called `name` (empty: the first block, whatever its name) in `page`, the
// text of a page.
absl::StatusOr<std::string> ParseGoldenHex(absl::string_view page, absl::string_view name = "");

// The same from a file, e.g. ReadGoldenHex("docs/formats/wal.md"). A relative path starts at the
// root of the sources.
absl::StatusOr<std::string> ReadGoldenHex(absl::string_view path, absl::string_view name = "");

// A whole file of the sources, e.g. ReadSourceFile("tests/golden/manifest_v1.bin").
absl::StatusOr<std::string> ReadSourceFile(absl::string_view path);

// The root of the sources, without a slash at its end.
std::string SourceRoot();

}  // namespace firn

#endif  // FIRN_TESTS_SUPPORT_GOLDEN_READER_H_
