// engine/visible_iterator.h: from all versions to what a reader sees: for each user key the newest
// version at or below a sequence number, and no key whose newest visible version is a tombstone.
//
// The source shows entries newest first within a key. Going forward, the first visible entry of a
// key decides and the rest of the key is skipped. Going backward, versions come oldest first, so
// the last visible one seen before the key changes decides; it is copied, because the source has
// then moved on to the key before. key() and value() forward are views of the source's own.
#ifndef FIRN_ENGINE_VISIBLE_ITERATOR_H_
#define FIRN_ENGINE_VISIBLE_ITERATOR_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "firn/iterator.h"
#include "firn/snapshot.h"
#include "sstable/internal_iterator.h"

namespace firn {

struct VisibleIteratorParts {
  std::unique_ptr<InternalIterator> source;  // never null
  SequenceNumber sequence;                   // reads as of this number
  std::string begin;                         // keys in [begin, limit)
  std::optional<std::string> limit;
  Snapshot snapshot;                              // kept for the iterator's life; may be empty
  std::vector<std::shared_ptr<const void>> pins;  // released after the source
};

// Never null. Bytes from disk with an unknown entry kind give status() DataLoss.
std::unique_ptr<Iterator> NewVisibleIterator(VisibleIteratorParts parts);

// An iterator without entries; status() is `status`.
std::unique_ptr<Iterator> NewEmptyIterator(absl::Status status);

}  // namespace firn

#endif  // FIRN_ENGINE_VISIBLE_ITERATOR_H_
