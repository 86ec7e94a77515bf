// base/per_thread.h: one T for each thread number (base/thread_index.h), each on cache lines of its
// own. A thread has its T for itself until it ends; a later thread with the same number takes over
// the T as it stands. Others may look at all of them (ForEach), so what they read must be atomic.
#ifndef FIRN_BASE_PER_THREAD_H_
#define FIRN_BASE_PER_THREAD_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "base/thread_index.h"

namespace firn {

// Thread-safe. T is default constructible; its objects live as long as this one.
template <typename T>
class PerThread {
 public:
  PerThread() = default;
  PerThread(const PerThread&) = delete;
  PerThread& operator=(const PerThread&) = delete;
  ~PerThread() {
    for (std::atomic<Item*>& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }

  // The calling thread's. Allocates the first time, seldom.
  T& Mine() {
    const Place place = PlaceOf(ThisThreadIndex());
    Item* chunk = chunks_[place.chunk].load(std::memory_order_acquire);
    if (chunk == nullptr) chunk = MakeChunk(place.chunk);
    return chunk[place.item].value;
  }

  // Calls visit(T&) for every T that exists, of ended threads too.
  template <typename Visitor>
  void ForEach(Visitor visit) const {
    for (size_t i = 0; i < kChunks; ++i) {
      // As seq_cst as the objects inside: a reader's store into a fresh chunk must not be missed.
      Item* const chunk = chunks_[i].load(std::memory_order_seq_cst);
      if (chunk == nullptr) continue;
      for (size_t j = 0; j < SizeOf(i); ++j) visit(chunk[j].value);
    }
  }

 private:
  static constexpr size_t kFirstSize = 8;
  static constexpr size_t kChunks = 30;
  struct alignas(64) Item {
    T value{};
  };
  struct Place {
    size_t chunk;
    size_t item;
  };

  // Chunk 0 has 8 items, chunk k >= 1 has 8 * 2^(k-1).
  static size_t SizeOf(size_t chunk) {
    return chunk == 0 ? kFirstSize : kFirstSize << (chunk - 1);
  }
  static Place PlaceOf(uint32_t index) {
    if (index < kFirstSize) return {0, index};
    const auto chunk = static_cast<size_t>(std::bit_width(index / kFirstSize));
    return {chunk, index - SizeOf(chunk)};
  }

  Item* MakeChunk(size_t chunk) {
    MutexLock lock(mutex_);
    Item* made = chunks_[chunk].load(std::memory_order_relaxed);
    if (made == nullptr) {
      made = new Item[SizeOf(chunk)];
      chunks_[chunk].store(made, std::memory_order_seq_cst);
    }
    return made;
  }

  Mutex mutex_;  // for making chunks
  std::array<std::atomic<Item*>, kChunks> chunks_{};
};

}  // namespace firn

#endif  // FIRN_BASE_PER_THREAD_H_
