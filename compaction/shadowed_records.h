// compaction/shadowed_records.h: which records of several hashed segments a newer version hides from
// everyone: the rule of garbage_collector.h without a sorted stream.
//
// Versions of a key have one fingerprint, and buckets of each index that hold the key's place. So the
// indexes are walked side by side, in cells of the key space; what shares a fingerprint with
// another entry in its cell is a candidate. Beside true versions that is about one entry in a
// thousand. The candidates' keys are then read and compared in full.
// Memory: what is read of kCandidatesAtOnce candidates (their keys and 40 bytes each), and 4 bytes
// for each shadowed record.
#ifndef FIRN_COMPACTION_SHADOWED_RECORDS_H_
#define FIRN_COMPACTION_SHADOWED_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/hashed_segment_reader.h"

namespace firn {

inline constexpr size_t kCandidatesAtOnce = size_t{1} << 18;

struct ShadowedRecords {
  // For each input the locations of its shadowed records, ascending, each once.
  std::vector<std::vector<uint32_t>> locations;
};

// The inputs have keys of one size (FIRN_CHECK). `snapshots` ascend. `pace(bytes)` is called after so
// many bytes were read; its first error ends the search. `candidates_at_once` is for tests.
// Errors: DataLoss, I/O, those of `pace`.
absl::StatusOr<ShadowedRecords> FindShadowedRecords(
    absl::Span<const std::shared_ptr<const HashedSegmentReader>> inputs,
    absl::Span<const SequenceNumber> snapshots,
    absl::FunctionRef<absl::Status(uint64_t bytes)> pace,
    size_t candidates_at_once = kCandidatesAtOnce);

}  // namespace firn

#endif  // FIRN_COMPACTION_SHADOWED_RECORDS_H_
