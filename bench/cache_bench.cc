// bench/cache_bench.cc: hits and misses of the sharded LRU cache, by one thread and by two.
#include <cstdint>
#include <memory>

#include "base/check.h"
#include "base/random.h"
#include "base/sharded_lru_cache.h"
#include "benchmark/benchmark.h"

namespace firn {
namespace {

struct MixHash {
  uint64_t operator()(uint64_t key) const { return Random(key).Next(); }
};
using Cache = ShardedLruCache<uint64_t, uint64_t, MixHash>;

constexpr uint64_t kKeys = 100'000;

Cache& FilledCache() {
  static Cache* const cache = [] {
    auto* filled = new Cache(kKeys * 2);
    for (uint64_t key = 0; key < kKeys; ++key) {
      filled->Insert(key, std::make_shared<const uint64_t>(key), 1);
    }
    return filled;
  }();
  return *cache;
}

void BM_CacheHit(benchmark::State& state) {
  Cache& cache = FilledCache();
  Random random(static_cast<uint64_t>(state.thread_index()) + 1);
  for (auto _ : state) {
    const Cache::Handle found = cache.Lookup(random.Uniform(kKeys));
    FIRN_CHECK(found != nullptr);
    benchmark::DoNotOptimize(*found);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_CacheHit)->Threads(1)->Threads(2)->UseRealTime();

void BM_CacheMiss(benchmark::State& state) {
  Cache& cache = FilledCache();
  Random random(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache.Lookup(kKeys + random.Uniform(kKeys)));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_CacheMiss);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
