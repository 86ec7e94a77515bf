// io/memory_file.h: the bytes of one file in memory, and what a crash may leave of them.
//
// PagedBytes are pages shared between copies until one side writes (a page may be written only by
// the owner whose token it bears, so no reference count is asked and threads of two copies never
// meet in one page). A page that was never written is absent and reads as zeroes.
//
// MemoryFile knows what is not synced as a list of changes, each with the bytes that it overwrote.
// Invariant: undoing the list from its end gives the durable bytes. An append overwrites nothing,
// so an in-memory log costs its own bytes and a few words a write, and a sync costs the writes since
// the last.
#ifndef FIRN_IO_MEMORY_FILE_H_
#define FIRN_IO_MEMORY_FILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/types.h"

namespace firn {

// One thread at a time.
class PagedBytes {
 public:
  static constexpr size_t kPageSize = 16384;

  PagedBytes();
  PagedBytes(PagedBytes&&) = default;
  PagedBytes& operator=(PagedBytes&&) = default;

  uint64_t size() const { return size_; }
  // [offset, offset + target.size()) lies within the size.
  void Read(uint64_t offset, absl::Span<uint8_t> target) const;
  // Extends if needed; a gap reads as zeroes.
  void Write(uint64_t offset, ByteSpan bytes);
  // Cuts, or extends with zeroes.
  void Resize(uint64_t size);
  // A copy that shares all pages until one of the two writes them. O(pages).
  PagedBytes Fork();

 private:
  struct Page {
    uint64_t owner;
    std::array<uint8_t, kPageSize> bytes;
  };
  uint8_t* MutablePage(size_t index);

  uint64_t owner_;
  uint64_t size_ = 0;
  std::vector<std::shared_ptr<Page>> pages_;
};

// What becomes of unsynced changes.
enum class Loss : uint8_t {
  kDropAll,  // as if the machine had not written anything back
  kKeepAll,  // as if it had written everything back, and nobody was told
  kMix,      // each change is dropped, kept, or torn at sectors
};

// Thread-safe.
class MemoryFile {
 public:
  enum class Tracking : uint8_t { kUnsyncedChanges, kNone };
  static constexpr uint64_t kSectorSize = 512;

  MemoryFile(uint64_t number, Tracking tracking) : number_(number), tracking_(tracking) {}

  // Never given twice in one file system: the order in which a crash looks at files.
  uint64_t number() const { return number_; }
  uint64_t size() const ABSL_LOCKS_EXCLUDED(mutex_);
  // False if the file ends before `target` is full.
  bool Read(uint64_t offset, absl::Span<uint8_t> target) const ABSL_LOCKS_EXCLUDED(mutex_);
  // The first `limit` bytes of `pieces`, as one change.
  void Write(uint64_t offset, absl::Span<const ByteSpan> pieces, uint64_t limit)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Truncate(uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_);
  void Sync() ABSL_LOCKS_EXCLUDED(mutex_);

  // The same content and the same unsynced changes, apart from now on.
  std::shared_ptr<MemoryFile> Fork() ABSL_LOCKS_EXCLUDED(mutex_);
  // What is found after a crash: a file without unsynced changes. This one stays as it is, for
  // handles that do not know yet that they are dead.
  std::shared_ptr<MemoryFile> AfterCrash(Random& random, Loss loss) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Change {
    uint64_t offset = 0;  // of the bytes written (or, by a truncation, cut)
    uint64_t length = 0;  // bytes written; 0 for a truncation
    uint64_t size_before = 0;
    uint64_t size_after = 0;
    std::shared_ptr<const std::string> old_bytes;  // at `offset`, up to size_before
  };
  void Remember(uint64_t offset, uint64_t length, uint64_t size_after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Redo(const Change& change, const std::string& bytes, Random& random,
                   PagedBytes& content);

  const uint64_t number_;
  const Tracking tracking_;
  mutable Mutex mutex_;
  PagedBytes content_ ABSL_GUARDED_BY(mutex_);
  std::vector<Change> unsynced_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_IO_MEMORY_FILE_H_
