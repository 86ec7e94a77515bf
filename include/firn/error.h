// firn/error.h: why a call failed, in one catalogue that every layer and the C API share.
//
// A Status carries a code (what the caller can do: retry, fix an argument, free disk) and a message
// for people. Errors made by firn also carry one of these reasons as a payload, so that a program
// can tell "the tree refused the key" from "the file is damaged" without reading English. Values
// are stable: never renumbered, never reused.
#ifndef FIRN_ERROR_H_
#define FIRN_ERROR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace firn {

enum class ErrorReason : uint16_t {
  kNone = 0,               // no reason attached (an error that did not start in firn)
  kIo = 1,                 // the operating system refused a read, write or sync
  kCorruption = 2,         // bytes on disk fail a checksum or an invariant
  kDiskFull = 3,           // no space; resumes when there is room
  kNotAStore = 4,          // the directory or file is not firn's
  kFormatVersion = 5,      // written by a version of firn this one does not read
  kLocked = 6,             // another process has the store open
  kInvalidOption = 7,      // an option out of its range
  kInvalidArgument = 8,    // a call's argument is wrong
  kClosed = 9,             // the database was closed or never opened (not initialised)
  kPoisoned = 10,          // an earlier write or sync failed; reopen to go on
  kKeyspaceNotFound = 11,  // no keyspace of that name
  kKeyspaceExists = 12,    // a keyspace of that name is there already
  kKeyspaceDropped = 13,   // the handle's keyspace was dropped
  kTooLarge = 14,          // key, value or batch over its limit
  kMissingFile = 15,       // a file that the manifest names is not there
  kSerialization = 16,     // a record could not be decoded
  kUnsupported = 17,       // not built or not offered
  kKeyspaceFull = 18,      // a keyspace is above its size_limit; resumes when there is room
  // Transactions (firn/transaction.h).
  kConflict = 20,           // another write came first; run the transaction again
  kTransactionEnded = 21,   // it was committed or rolled back already
  kSavepointExists = 22,    // a savepoint of that name is there already
  kSavepointNotFound = 23,  // no savepoint of that name
  // The authenticated tree.
  kKeyNotFound = 32,       // update or remove of an absent key
  kKeyExists = 33,         // insert of a present key
  kIllegalKey = 34,        // sentinel key, or wrong length
  kIllegalValue = 35,      // wrong length for the tree, or not a number where one is needed
  kInvalidProof = 36,      // a proof that does not prove what is claimed
  kMissingNode = 37,       // a node that the tree refers to is not in the store
  kLabelMismatch = 38,     // a stored node's bytes do not hash to its label
  kStateMismatch = 39,     // two copies of the state disagree (digest, records, operations)
  kSequenceGap = 40,       // operation numbers are not consecutive
  kSequenceTaken = 41,     // that operation number is in use
  kOverflow = 42,          // 64-bit arithmetic left its range
  kNotRetained = 43,       // that root, checkpoint or operation is not kept (any more)
  kOperationRefused = 44,  // the tree's flags do not allow this operation
};

// The payload's type URL: the reason as a decimal number.
inline constexpr char kErrorReasonUrl[] = "firn/reason";

// The reason attached to `status`; kNone for OK and for foreign errors. Thread-safe.
ErrorReason ReasonOf(const absl::Status& status);

// A stable lower-case word for logs and JSON, e.g. "label_mismatch". Never null.
absl::string_view ErrorReasonName(ErrorReason reason);

}  // namespace firn

#endif  // FIRN_ERROR_H_
