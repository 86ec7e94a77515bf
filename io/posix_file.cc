#include "io/posix_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "io/aligned_buffer.h"

namespace firn {
namespace {

// Pieces handed to one pwritev: far below IOV_MAX (1024), and small enough for the stack.
constexpr size_t kPiecesPerCall = 64;

std::string At(absl::string_view what, absl::string_view path, uint64_t offset) {
  return absl::StrCat(what, " ", path, " at offset ", offset);
}

// Walks over `pieces`, of which the first `done` bytes are written.
struct PieceCursor {
  absl::Span<const ByteSpan> pieces;
  size_t index = 0;
  size_t within = 0;

  void Advance(size_t bytes) {
    while (bytes > 0) {
      FIRN_CHECK(index < pieces.size());
      const size_t rest = pieces[index].size() - within;
      if (bytes < rest) {
        within += bytes;
        return;
      }
      bytes -= rest;
      ++index;
      within = 0;
    }
  }
  int Fill(std::array<iovec, kPiecesPerCall>& vector) const {
    size_t count = 0;
    for (size_t i = index; i < pieces.size() && count < vector.size(); ++i) {
      const ByteSpan piece = pieces[i].subspan(i == index ? within : 0);
      if (piece.empty()) continue;
      vector[count++] = {const_cast<uint8_t*>(piece.data()), piece.size()};
    }
    return static_cast<int>(count);
  }
};

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() { Close(); }

int FileDescriptor::Close() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor < 0 || close(descriptor) == 0) return 0;
  // Linux has released the descriptor even then; closing again could hit another thread's file.
  return errno == EINTR ? 0 : errno;
}

absl::Status ReadFully(int descriptor, absl::string_view path, uint64_t offset,
                       absl::Span<uint8_t> target) {
  size_t done = 0;
  while (done < target.size()) {
    const ssize_t result = pread(descriptor, target.data() + done, target.size() - done,
                                 static_cast<off_t>(offset + done));
    if (result < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, At("read", path, offset + done));
    }
    if (result == 0) {
      return absl::OutOfRangeError(absl::StrCat(path, ": offset ", offset + done, ": end of file"));
    }
    done += static_cast<size_t>(result);
  }
  return absl::OkStatus();
}

absl::Status WriteFully(int descriptor, absl::string_view path, uint64_t offset,
                        absl::Span<const ByteSpan> pieces, uint64_t skip) {
  PieceCursor cursor{.pieces = pieces};
  cursor.Advance(static_cast<size_t>(skip));
  uint64_t at = offset + skip;
  std::array<iovec, kPiecesPerCall> vector;
  for (;;) {
    const int count = cursor.Fill(vector);
    if (count == 0) return absl::OkStatus();
    const ssize_t result = pwritev(descriptor, vector.data(), count, static_cast<off_t>(at));
    if (result < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, At("write", path, at));
    }
    if (result == 0) return ErrnoStatus(EIO, At("write of no byte to", path, at));
    cursor.Advance(static_cast<size_t>(result));
    at += static_cast<uint64_t>(result);
  }
}

absl::Status SyncData(int descriptor, absl::string_view path) {
  // EINTR is not asked again: the interrupted call may have taken the report of a failure with it.
  if (fdatasync(descriptor) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("sync ", path));
}

uint64_t TotalSize(absl::Span<const ByteSpan> pieces) {
  uint64_t total = 0;
  for (const ByteSpan piece : pieces) total += piece.size();
  return total;
}

absl::Status CheckDirectAlignment(absl::string_view path, uint64_t offset,
                                  absl::Span<const ByteSpan> pieces) {
  uint64_t bits = offset;
  for (const ByteSpan piece : pieces) {
    bits |= reinterpret_cast<uintptr_t>(piece.data()) | piece.size();
  }
  if (bits % kDirectAlignment == 0) return absl::OkStatus();
  return InvalidArgument(absl::StrCat(
      path, ": offset ", offset, ": direct I/O needs offset, memory and size to be multiples of ",
      kDirectAlignment));
}

void FreeDirectMemory::operator()(uint8_t* bytes) const {
  ::operator delete(bytes, std::align_val_t{kDirectAlignment});
}

DirectMemory NewDirectMemory(size_t size) {
  return DirectMemory(
      static_cast<uint8_t*>(::operator new(size, std::align_val_t{kDirectAlignment})));
}

absl::Status PosixRandomAccessFile::Read(uint64_t offset, absl::Span<uint8_t> target) {
  if (is_direct()) return ReadDirect(offset, target);
  return ReadFully(file_.get(), path_, offset, target);
}

