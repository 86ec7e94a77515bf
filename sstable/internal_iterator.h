// sstable/internal_iterator.h: the interface over internal keys (internal_key.h): memtables,
// blocks, segments, levels and merges all speak it. Its contract is written here, once.
#ifndef FIRN_SSTABLE_INTERNAL_ITERATOR_H_
#define FIRN_SSTABLE_INTERNAL_ITERATOR_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace firn {

// An encoded internal key and its value, which live elsewhere.
struct EntryView {
  absl::string_view key;
  absl::string_view value;
};

// What a caller of TakeRun() need not ask for more than.
inline constexpr size_t kRunMax = 32;

// What InternalIterator::AnnounceSeek() is to get ready.
enum class SeekStage : uint8_t {
  kPlace = 1,    // find where the entry must be, ask for what says whether that is in memory
  kContent = 2,  // look whether it is, ask for it; after kPlace with the same target
};

// Order: user key ascending, then sequence number descending (newest first). All versions and
// tombstones are shown; the same internal key never twice from one source. One thread at a time.
// After an error: !Valid(), status() says why, and every move keeps both.
class InternalIterator {
 public:
  virtual ~InternalIterator() = default;
  virtual bool Valid() const = 0;
  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first entry at or after the encoded internal key `target`.
  virtual void Seek(absl::string_view target) = 0;
  // Asks memory for what Seek(target), which must be the next move, will look at. Who seeks in many
  // announces to each of them, stage by stage, so that their misses overlap. Nothing else changes.
  virtual void AnnounceSeek(absl::string_view /*target*/, SeekStage /*stage*/) {}
  virtual void Next() = 0;  // needs Valid()
  virtual void Prev() = 0;  // needs Valid()
  // The encoded internal key and the value; views that die at the next move. Need Valid().
  virtual absl::string_view key() const = 0;
  virtual absl::string_view value() const = 0;
  virtual absl::Status status() const = 0;

  // Many steps in one call: the present entry and those behind it that are at hand, into `run` (not
  // empty). All but the first are before `limit`, an encoded internal key; empty: no limit. Stands at
  // the last of them then, and all views of the run live until the next move. Returns how many, at
  // least 1: fewer than asked for says nothing about what follows. Fails never: what is damaged is
  // left to the Next() that comes to it. Needs Valid().
  virtual size_t TakeRun(absl::Span<EntryView> run, absl::string_view /*limit*/) {
    run.front() = {key(), value()};
    return 1;
  }
};

}  // namespace firn

#endif  // FIRN_SSTABLE_INTERNAL_ITERATOR_H_
