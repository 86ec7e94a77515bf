// examples/check.h: how the examples end when something is not as they say. A program of your own
// would pass the Status on; an example has nobody to pass it to.
#ifndef FIRN_EXAMPLES_CHECK_H_
#define FIRN_EXAMPLES_CHECK_H_

#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace example {

inline void Require(bool holds, absl::string_view what) {
  if (holds) return;
  std::cerr << "not as expected: " << what << "\n";
  std::exit(1);
}

inline void Require(const absl::Status& status) { Require(status.ok(), status.ToString()); }

// The value of a result that must be one.
template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  Require(result.status());
  return *std::move(result);
}

// The folder that the program was called with.
inline const char* FolderFrom(int count, char** arguments) {
  if (count == 2) return arguments[1];
  std::cerr << "usage: " << arguments[0] << " FOLDER, which must not exist yet\n";
  std::exit(2);
}

}  // namespace example

#endif  // FIRN_EXAMPLES_CHECK_H_
