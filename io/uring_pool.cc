#include "io/uring_pool.h"

#include "base/status.h"

namespace firn {

absl::StatusOr<std::shared_ptr<UringPool>> UringPool::Create() {
  FIRN_ASSIGN_OR_RETURN(auto ring, Uring::Create(kEntries));
  FIRN_RETURN_IF_ERROR(ring->Probe());
  std::shared_ptr<UringPool> pool(new UringPool());
  MutexLock lock(pool->mutex_);
  pool->rings_ = 1;
  pool->idle_.push_back(std::move(ring));
  return pool;
}

UringPool::Lease UringPool::Borrow() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Uring> ring = std::move(idle_.back());
      idle_.pop_back();
      lent_.fetch_add(1, std::memory_order_relaxed);
      return Lease(this, std::move(ring));
    }
    if (rings_ == kRingsMax) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return Lease();
    }
    ++rings_;
  }
  auto ring = Uring::Create(kEntries);  // a system call: without the lock
  if (ring.ok()) {
    lent_.fetch_add(1, std::memory_order_relaxed);
    return Lease(this, *std::move(ring));
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  --rings_;
  return Lease();
}

void UringPool::Take(std::unique_ptr<Uring> ring) {
  MutexLock lock(mutex_);
  if (ring->is_broken()) {
    --rings_;
  } else {
    idle_.push_back(std::move(ring));
  }
}

}  // namespace firn
