// io/uring_pool.h: a few rings, lent for the duration of a call.
//
// At most kRingsMax of kEntries each (a MultiGet of 100 goes in one submission): below 200 KiB together, also where rings count as locked memory
// (before Linux 5.12), of which 8 MiB is a usual limit. The ring that came back last is lent first,
// so that a store with little parallelism keeps using the one that is in the caches.
#ifndef FIRN_IO_URING_POOL_H_
#define FIRN_IO_URING_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/uring.h"

namespace firn {

// Thread-safe. Outlives what it lends.
class UringPool {
 public:
  static constexpr size_t kRingsMax = 8;
  static constexpr unsigned kEntries = 128;

  // Returns its ring when destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(UringPool* pool, std::unique_ptr<Uring> ring) : pool_(pool), ring_(std::move(ring)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (ring_ != nullptr) pool_->Take(std::move(ring_));
    }
    // Null: none is to be had.
    Uring* ring() { return ring_.get(); }

   private:
    UringPool* pool_ = nullptr;
    std::unique_ptr<Uring> ring_;
  };

  // With one ring, which has been tried.
  static absl::StatusOr<std::shared_ptr<UringPool>> Create();

  Lease Borrow() ABSL_LOCKS_EXCLUDED(mutex_);

  uint64_t lent() const { return lent_.load(std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  UringPool() = default;
  void Take(std::unique_ptr<Uring> ring) ABSL_LOCKS_EXCLUDED(mutex_);

  Mutex mutex_;
  std::vector<std::unique_ptr<Uring>> idle_ ABSL_GUARDED_BY(mutex_);
  size_t rings_ ABSL_GUARDED_BY(mutex_) = 0;  // idle, lent, or being made
  std::atomic<uint64_t> lent_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace firn

#endif  // FIRN_IO_URING_POOL_H_
