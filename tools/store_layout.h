// tools/store_layout.h: which files a store's folder holds and what each is for, told by their names
// alone: nothing is opened, changed or removed.
#ifndef FIRN_TOOLS_STORE_LAYOUT_H_
#define FIRN_TOOLS_STORE_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/file_system.h"

namespace firn {

struct LayoutEntry {
  std::string path;  // below the store's folder
  std::string role;  // "segment of keyspace notes"; empty: firn makes no such file
  uint64_t bytes = 0;
  bool is_known() const { return !role.empty(); }
};

// Every file below `directory`, and every folder that is not firn's own, by path. What is in a folder
// that firn did not make is not looked at. FailedPrecondition/kNotAStore if there is no file FIRN.
absl::StatusOr<std::vector<LayoutEntry>> ListLayout(FileSystem& file_system,
                                                    absl::string_view directory);

}  // namespace firn

#endif  // FIRN_TOOLS_STORE_LAYOUT_H_
