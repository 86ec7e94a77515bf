// engine/space_guard.h: how much room a disk must have for writes to be accepted, and whether a
// keyspace is above its size limits. Pure functions of numbers.
//
// Writes are refused while less is free than
//
//     free_space_min   what the operator wants to stay free
//   + unflushed        what memtables hold: it must be flushed, now or after the next recovery
//   + log              a new log for the group at hand
//   + 4 MiB            manifest, names, indexes, the file system's own
//
// so that a full disk strikes before a write is acknowledged, not the flush of one that was. A merge
// begins only if its output has room beside that: until then it waits, and flushes go on. Writes that
// were refused come back when there is an eighth more than needed, so that writers do not flip
// between yes and no.
#ifndef FIRN_ENGINE_SPACE_GUARD_H_
#define FIRN_ENGINE_SPACE_GUARD_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "firn/options.h"

namespace firn {

// Bytes.
struct SpaceDebt {
  uint64_t free_space_min = 0;
  uint64_t unflushed = 0;  // in memtables of all keyspaces
  uint64_t log = 0;        // that the next group may ask of the disk
};

// What must be free for a write to be accepted; for writes that are refused now, to be accepted again.
uint64_t SpaceNeeded(const SpaceDebt& debt);
uint64_t SpaceToResume(const SpaceDebt& debt);

// After how many more bytes of writes the disk is to be looked at again; 0: before the next one.
uint64_t LookAgainAfter(uint64_t free, uint64_t needed);

// ResourceExhausted/kDiskFull: how much is free, how much is needed, and what to do.
absl::Status OutOfSpace(absl::string_view directory, uint64_t free, uint64_t needed);

enum class SizeVerdict : uint8_t {
  kBelow = 1,
  kAboveSoft = 2,  // a warning
  kAboveHard = 3,  // puts are refused
};
SizeVerdict JudgeSize(const SizeLimits& limits, uint64_t bytes);

// ResourceExhausted/kKeyspaceFull.
absl::Status KeyspaceFull(absl::string_view keyspace, uint64_t bytes, uint64_t limit);

}  // namespace firn

#endif  // FIRN_ENGINE_SPACE_GUARD_H_
