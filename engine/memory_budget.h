// engine/memory_budget.h: how one memory budget is divided, and when memtables must give way. Pure
// functions of numbers.
//
//   fixed         8 MiB and a sixteenth: code, stacks, logs, jobs in progress, what malloc keeps
//   memtables     half of the rest, of all keyspaces, active and waiting; at most what four busy
//                 keyspaces use by their options
//   indexes       an eighth of the rest: of open segments
//   transactions  a sixteenth of the rest, at most transaction_memory
//   block cache   what is left (nothing if block_cache_size is 0); other caches, such as a tree's of
//                 nodes, may take up to half of it
// Invariants:
//   1. The shares add up to the budget, or less.
//   2. One keyspace alone behaves as by its options: it is flushed at memtable_size, with
//      immutable_memtables_max waiting beside it. Many share: when the sum of the active memtables
//      passes active_memtables, the largest is flushed.
#ifndef FIRN_ENGINE_MEMORY_BUDGET_H_
#define FIRN_ENGINE_MEMORY_BUDGET_H_

#include <cstdint>

#include "firn/options.h"

namespace firn {

// Bytes. UINT64_MAX: without a limit of its own, because there is no budget.
struct MemoryShares {
  uint64_t budget = 0;  // 0: none
  uint64_t fixed = 0;
  uint64_t memtables = UINT64_MAX;
  uint64_t active_memtables = UINT64_MAX;  // sum of the active ones from which the largest goes
  uint64_t indexes = UINT64_MAX;
  uint64_t transactions = 0;
  uint64_t block_cache = 0;
};

MemoryShares DivideMemory(const Options& options);

// `options` with every part at most its share: what the rest of the engine works with. Logs are kept
// short enough for recovery to hold them in memtables. Unchanged without a budget.
Options WithinBudget(const Options& options);

// How much a cache of a client's own gets that asks for `wanted`, when `granted` went to others
// before. Without a budget what it asks for.
uint64_t GrantFromCache(const MemoryShares& shares, uint64_t granted, uint64_t wanted);

}  // namespace firn

#endif  // FIRN_ENGINE_MEMORY_BUDGET_H_
