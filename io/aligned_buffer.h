// io/aligned_buffer.h: memory that direct I/O accepts, owned, and a fixed pool of it.
#ifndef FIRN_IO_ALIGNED_BUFFER_H_
#define FIRN_IO_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "base/check.h"
#include "base/mutex.h"
#include "io/file_system.h"

namespace firn {

// `size` bytes, zero at first, at a multiple of kDirectAlignment. One thread at a time.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    bytes_.reset(static_cast<uint8_t*>(::operator new (size, std::align_val_t{kDirectAlignment})));
    std::memset(bytes_.get(), 0, size);
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  uint8_t* data() { return bytes_.get(); }
  const uint8_t* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  absl::Span<uint8_t> span() { return absl::MakeSpan(bytes_.get(), size_); }
  absl::Span<const uint8_t> span() const { return absl::MakeConstSpan(bytes_.get(), size_); }

 private:
  struct Free {
    void operator()(uint8_t* bytes) const {
      ::operator delete (bytes, std::align_val_t{kDirectAlignment});
    }
  };
  std::unique_ptr<uint8_t[], Free> bytes_;
  size_t size_ = 0;
};

// A fixed number of buffers, all allocated at the start. Thread-safe; outlives what it lends.
class AlignedBufferPool {
 public:
  struct Shape {
    size_t buffers = 0;
    size_t buffer_size = 0;
  };

  // A lent buffer; goes back when destroyed. Its bytes are what the last user left.
  class Lease {
   public:
    Lease() = default;
    Lease(AlignedBufferPool* pool, AlignedBuffer buffer)
        : pool_(pool), buffer_(std::move(buffer)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), buffer_(std::move(other.buffer_)) {}
    Lease& operator=(Lease&& other) noexcept {
      if (this != &other) {
        Return();
        pool_ = std::exchange(other.pool_, nullptr);
        buffer_ = std::move(other.buffer_);
      }
      return *this;
    }
    ~Lease() { Return(); }

    // False: the pool had none to lend.
    bool holds_buffer() const { return pool_ != nullptr; }
    absl::Span<uint8_t> span() { return buffer_.span(); }

   private:
    void Return() {
      if (pool_ != nullptr) std::exchange(pool_, nullptr)->Take(std::move(buffer_));
    }
    AlignedBufferPool* pool_ = nullptr;
    AlignedBuffer buffer_;
  };

  explicit AlignedBufferPool(Shape shape) : shape_(shape) {
    free_.reserve(shape.buffers);
    for (size_t i = 0; i < shape.buffers; ++i) free_.emplace_back(shape.buffer_size);
  }
  ~AlignedBufferPool() {
    MutexLock lock(mutex_);
    FIRN_CHECK(free_.size() == shape_.buffers);  // all came back
  }

  // An empty lease if all are lent; never waits.
  Lease Borrow() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (free_.empty()) return Lease();
    AlignedBuffer buffer = std::move(free_.back());
    free_.pop_back();
    return Lease(this, std::move(buffer));
  }

  const Shape& shape() const { return shape_; }

 private:
  void Take(AlignedBuffer buffer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    free_.push_back(std::move(buffer));
  }

  const Shape shape_;
  Mutex mutex_;
  std::vector<AlignedBuffer> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_IO_ALIGNED_BUFFER_H_
