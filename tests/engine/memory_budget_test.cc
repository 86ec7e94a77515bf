#include "engine/memory_budget.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/database.h"
#include "firn/option_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(MemoryBudget, WithoutOneThePartsAreWhatTheirOptionsSay) {
  const Options options;
  const MemoryShares shares = DivideMemory(options);
  EXPECT_EQ(shares.budget, 0u);
  EXPECT_EQ(shares.memtables, UINT64_MAX);
  EXPECT_EQ(shares.indexes, UINT64_MAX);
  EXPECT_EQ(shares.block_cache, options.block_cache_size);
  EXPECT_EQ(shares.transactions, options.transaction_memory);
  EXPECT_EQ(WithinBudget(options).memtable_size, options.memtable_size);
  EXPECT_EQ(GrantFromCache(shares, 1000, uint64_t{1} << 40), uint64_t{1} << 40);
}

TEST(MemoryBudget, TheSharesNeverAddUpToMoreThanTheBudget) {
  for (uint64_t budget = 16 * kMiB; budget <= uint64_t{16} << 40; budget *= 2) {
    for (const size_t waiting : {size_t{1}, size_t{2}, size_t{16}}) {
      Options options;
      options.memory_budget = budget;
      options.immutable_memtables_max = waiting;
      const MemoryShares shares = DivideMemory(options);
      ASSERT_LE(shares.fixed + shares.memtables + shares.indexes + shares.transactions +
                    shares.block_cache,
                budget);
      ASSERT_GE(shares.block_cache, budget / 16);
      ASSERT_LE(shares.active_memtables, shares.memtables / 2);
      const Options cut = WithinBudget(options);
      ASSERT_THAT(CheckOptions(cut), IsOk()) << budget;
      ASSERT_LE(cut.memtable_size * (waiting + 1), std::max(shares.memtables, 17 * (kMiB / 16)));
      ASSERT_EQ(cut.block_cache_size, shares.block_cache);
    }
  }
}

TEST(MemoryBudget, LargeBudgetsGoToTheCache) {
  Options options;
  options.memory_budget = uint64_t{64} << 30;
  const MemoryShares shares = DivideMemory(options);
  EXPECT_EQ(WithinBudget(options).memtable_size, options.memtable_size);
  EXPECT_EQ(shares.memtables, 4 * 3 * options.memtable_size);
  EXPECT_GT(shares.block_cache, shares.budget * 3 / 4);
  options.block_cache_size = 0;
  EXPECT_EQ(DivideMemory(options).block_cache, 0u);
}

TEST(MemoryBudget, OtherCachesGetHalfOfTheBlockCacheAtMost) {
  Options options;
  options.memory_budget = 256 * kMiB;
  const MemoryShares shares = DivideMemory(options);
  EXPECT_EQ(GrantFromCache(shares, 0, kMiB), kMiB);
  EXPECT_EQ(GrantFromCache(shares, 0, 256 * kMiB), shares.block_cache / 2);
  EXPECT_EQ(GrantFromCache(shares, shares.block_cache / 2, kMiB), 0u);
}

// Twenty keyspaces, none of which ever reaches its own memtable_size.
TEST(MemoryBudget, MemtablesOfAllKeyspacesTogetherStayWithinTheirShare) {
  MemoryFileSystem disk;
  Options options;
  options.memory_budget = 16 * kMiB;
  options.log_size_max = 512 * kMiB;
  SteppedStore store(disk, 1, options);
  ASSERT_THAT(store.Open(), IsOk());
  const uint64_t share = store->statistics().memory.memtables.share;
  EXPECT_LE(share, 4 * kMiB);
  uint64_t most = 0;
  for (int i = 0; i < 6000; ++i) {
    const std::string keyspace = absl::StrCat("k", i % 20);
    ASSERT_THAT(store.Put(keyspace, absl::StrCat("key", i), std::string(3000, 'v')), IsOk());
    if (i % 3 == 0) static_cast<void>(store.executor().Step());
    most = std::max(most, store->statistics().memory.memtables.used);
  }
  // Beside one group each: empty memtables are not counted as pressure, but as memory.
  EXPECT_LE(most, share + 20 * (uint64_t{64} << 10) + kMiB);
  EXPECT_GT(most, share / 4);
  for (int i = 5980; i < 6000; ++i) {
    EXPECT_EQ(store.Get(absl::StrCat("k", i % 20), absl::StrCat("key", i)),
              std::string(3000, 'v'));
  }
  const Statistics statistics = store->statistics();
  EXPECT_GT(statistics.flushes, 10u);
  EXPECT_EQ(statistics.memory.budget, 16 * kMiB);
  EXPECT_LE(statistics.memory.indexes.used, statistics.memory.indexes.share);
}

}  // namespace
}  // namespace firn
