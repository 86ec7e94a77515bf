// tools/records/input.h: a file or standard input read line by line, with the position and the hash
// of all that was consumed, so that an import can be resumed exactly where a commit left it.
#ifndef FIRN_TOOLS_RECORDS_INPUT_H_
#define FIRN_TOOLS_RECORDS_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/blake2b.h"
#include "firn/proof.h"

namespace firn {

inline constexpr size_t kLineSizeMax = size_t{1} << 20;  // bytes; what follows in the line is dropped

// One line of input; the view dies at the next call of Next().
struct InputLine {
  absl::string_view text;      // without its line end (LF or CR LF)
  uint64_t number = 0;         // from 1
  bool too_long = false;       // `text` is its first kLineSizeMax bytes
};

// One thread. Input is read once, front to back, so a pipe will do.
class Input {
 public:
  // `path` "-" is standard input. NotFound, or an I/O error, with the path.
  static absl::StatusOr<std::unique_ptr<Input>> Open(absl::string_view path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // False at the end. An I/O error otherwise.
  absl::StatusOr<bool> Next(InputLine& line);
  // The first line, without consuming it; empty at the end of input.
  absl::StatusOr<std::string> PeekFirstLine();

  const std::string& path() const { return path_; }
  // Bytes and lines consumed, line ends included.
  uint64_t offset() const { return offset_; }
  uint64_t line_number() const { return line_number_; }
  // BLAKE2b-256 of all bytes consumed.
  Label HashOfConsumed() const;
  // Whether Open() of the same path begins at the first byte again: not so for a pipe, nor for
  // standard input, whose place is shared by all who read it.
  bool can_be_read_again() const { return owned_ && regular_; }

 private:
  Input(std::string path, int descriptor, bool owned, bool regular);
  absl::StatusOr<bool> Fill();  // false at the end

  const std::string path_;
  const int descriptor_;
  const bool owned_;
  const bool regular_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // unread bytes of buffer_ are [begin_, end_)
  size_t end_ = 0;
  bool at_end_ = false;
  std::string line_;
  uint64_t offset_ = 0;
  uint64_t line_number_ = 0;
  Blake2b256 hash_;
};

}  // namespace firn

#endif  // FIRN_TOOLS_RECORDS_INPUT_H_
