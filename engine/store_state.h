// engine/store_state.h: all metadata of a store as an immutable value: what the edits of a manifest,
// applied one after the other, add up to. Pure: no file, no lock.
//
// Invariants (checked by Apply(), since an edit may come from a damaged manifest):
//   1. Keyspace ids and names are unique; every id is below next_keyspace, every segment's number
//      below next_file.
//   2. last_sequence is at or above every flushed floor and every segment's sequence_max. So a number
//      assigned after it can never lie at or below a floor, where replay would skip it.
//   3. A floor never falls.
#ifndef FIRN_ENGINE_STORE_STATE_H_
#define FIRN_ENGINE_STORE_STATE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/types.h"
#include "compaction/levels.h"
#include "engine/version_edit.h"
#include "firn/options.h"

namespace firn {

struct KeyspaceState {
  std::string name;
  KeyspaceOptions options;
  std::shared_ptr<const Levels> levels;
  SequenceNumber flushed;
  std::optional<SequenceNumber> volatile_since;
  uint64_t bound = 0;  // sequence layout: keys below it are gone
};

struct StoreState {
  FileNumber next_file{1};
  KeyspaceId next_keyspace{1};
  SequenceNumber last_sequence;
  std::map<KeyspaceId, KeyspaceState> keyspaces;

  // The state after `edit`. DataLoss/kCorruption saying which part of it contradicts this state.
  // A segment that only changes its level keeps its SegmentPtr.
  absl::StatusOr<StoreState> Apply(const VersionEdit& edit) const;

  // Edits that make this state from an empty one, each of bounded size.
  std::vector<VersionEdit> AsEdits() const;
};

}  // namespace firn

#endif  // FIRN_ENGINE_STORE_STATE_H_
