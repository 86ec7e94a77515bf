// io/posix_file.h: one open file over plain system calls (pread, pwritev, fdatasync).
//
// Every loop here goes on after a short transfer and after EINTR. PosixWritableFile remembers its
// first failed write or sync and returns it from then on: Linux reports a lost page once, so that a
// second fsync says OK although the data is gone.
#ifndef FIRN_IO_POSIX_FILE_H_
#define FIRN_IO_POSIX_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/types.h"
#include "io/file_system.h"

namespace firn {

// Owns one descriptor. One thread at a time.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.descriptor_) {
    other.descriptor_ = -1;
  }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  // Closes and returns errno, or 0.
  int Close();

 private:
  int descriptor_ = -1;
};

// Fills `target` from `offset`; OutOfRange if the file ends first.
absl::Status ReadFully(int descriptor, absl::string_view path, uint64_t offset,
                       absl::Span<uint8_t> target);
// Writes all bytes of `pieces` but the first `skip` (which are there already) at `offset` + skip.
absl::Status WriteFully(int descriptor, absl::string_view path, uint64_t offset,
                        absl::Span<const ByteSpan> pieces, uint64_t skip = 0);
absl::Status SyncData(int descriptor, absl::string_view path);

uint64_t TotalSize(absl::Span<const ByteSpan> pieces);
// InvalidArgument unless offset, addresses and sizes are multiples of kDirectAlignment.
absl::Status CheckDirectAlignment(absl::string_view path, uint64_t offset,
                                  absl::Span<const ByteSpan> pieces);

// Memory that begins at a multiple of kDirectAlignment; its bytes are not set.
struct FreeDirectMemory {
  void operator()(uint8_t* bytes) const;
};
using DirectMemory = std::unique_ptr<uint8_t[], FreeDirectMemory>;
DirectMemory NewDirectMemory(size_t size);

class PosixRandomAccessFile : public RandomAccessFile {
 public:
  // `alignment`: 0, or the descriptor was opened for direct I/O, which asks for multiples of it (a power
  // of two, at most kDirectAlignment) as offset and size.
  PosixRandomAccessFile(FileDescriptor file, std::string path, uint64_t size,
                        uint32_t alignment = 0)
      : file_(std::move(file)), path_(std::move(path)), size_(size), alignment_(alignment) {}

  absl::Status Read(uint64_t offset, absl::Span<uint8_t> target) override;
  absl::Status ReadMany(absl::Span<ReadRequest> requests) override;
  uint64_t size() const override { return size_; }
  const std::string& path() const override { return path_; }

 protected:
  int descriptor() const { return file_.get(); }
  bool is_direct() const { return alignment_ != 0; }
  // What direct I/O reads for a read of `size` bytes at `offset`.
  struct Sectors {
    uint64_t offset;
    size_t size;
  };
  Sectors SectorsAround(uint64_t offset, size_t size) const {
    const uint64_t mask = alignment_ - 1;
    const uint64_t begin = offset & ~mask;
    return {begin, static_cast<size_t>(((offset + size + mask) & ~mask) - begin)};
  }

 private:
  absl::Status ReadDirect(uint64_t offset, absl::Span<uint8_t> target);

  const FileDescriptor file_;
  const std::string path_;
  const uint64_t size_;
  const uint32_t alignment_;
};

class PosixWritableFile : public WritableFile {
 public:
  // How a file was opened: what was asked, and what the file system gave.
  struct Access {
    FileAccess asked = FileAccess::kBuffered;
    FileAccess granted = FileAccess::kBuffered;
  };
  PosixWritableFile(FileDescriptor file, std::string path, uint64_t size, Access access)
      : file_(std::move(file)), path_(std::move(path)), access_(access), size_(size) {}

  absl::Status Write(uint64_t offset, absl::Span<const ByteSpan> pieces) override;
  absl::Status WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) override;
  absl::Status Sync() override;
  void StartWriteBack(uint64_t offset, uint64_t size) override;
  absl::Status Truncate(uint64_t size) override;
  absl::Status Allocate(uint64_t size) override;
  absl::Status Close() override;
  uint64_t size() const override { return size_.load(std::memory_order_acquire); }
  const std::string& path() const override { return path_; }
  FileAccess access() const override { return access_.granted; }

 protected:
  int descriptor() const { return file_.get(); }
  // The error of an earlier write or sync, or of a misaligned call; OK to go on.
  absl::Status CheckWritable(uint64_t offset, absl::Span<const ByteSpan> pieces);
  // Passes `result` on; an error sticks.
  absl::Status Remember(absl::Status result);
  void GrowTo(uint64_t limit);

 private:
  absl::Status FirstError();
  absl::Status WriteZeroes(uint64_t begin, uint64_t limit);

  FileDescriptor file_;  // changed by Close() alone, which no call may follow
  const std::string path_;
  const Access access_;
  std::atomic<uint64_t> size_;
  std::atomic<bool> failed_{false};  // spares the healthy path the lock
  Mutex mutex_;
  absl::Status first_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_IO_POSIX_FILE_H_
