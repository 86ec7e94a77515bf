#include "tools/records/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/types.h"

namespace firn {
namespace {

constexpr size_t kBufferSize = size_t{256} << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<Input>> Input::Open(absl::string_view path) {
  std::string name(path);
  int descriptor = STDIN_FILENO;
  const bool owned = name != "-";
  if (owned) {
    descriptor = open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return ErrnoStatus(errno, absl::StrCat("cannot open input ", name));
  } else {
    name = "standard input";
  }
  struct stat info{};
  bool regular = false;
  if (fstat(descriptor, &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      if (owned) close(descriptor);
      return InvalidArgument(absl::StrCat("input ", name, " is a folder; give a file or -"));
    }
    regular = S_ISREG(info.st_mode);
  }
  return absl::WrapUnique(new Input(std::move(name), descriptor, owned, regular));
}

Input::Input(std::string path, int descriptor, bool owned, bool regular)
    : path_(std::move(path)),
      descriptor_(descriptor),
      owned_(owned),
      regular_(regular),
      buffer_(kBufferSize) {}

Input::~Input() {
  if (owned_) close(descriptor_);
}

absl::StatusOr<bool> Input::Fill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (true) {
    const ssize_t count = read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return ErrnoStatus(errno, absl::StrCat("cannot read ", path_, " at offset ", offset_));
    }
    at_end_ = count == 0;
    end_ += static_cast<size_t>(count);
    return count > 0;
  }
}

absl::StatusOr<std::string> Input::PeekFirstLine() {
  while (true) {
    const char* first = buffer_.data() + begin_;
    const void* newline = std::memchr(first, '\n', end_ - begin_);
    if (newline != nullptr) {
      return std::string(first, static_cast<size_t>(static_cast<const char*>(newline) - first));
    }
    if (end_ - begin_ == buffer_.size()) break;  // a long line: its beginning will do
    FIRN_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) break;
  }
  return std::string(buffer_.data() + begin_, end_ - begin_);
}

absl::StatusOr<bool> Input::Next(InputLine& line) {
  line_.clear();
  bool any = false;
  bool too_long = false;
  while (true) {
    if (begin_ == end_) {
      FIRN_ASSIGN_OR_RETURN(const bool more, Fill());
      if (!more) break;
    }
    any = true;
    const char* first = buffer_.data() + begin_;
    const char* newline = static_cast<const char*>(std::memchr(first, '\n', end_ - begin_));
    const size_t consumed =
        newline == nullptr ? end_ - begin_ : static_cast<size_t>(newline - first) + 1;
    const size_t text = newline == nullptr ? consumed : consumed - 1;
    const size_t kept = std::min(text, kLineSizeMax - line_.size());
    too_long = too_long || kept < text;
    line_.append(first, kept);
    hash_.Update(AsBytes(absl::string_view(first, consumed)));
    offset_ += consumed;
    begin_ += consumed;
    if (newline != nullptr) break;
  }
  if (!any) return false;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  ++line_number_;
  line = {.text = line_, .number = line_number_, .too_long = too_long};
  return true;
}

Label Input::HashOfConsumed() const {
  Blake2b256 copy = hash_;
  return copy.Finish();
}

}  // namespace firn
