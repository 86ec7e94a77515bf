// firn/prefix_range.h: the range of all keys that begin with a prefix.
//
// Example:
//     auto iterator = notes.NewIterator(firn::PrefixRange("alice/"));
//     for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ...
//     for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) ...  // the other way round
#ifndef FIRN_PREFIX_RANGE_H_
#define FIRN_PREFIX_RANGE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "firn/iterator.h"

namespace firn {

// The least key above all that begin with `prefix`: its last byte that is not 0xFF counted up, what
// follows cut off. None if there is no such key: the prefix is empty or all 0xFF, and the range goes
// to the last key.
std::optional<std::string> PrefixSuccessor(absl::string_view prefix);

// Options of an iterator over exactly the keys that begin with `prefix` (the empty one: all), as of
// now; set `snapshot` for another time.
IteratorOptions PrefixRange(absl::string_view prefix);

}  // namespace firn

#endif  // FIRN_PREFIX_RANGE_H_
