// compaction/parallel_parts.h: runs the parts of one job on whatever threads are free, and waits for
// them.
//
// The caller takes part after part itself; helpers, which it asks for once, take parts beside it if
// they get a thread in time. It waits only for parts that a helper has begun, so no job ever waits for
// a thread: on an executor without a free one, or one that is stepped, it runs all parts alone.
#ifndef FIRN_COMPACTION_PARALLEL_PARTS_H_
#define FIRN_COMPACTION_PARALLEL_PARTS_H_

#include <cstddef>
#include <functional>

#include "absl/functional/function_ref.h"

namespace firn {

// Runs a closure soon, later or never. Thread-safe.
using HelperSink = std::function<void(std::function<void()> helper)>;

// Calls run(part) for each part below `parts`, each once, perhaps several at a time; returns when all
// have returned. `helpers` may be null; a helper that comes too late touches nothing of the caller's.
void RunParts(size_t parts, const HelperSink& helpers, absl::FunctionRef<void(size_t)> run);

}  // namespace firn

#endif  // FIRN_COMPACTION_PARALLEL_PARTS_H_
