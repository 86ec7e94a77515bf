#include "tools/gzip_lines.h"

#include <zlib.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr size_t kChunkSize = size_t{1} << 18;
constexpr size_t kLineSizeMax = size_t{256} << 20;

gzFile AsFile(void* file) { return static_cast<gzFile>(file); }

}  // namespace

void GzipLines::Close::operator()(void* file) const { gzclose(AsFile(file)); }

absl::StatusOr<GzipLines> GzipLines::Open(const std::string& path) {
  errno = 0;
  gzFile const file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return ErrnoStatus(errno == 0 ? ENOMEM : errno, path);
  return GzipLines(path, file);
}

absl::StatusOr<bool> GzipLines::Next(std::string& line) {
  size_t searched = begin_;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (at_end_ && begin_ < buffer_.size())) {
      line.assign(buffer_, begin_, end == std::string::npos ? end : end - begin_);
      begin_ = end == std::string::npos ? buffer_.size() : end + 1;
      ++line_number_;
      return true;
    }
    if (at_end_) return false;
    if (buffer_.size() - begin_ > kLineSizeMax) {
      return CorruptionAt(path_, 0, absl::StrCat("line ", line_number_ + 1, " is too long"));
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kChunkSize);
    const int got = gzread(AsFile(file_.get()), buffer_.data() + searched, kChunkSize);
    buffer_.resize(searched + static_cast<size_t>(got < 0 ? 0 : got));
    int code = Z_OK;
    const char* const message = gzerror(AsFile(file_.get()), &code);
    // A file that ends within its compressed data gives Z_BUF_ERROR and what could be read.
    if (got < 0 || code == Z_BUF_ERROR) {
      return CorruptionAt(
          path_, 0,
          absl::StrCat("after line ", line_number_, ": cannot be uncompressed: ", message));
    }
    at_end_ = got == 0;
  }
}

}  // namespace firn
