#include "engine/snapshot_registry.h"

#include <map>

#include "base/check.h"
#include "base/mutex.h"

namespace firn {

// Shared with the handles, so that one which outlives the registry still has where to report.
struct SnapshotRegistry::State {
  Mutex mutex;
  std::map<uint64_t, size_t> handles ABSL_GUARDED_BY(mutex);  // sequence number -> handles on it
  size_t count ABSL_GUARDED_BY(mutex) = 0;

  void Release(uint64_t sequence) ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(mutex);
    const auto found = handles.find(sequence);
    FIRN_CHECK(found != handles.end() && count > 0);
    if (--found->second == 0) handles.erase(found);
    --count;
  }
};

SnapshotRegistry::SnapshotRegistry() : state_(std::make_shared<State>()) {}
SnapshotRegistry::~SnapshotRegistry() = default;

Snapshot SnapshotRegistry::Take(const std::atomic<uint64_t>& published) {
  auto sequence = std::make_unique<uint64_t>(0);
  {
    MutexLock lock(state_->mutex);
    *sequence = published.load(std::memory_order_acquire);
    ++state_->handles[*sequence];
    ++state_->count;
  }
  const std::shared_ptr<State> state = state_;
  return Snapshot(std::shared_ptr<const uint64_t>(sequence.release(), [state](const uint64_t* pin) {
    state->Release(*pin);
    delete pin;
  }), state.get());
}

bool SnapshotRegistry::Owns(const Snapshot& snapshot) const {
  return snapshot.empty() || snapshot.owner() == state_.get();
}

std::optional<SequenceNumber> SnapshotRegistry::Oldest() const {
  MutexLock lock(state_->mutex);
  if (state_->handles.empty()) return std::nullopt;
  return SequenceNumber{state_->handles.begin()->first};
}

std::vector<SequenceNumber> SnapshotRegistry::All() const {
  MutexLock lock(state_->mutex);
  std::vector<SequenceNumber> sequences;
  sequences.reserve(state_->handles.size());
  for (const auto& [sequence, handles] : state_->handles) sequences.push_back({sequence});
  return sequences;
}

size_t SnapshotRegistry::count() const {
  MutexLock lock(state_->mutex);
  return state_->count;
}

}  // namespace firn
