#include "engine/memory_budget.h"

#include <algorithm>

namespace firn {
namespace {

constexpr uint64_t kFixed = uint64_t{8} << 20;
constexpr uint64_t kBusyKeyspaces = 4;
constexpr uint64_t kMemtableMin = uint64_t{64} << 10;
constexpr uint64_t kBlockCacheMax = uint64_t{1} << 40;  // as the option's
constexpr uint64_t kLogMin = uint64_t{1} << 20;

uint64_t MemtablesOf(const Options& options) {
  return uint64_t{options.memtable_size} * (options.immutable_memtables_max + 1);
}

}  // namespace

MemoryShares DivideMemory(const Options& options) {
  MemoryShares shares;
  shares.transactions = options.transaction_memory;
  shares.block_cache = options.block_cache_size;
  if (options.memory_budget == 0) return shares;
  shares.budget = options.memory_budget;
  shares.fixed = std::min(kFixed + shares.budget / 16, shares.budget / 2);
  const uint64_t rest = shares.budget - shares.fixed;
  shares.memtables = std::min(rest / 2, kBusyKeyspaces * MemtablesOf(options));
  shares.active_memtables = std::clamp(shares.memtables / (options.immutable_memtables_max + 1),
                                       shares.memtables / 4, shares.memtables / 2);
  shares.indexes = rest / 8;
  shares.transactions = std::min<uint64_t>(options.transaction_memory, rest / 16);
  const bool has_cache = options.block_cache_size > 0;
  const uint64_t left = rest - shares.memtables - shares.indexes - shares.transactions;
  shares.block_cache = has_cache ? std::min(left, kBlockCacheMax) : 0;
  return shares;
}

Options WithinBudget(const Options& options) {
  if (options.memory_budget == 0) return options;
  const MemoryShares shares = DivideMemory(options);
  Options cut = options;
  const uint64_t memtable_max = shares.memtables / (options.immutable_memtables_max + 1);
  cut.memtable_size =
      std::min<uint64_t>(options.memtable_size, std::max(memtable_max, kMemtableMin));
  cut.block_cache_size = shares.block_cache;
  cut.transaction_memory = shares.transactions;
  // An entry takes a third more in a memtable than in a log.
  cut.log_size_max =
      std::min<uint64_t>(options.log_size_max, std::max(shares.memtables * 3 / 4, kLogMin));
  return cut;
}

uint64_t GrantFromCache(const MemoryShares& shares, uint64_t granted, uint64_t wanted) {
  if (shares.budget == 0) return wanted;
  const uint64_t most = shares.block_cache / 2;
  return granted >= most ? 0 : std::min(wanted, most - granted);
}

}  // namespace firn
