#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace firn {

TemporaryDirectory::TemporaryDirectory() {
  const char* parent = std::getenv("TMPDIR");
  path_ = absl::StrCat(parent != nullptr && *parent != '\0' ? parent : "/tmp", "/firn-test-XXXXXX");
  FIRN_CHECK(mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // what cannot be removed stays behind; the test's verdict is its own
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

}  // namespace firn
