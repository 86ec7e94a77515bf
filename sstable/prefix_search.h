// sstable/prefix_search.h: where a number stands in an ascending array, for arrays too large to stay in
// the processor's cache: a search that halves touches a line of memory at each of its steps.
//
// Interpolation (Peterson, "Addressing for random-access storage", IBM Journal, 1957) guesses the place from
// the values at both ends, which is right to within a few places when they are spread evenly, as hashes
// are; every second step halves, so that any values take at most twice the steps of halving. The last
// places are counted side by side, with AVX2 where the processor has it.
#ifndef FIRN_SSTABLE_PREFIX_SEARCH_H_
#define FIRN_SSTABLE_PREFIX_SEARCH_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace firn {

// The first position whose value is at least `target`; values.size() if there is none. `values` ascend,
// not strictly.
size_t PrefixLowerBound(absl::Span<const uint64_t> values, uint64_t target);

namespace prefix_search_internal {

// How many of `values`, at most 32 of them, are below `target`. The two are tested against each other;
// the second may only be called where HasAvx2().
size_t CountBelowScalar(absl::Span<const uint64_t> values, uint64_t target);
size_t CountBelowAvx2(absl::Span<const uint64_t> values, uint64_t target);
bool HasAvx2();

}  // namespace prefix_search_internal
}  // namespace firn

#endif  // FIRN_SSTABLE_PREFIX_SEARCH_H_
