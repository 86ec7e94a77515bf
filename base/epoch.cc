#include "base/epoch.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace firn {

Epochs::~Epochs() { FIRN_CHECK(OldestActive() == kIdle); }

uint64_t Epochs::OldestActive() const {
  uint64_t oldest = kIdle;
  threads_.ForEach(
      [&oldest](const Thread& thread) { oldest = std::min(oldest, thread.epoch.load()); });
  return oldest;
}

void Epochs::Retire(std::shared_ptr<const void> garbage, size_t bytes) {
  bool collect = false;
  {
    MutexLock lock(mutex_);
    garbage_.push_back({current_.fetch_add(1), bytes, std::move(garbage)});
    bytes_ += bytes;
    collect = garbage_.size() >= collect_at_ || bytes_ >= collect_bytes_at_;
    // A long guard must not make every Retire() scan: the next scan waits for as many again.
    if (collect) collect_at_ = std::max(kCollectAt, 2 * garbage_.size());
    if (collect) collect_bytes_at_ = std::max(kCollectBytesAt, 2 * bytes_);
  }
  if (collect) Collect();
}

void Epochs::Collect() {
  std::vector<Garbage> dropped;  // destroyed after the lock is released
  MutexLock lock(mutex_);
  if (garbage_.empty()) return;
  // Every guard that begins from here on has a later epoch than all that is in the list.
  const uint64_t oldest = OldestActive();
  while (!garbage_.empty() && garbage_.front().epoch < oldest) {
    bytes_ -= garbage_.front().bytes;
    dropped.push_back(std::move(garbage_.front()));
    garbage_.pop_front();
  }
  collect_at_ = std::max(kCollectAt, 2 * garbage_.size());
  collect_bytes_at_ = std::max(kCollectBytesAt, 2 * bytes_);
}

void Epochs::Drain() {
  constexpr int kRounds = 1000;
  Collect();
  for (int i = 0; i < kRounds && pending() > 0; ++i) {
    std::this_thread::yield();
    Collect();
  }
}

size_t Epochs::pending() const {
  MutexLock lock(mutex_);
  return garbage_.size();
}

size_t Epochs::pending_bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace firn
