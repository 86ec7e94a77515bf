// engine/snapshot_registry.h: which points in time somebody still looks at.
//
// Invariant: a sequence number in use by a Snapshot is in All() from before Take() returns until
// the last copy of the handle is gone.
//
// Why Take() reads the published number itself: a collector first fixes what it works on (entries
// at or below the number published then), then calls All(). A snapshot that is not in that list is
// taken afterwards, so its number is at least the newest entry the collector works on, and it
// needs the newest versions only, which are never collected. Were the number read before the lock
// is taken, a snapshot could come in late with an old number.
#ifndef FIRN_ENGINE_SNAPSHOT_REGISTRY_H_
#define FIRN_ENGINE_SNAPSHOT_REGISTRY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/types.h"
#include "firn/snapshot.h"

namespace firn {

// Thread-safe. Handles may outlive the registry (they then end nothing).
class SnapshotRegistry {
 public:
  SnapshotRegistry();
  ~SnapshotRegistry();
  SnapshotRegistry(const SnapshotRegistry&) = delete;
  SnapshotRegistry& operator=(const SnapshotRegistry&) = delete;

  // A handle on the number that `published` holds now (acquire).
  Snapshot Take(const std::atomic<uint64_t>& published);

  // Whether it gave `snapshot`; yes for an empty one.
  bool Owns(const Snapshot& snapshot) const;

  std::optional<SequenceNumber> Oldest() const;
  // Ascending, each number once.
  std::vector<SequenceNumber> All() const;
  // Ages are told by looks: a handle's begins with the first NoteTime() after it was taken, so that
  // taking one asks no clock. Handles on the same number count as one that began with the first of
  // them, if they overlap: that is how long old versions were kept.
  struct Age {
    uint64_t oldest_us = 0;          // 0: none, or not looked at yet
    SequenceNumber oldest_sequence;  // its number
    size_t older = 0;                // handles older than the limit
  };
  void NoteTime(uint64_t now_us);
  Age AgeAt(uint64_t now_us, uint64_t limit_us) const;

  // Handles alive (copies of one count once).
  size_t count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_SNAPSHOT_REGISTRY_H_
