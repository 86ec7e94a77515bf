// firn/iterator.h: a walk over the entries of a keyspace in key order, at one point in time.
#ifndef FIRN_ITERATOR_H_
#define FIRN_ITERATOR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "firn/snapshot.h"

namespace firn {

// The part of a keyspace to walk: keys in [begin, limit).
struct IteratorOptions {
  std::string begin;                 // empty: from the first key
  std::optional<std::string> limit;  // none: to the last key
  Snapshot snapshot;                 // empty: as of the iterator's creation
};

// One thread at a time. Not valid after creation: position it first. Pins its version of the
// keyspace for its life. Must not outlive its Database.
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual bool Valid() const = 0;
  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first key at or after `target` (within the bounds).
  virtual void Seek(absl::string_view target) = 0;
  // To the last key at or before `target` (within the bounds).
  virtual void SeekForPrev(absl::string_view target) = 0;
  virtual void Next() = 0;  // needs Valid()
  virtual void Prev() = 0;  // needs Valid()
  // Both views die at the next move; both need Valid().
  virtual absl::string_view key() const = 0;
  virtual absl::string_view value() const = 0;
  // !Valid() means "end" only if this is OK.
  virtual absl::Status status() const = 0;
};

}  // namespace firn

#endif  // FIRN_ITERATOR_H_
