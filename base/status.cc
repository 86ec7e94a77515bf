#include "base/status.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/optional.h"

namespace firn {
namespace {

// strerror_r in a buffer of our own: std::strerror is not thread-safe.
std::string ErrnoText(int error_number) {
  char buffer[128];
  return std::string(strerror_r(error_number, buffer, sizeof(buffer)));  // the GNU variant
}

struct CodeAndReason {
  absl::StatusCode code;
  ErrorReason reason;
};

CodeAndReason ClassifyErrno(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return {absl::StatusCode::kResourceExhausted, ErrorReason::kDiskFull};
    case ENOENT:
      return {absl::StatusCode::kNotFound, ErrorReason::kIo};
    case EEXIST:
      return {absl::StatusCode::kAlreadyExists, ErrorReason::kIo};
    case EACCES:
    case EPERM:
    case EROFS:
      return {absl::StatusCode::kPermissionDenied, ErrorReason::kIo};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return {absl::StatusCode::kResourceExhausted, ErrorReason::kIo};
    default:
      return {absl::StatusCode::kUnavailable, ErrorReason::kIo};
  }
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, ErrorReason reason, absl::string_view message) {
  return WithReason(absl::Status(code, message), reason);
}

absl::Status WithReason(absl::Status status, ErrorReason reason) {
  if (status.ok() || reason == ErrorReason::kNone || ReasonOf(status) != ErrorReason::kNone) {
    return status;
  }
  status.SetPayload(kErrorReasonUrl, absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status CorruptionAt(absl::string_view file, uint64_t offset, absl::string_view what,
                          Mismatch mismatch) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrFormat("%s: offset %d: %s: expected %#x, found %#x", file, offset, what,
                                   mismatch.expected, mismatch.actual));
}

absl::Status CorruptionAt(absl::string_view file, uint64_t offset, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrFormat("%s: offset %d: %s", file, offset, what));
}

absl::Status InvalidOption(absl::string_view option, absl::string_view problem) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidOption,
                   absl::StrCat("option ", option, ": ", problem));
}

absl::Status InvalidArgument(absl::string_view problem) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidArgument, problem);
}

absl::Status ErrnoStatus(int error_number, absl::string_view context) {
  const CodeAndReason kind = ClassifyErrno(error_number);
  return MakeError(kind.code, kind.reason,
                   absl::StrFormat("%s: %s (errno %d)%s", context, ErrnoText(error_number),
                                   error_number,
                                   kind.reason == ErrorReason::kDiskFull
                                       ? "; make room on this file system, then try again"
                                       : ""));
}

ErrorReason ReasonOf(const absl::Status& status) {
  if (status.ok()) return ErrorReason::kNone;
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorReasonUrl);
  int number = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &number)) {
    return ErrorReason::kNone;
  }
  if (number < 0 || number > UINT16_MAX) return ErrorReason::kNone;
  return static_cast<ErrorReason>(number);
}

absl::string_view ErrorReasonName(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kNone: return "none";
    case ErrorReason::kIo: return "io";
    case ErrorReason::kCorruption: return "corruption";
    case ErrorReason::kDiskFull: return "disk_full";
    case ErrorReason::kNotAStore: return "not_a_store";
    case ErrorReason::kFormatVersion: return "format_version";
    case ErrorReason::kLocked: return "locked";
    case ErrorReason::kInvalidOption: return "invalid_option";
    case ErrorReason::kInvalidArgument: return "invalid_argument";
    case ErrorReason::kClosed: return "closed";
    case ErrorReason::kPoisoned: return "poisoned";
    case ErrorReason::kKeyspaceNotFound: return "keyspace_not_found";
    case ErrorReason::kKeyspaceExists: return "keyspace_exists";
    case ErrorReason::kKeyspaceDropped: return "keyspace_dropped";
    case ErrorReason::kTooLarge: return "too_large";
    case ErrorReason::kMissingFile: return "missing_file";
    case ErrorReason::kSerialization: return "serialization";
    case ErrorReason::kUnsupported: return "unsupported";
    case ErrorReason::kKeyspaceFull: return "keyspace_full";
    case ErrorReason::kConflict: return "conflict";
    case ErrorReason::kTransactionEnded: return "transaction_ended";
    case ErrorReason::kSavepointExists: return "savepoint_exists";
    case ErrorReason::kSavepointNotFound: return "savepoint_not_found";
    case ErrorReason::kKeyNotFound: return "key_not_found";
    case ErrorReason::kKeyExists: return "key_exists";
    case ErrorReason::kIllegalKey: return "illegal_key";
    case ErrorReason::kIllegalValue: return "illegal_value";
    case ErrorReason::kInvalidProof: return "invalid_proof";
    case ErrorReason::kMissingNode: return "missing_node";
    case ErrorReason::kLabelMismatch: return "label_mismatch";
    case ErrorReason::kStateMismatch: return "state_mismatch";
    case ErrorReason::kSequenceGap: return "sequence_gap";
    case ErrorReason::kSequenceTaken: return "sequence_taken";
    case ErrorReason::kOverflow: return "overflow";
    case ErrorReason::kNotRetained: return "not_retained";
    case ErrorReason::kOperationRefused: return "operation_refused";
  }
  return "unknown";  // a number from a newer version
}

}  // namespace firn
