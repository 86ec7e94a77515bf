// base/status.h: how firn makes and passes errors. Every error says what, where (file, offset), what
// was expected and what was found; its reason is a payload (firn/error.h).
#ifndef FIRN_BASE_STATUS_H_
#define FIRN_BASE_STATUS_H_

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/error.h"

namespace firn {

// Expected and found, named so that they cannot be swapped.
struct Mismatch {
  uint64_t expected = 0;
  uint64_t actual = 0;
};

// An error with its reason.
absl::Status MakeError(absl::StatusCode code, ErrorReason reason, absl::string_view message);

// Attaches `reason` to an error that has none; OK and errors that have one pass unchanged.
absl::Status WithReason(absl::Status status, ErrorReason reason);

// `status` with "context: " before its message; code and payloads are kept. OK passes unchanged.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

// DataLoss: "FILE: offset N: WHAT: expected 0x.., found 0x..".
absl::Status CorruptionAt(absl::string_view file, uint64_t offset, absl::string_view what,
                          Mismatch mismatch);
absl::Status CorruptionAt(absl::string_view file, uint64_t offset, absl::string_view what);

// InvalidArgument naming the option, the value and the allowed range.
absl::Status InvalidOption(absl::string_view option, absl::string_view problem);

// InvalidArgument for any other wrong argument.
absl::Status InvalidArgument(absl::string_view problem);

// Maps errno once: ENOSPC, EDQUOT -> ResourceExhausted/kDiskFull, ENOENT -> NotFound, EEXIST ->
// AlreadyExists, EACCES, EPERM, EROFS -> PermissionDenied, EMFILE, ENFILE, ENOMEM ->
// ResourceExhausted, EIO and the rest -> Unavailable/kIo ("context: Input/output error (errno 5)").
absl::Status ErrnoStatus(int error_number, absl::string_view context);

namespace status_internal {
inline const absl::Status& AsStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& AsStatus(const absl::StatusOr<T>& result) {
  return result.status();
}
}  // namespace status_internal

}  // namespace firn

#define FIRN_STATUS_CONCAT_INNER(a, b) a##b
#define FIRN_STATUS_CONCAT(a, b) FIRN_STATUS_CONCAT_INNER(a, b)

// Returns from the function if `expression` (Status) is an error.
#define FIRN_RETURN_IF_ERROR(expression)                             \
  do {                                                               \
    absl::Status firn_status_ = (expression);                        \
    if (!firn_status_.ok()) [[unlikely]] return firn_status_;        \
  } while (false)

// FIRN_ASSIGN_OR_RETURN(auto x, Call()): assigns the value or returns the error.
#define FIRN_ASSIGN_OR_RETURN(target, expression) \
  FIRN_ASSIGN_OR_RETURN_INNER(FIRN_STATUS_CONCAT(firn_result_, __LINE__), target, expression)
#define FIRN_ASSIGN_OR_RETURN_INNER(result, target, expression)          \
  auto result = (expression);                                            \
  if (!result.ok()) [[unlikely]] return std::move(result).status();      \
  target = std::move(result).value()

#endif  // FIRN_BASE_STATUS_H_
