// tools/gzip_lines.h: the lines of a text file, gzip-compressed or plain.
#ifndef FIRN_TOOLS_GZIP_LINES_H_
#define FIRN_TOOLS_GZIP_LINES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace firn {

// One thread at a time.
class GzipLines {
 public:
  static absl::StatusOr<GzipLines> Open(const std::string& path);

  // Reads the next line, without its end, into `line`. False: there is none. A line of more than
  // 256 MiB, damaged compression or a read error is DataLoss.
  absl::StatusOr<bool> Next(std::string& line);

  const std::string& path() const { return path_; }
  uint64_t line_number() const { return line_number_; }  // of the last line, from 1

 private:
  struct Close {
    void operator()(void* file) const;
  };
  GzipLines(std::string path, void* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<void, Close> file_;  // gzFile
  std::string buffer_;
  size_t begin_ = 0;  // of what is left in buffer_
  bool at_end_ = false;
  uint64_t line_number_ = 0;
};

}  // namespace firn

#endif  // FIRN_TOOLS_GZIP_LINES_H_
