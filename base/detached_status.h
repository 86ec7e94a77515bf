// base/detached_status.h: a Status that shares nothing with the one it was copied from.
//
// Copies of a Status share a reference count, which the packaged Abseil changes in code that is not
// built for TSan (docs/decisions/0002): what one thread frees after another looks like a race there.
// So a sticky error that is given to several threads is given as detached copies.
#ifndef FIRN_BASE_DETACHED_STATUS_H_
#define FIRN_BASE_DETACHED_STATUS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace firn {

inline absl::Status DetachedCopy(const absl::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status copy(status.code(), status.message());
  status.ForEachPayload([&copy](absl::string_view url, const absl::Cord& payload) {
    copy.SetPayload(url, absl::Cord(std::string(payload)));
  });
  return copy;
}

}  // namespace firn

#endif  // FIRN_BASE_DETACHED_STATUS_H_
