#include "engine/snapshot_registry.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/mutex.h"

namespace firn {

// Shared with the handles, so that one which outlives the registry still has where to report.
struct SnapshotRegistry::State {
  Mutex mutex;
  struct Held {
    size_t handles = 0;
    uint64_t since_us = 0;  // 0: not looked at yet
  };
  std::map<uint64_t, Held> handles ABSL_GUARDED_BY(mutex);  // by sequence number
  size_t count ABSL_GUARDED_BY(mutex) = 0;

  void Release(uint64_t sequence) ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(mutex);
    const auto found = handles.find(sequence);
    FIRN_CHECK(found != handles.end() && count > 0);
    if (--found->second.handles == 0) handles.erase(found);
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
    ++state_->handles[*sequence].handles;
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
  for (const auto& [sequence, held] : state_->handles) sequences.push_back({sequence});
  return sequences;
}

void SnapshotRegistry::NoteTime(uint64_t now_us) {
  MutexLock lock(state_->mutex);
  // The newest have not been looked at yet; numbers ascend with time.
  for (auto held = state_->handles.rbegin(); held != state_->handles.rend(); ++held) {
    if (held->second.since_us != 0) break;
    held->second.since_us = now_us;
  }
}

SnapshotRegistry::Age SnapshotRegistry::AgeAt(uint64_t now_us, uint64_t limit_us) const {
  MutexLock lock(state_->mutex);
  Age age;
  for (const auto& [sequence, held] : state_->handles) {
    if (held.since_us == 0 || held.since_us > now_us) break;
    const uint64_t its_age = now_us - held.since_us;
    if (age.oldest_us == 0) age.oldest_sequence = SequenceNumber{sequence};
    age.oldest_us = std::max(age.oldest_us, its_age);
    if (its_age < limit_us) break;
    age.older += held.handles;
  }
  return age;
}

size_t SnapshotRegistry::count() const {
  MutexLock lock(state_->mutex);
  return state_->count;
}

}  // namespace firn
