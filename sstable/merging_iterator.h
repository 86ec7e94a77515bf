// sstable/merging_iterator.h: k sorted inputs as one, by a loser tree.
//
// A step costs one comparison a level of the tree, log2(k), against the losers on the path from the
// moved input to the root (a heap needs twice that). Nothing is suppressed: all versions pass, and
// the same internal key in two inputs passes twice, from the input with the lower index first (last
// when moving backward, so that both directions show one order).
#ifndef FIRN_SSTABLE_MERGING_ITERATOR_H_
#define FIRN_SSTABLE_MERGING_ITERATOR_H_

#include <memory>
#include <vector>

#include "sstable/internal_iterator.h"

namespace firn {

// Takes the inputs over. Of none: an empty iterator; of one: that input itself. An error of any
// input is an error of the whole: no move gets past it.
std::unique_ptr<InternalIterator> NewMergingIterator(
    std::vector<std::unique_ptr<InternalIterator>> inputs);

}  // namespace firn

#endif  // FIRN_SSTABLE_MERGING_ITERATOR_H_
