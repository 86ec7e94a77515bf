#include "engine/space_guard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr uint64_t kOverhead = uint64_t{4} << 20;
// Bytes written between two looks at the disk while it is nearly full, and while it is not.
constexpr uint64_t kLookAfterMin = uint64_t{64} << 10;
constexpr uint64_t kLookAfterMax = uint64_t{64} << 20;

}  // namespace

uint64_t SpaceNeeded(const SpaceDebt& debt) {
  return debt.free_space_min + debt.unflushed + debt.log + kOverhead;
}

uint64_t SpaceToResume(const SpaceDebt& debt) {
  const uint64_t needed = SpaceNeeded(debt);
  return needed + needed / 8;
}

uint64_t LookAgainAfter(uint64_t free, uint64_t needed) {
  if (free <= needed) return 0;
  return std::clamp((free - needed) / 16, kLookAfterMin, kLookAfterMax);
}

absl::Status OutOfSpace(absl::string_view directory, uint64_t free, uint64_t needed) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, ErrorReason::kDiskFull,
      absl::StrCat(directory, ": No space left to write: ", free, " bytes are free, and ", needed,
                   " are needed to flush what is in memory and to recover; make room on the disk, "
                   "remove keys and compact, or lower free_space_min: writes then go on by "
                   "themselves"));
}

SizeVerdict JudgeSize(const SizeLimits& limits, uint64_t bytes) {
  if (limits.hard > 0 && bytes >= limits.hard) return SizeVerdict::kAboveHard;
  if (limits.soft > 0 && bytes >= limits.soft) return SizeVerdict::kAboveSoft;
  return SizeVerdict::kBelow;
}

absl::Status KeyspaceFull(absl::string_view keyspace, uint64_t bytes, uint64_t limit) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, ErrorReason::kKeyspaceFull,
      absl::StrCat("keyspace ", keyspace, " holds ", bytes, " bytes and may hold ", limit,
                   " (size_limit): remove keys and call Compact(), or raise it with "
                   "SetSizeLimits()"));
}

}  // namespace firn
