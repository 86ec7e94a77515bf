// firn/snapshot.h: a point in time. Reads with it see the writes before it and none after.
#ifndef FIRN_SNAPSHOT_H_
#define FIRN_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <utility>

namespace firn {

// A cheap shared handle, from Database::TakeSnapshot(). Keeping one costs disk: versions of entries
// that it can see are not dropped by flush or compaction. Must not outlive its Database. Thread-safe.
class Snapshot {
 public:
  // An empty handle: "now" wherever a snapshot is asked for.
  Snapshot() = default;
  bool empty() const { return pin_ == nullptr; }
  // The sequence number of the last write that it sees; 0 if empty() or nothing was written.
  uint64_t sequence() const { return pin_ == nullptr ? 0 : *pin_; }

  // For the engine: the deleter of `pin` ends the snapshot; `owner` is who gave it.
  Snapshot(std::shared_ptr<const uint64_t> pin, const void* owner)
      : pin_(std::move(pin)), owner_(owner) {}
  const void* owner() const { return owner_; }

 private:
  std::shared_ptr<const uint64_t> pin_;
  const void* owner_ = nullptr;
};

}  // namespace firn

#endif  // FIRN_SNAPSHOT_H_
