// tests/support/temporary_directory.h: a folder of the test's own, removed with all in it at the end.
#ifndef FIRN_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H_
#define FIRN_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H_

#include <string>

#include "absl/strings/string_view.h"

namespace firn {

class TemporaryDirectory {
 public:
  // Under $TMPDIR, or /tmp.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  // "PATH/name".
  std::string File(absl::string_view name) const;

 private:
  std::string path_;
};

}  // namespace firn

#endif  // FIRN_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H_