absl::Status PosixRandomAccessFile::ReadDirect(uint64_t offset, absl::Span<uint8_t> target) {
  if (target.empty()) return absl::OkStatus();
  const Sectors sectors = SectorsAround(offset, target.size());
  const DirectMemory memory = NewDirectMemory(sectors.size);
  const auto skipped = static_cast<size_t>(offset - sectors.offset);
  size_t done = 0;
  while (done < skipped + target.size()) {
    const ssize_t result = pread(file_.get(), memory.get() + done, sectors.size - done,
                                 static_cast<off_t>(sectors.offset + done));
    if (result < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, At("read", path_, sectors.offset + done));
    }
    done += static_cast<size_t>(result);
    // Less than whole sectors come only from the end of the file.
    if (result == 0 || (done % alignment_ != 0 && done < skipped + target.size())) {
      return absl::OutOfRangeError(
          absl::StrCat(path_, ": offset ", sectors.offset + done, ": end of file"));
    }
  }
  std::memcpy(target.data(), memory.get() + skipped, target.size());
  return absl::OkStatus();
}

absl::Status PosixRandomAccessFile::ReadMany(absl::Span<ReadRequest> requests) {
  absl::Status first;
  for (ReadRequest& request : requests) {
    request.status = PosixRandomAccessFile::Read(request.offset, request.target);
    if (first.ok()) first = request.status;
  }
  return first;
}

absl::Status PosixWritableFile::Write(uint64_t offset, absl::Span<const ByteSpan> pieces) {
  FIRN_RETURN_IF_ERROR(CheckWritable(offset, pieces));
  FIRN_RETURN_IF_ERROR(Remember(WriteFully(file_.get(), path_, offset, pieces)));
  GrowTo(offset + TotalSize(pieces));
  return absl::OkStatus();
}

absl::Status PosixWritableFile::WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) {
  FIRN_RETURN_IF_ERROR(PosixWritableFile::Write(offset, pieces));
  return PosixWritableFile::Sync();
}

absl::Status PosixWritableFile::Sync() {
  FIRN_RETURN_IF_ERROR(FirstError());
  return Remember(SyncData(file_.get(), path_));
}

void PosixWritableFile::StartWriteBack(uint64_t offset, uint64_t size) {
  // What it reports, a sync of any handle reports too.
  static_cast<void>(sync_file_range(file_.get(), static_cast<off_t>(offset),
                                    static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE));
}

absl::Status PosixWritableFile::Truncate(uint64_t size) {
  FIRN_RETURN_IF_ERROR(FirstError());
  int result = 0;
  do {
    result = ftruncate(file_.get(), static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    return Remember(ErrnoStatus(errno, absl::StrCat("truncate ", path_, " to ", size, " bytes")));
  }
  size_.store(size, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status PosixWritableFile::Allocate(uint64_t size) {
  FIRN_RETURN_IF_ERROR(FirstError());
  const uint64_t begin = this->size();
  if (size <= begin) return absl::OkStatus();
  int result = 0;
  do {
    result = fallocate(file_.get(), 0, static_cast<off_t>(begin), static_cast<off_t>(size - begin));
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EOPNOTSUPP) return WriteZeroes(begin, size);
  if (result != 0) {
    return Remember(ErrnoStatus(errno, absl::StrCat("allocate ", size, " bytes for ", path_)));
  }
  GrowTo(size);
  return absl::OkStatus();
}

absl::Status PosixWritableFile::WriteZeroes(uint64_t begin, uint64_t limit) {
  constexpr uint64_t kPiece = uint64_t{1} << 20;
  const AlignedBuffer zeroes(kPiece);
  for (uint64_t offset = begin; offset < limit;) {
    const auto size = static_cast<size_t>(std::min(kPiece, limit - offset));
    FIRN_RETURN_IF_ERROR(PosixWritableFile::Write(offset, {zeroes.span().first(size)}));
    offset += size;
  }
  return absl::OkStatus();
}

absl::Status PosixWritableFile::Close() {
  FIRN_CHECK(file_.is_open());
  const int error_number = file_.Close();
  FIRN_RETURN_IF_ERROR(FirstError());
  if (error_number != 0) return ErrnoStatus(error_number, absl::StrCat("close ", path_));
  return absl::OkStatus();
}

absl::Status PosixWritableFile::CheckWritable(uint64_t offset, absl::Span<const ByteSpan> pieces) {
  FIRN_RETURN_IF_ERROR(FirstError());
  if (access_.asked == FileAccess::kBuffered) return absl::OkStatus();
  return CheckDirectAlignment(path_, offset, pieces);
}

absl::Status PosixWritableFile::FirstError() {
  if (!failed_.load(std::memory_order_acquire)) return absl::OkStatus();
  MutexLock lock(mutex_);
  return first_error_;
}

// The system tells once that a page could not be written, and keeps it as if it had been: who reads the
// file later, after a reopening even, would see bytes that the disk never got. So they are dropped.
absl::Status PosixWritableFile::Remember(absl::Status result) {
  if (!result.ok()) {
    posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
    MutexLock lock(mutex_);
    if (first_error_.ok()) first_error_ = result;
    failed_.store(true, std::memory_order_release);
  }
  return result;
}

void PosixWritableFile::GrowTo(uint64_t limit) {
  uint64_t size = size_.load(std::memory_order_relaxed);
  while (size < limit && !size_.compare_exchange_weak(size, limit, std::memory_order_acq_rel)) {
  }
}

}  // namespace firn
