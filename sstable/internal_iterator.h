// sstable/internal_iterator.h: the interface over internal keys (internal_key.h): memtables,
// blocks, segments, levels and merges all speak it. Its contract is written here, once.
#ifndef FIRN_SSTABLE_INTERNAL_ITERATOR_H_
#define FIRN_SSTABLE_INTERNAL_ITERATOR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace firn {

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
  virtual void Next() = 0;  // needs Valid()
  virtual void Prev() = 0;  // needs Valid()
  // The encoded internal key and the value; views that die at the next move. Need Valid().
  virtual absl::string_view key() const = 0;
  virtual absl::string_view value() const = 0;
  virtual absl::Status status() const = 0;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_INTERNAL_ITERATOR_H_
