// bench/skip_list_bench.cc: memtable insertion and lookup. Keys are 32 random bytes, values 100 bytes.
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "benchmark/benchmark.h"
#include "engine/memtable.h"

namespace firn {
namespace {

std::vector<std::string> RandomKeys(size_t count) {
  Random random(42);
  std::vector<std::string> keys(count);
  for (std::string& key : keys) {
    for (int word = 0; word < 4; ++word) {
      const uint64_t bits = random.Next();
      key.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    }
  }
  return keys;
}

void BM_MemtableAdd(benchmark::State& state) {
  const std::vector<std::string> keys = RandomKeys(static_cast<size_t>(state.range(0)));
  const std::string value(100, 'v');
  for (auto _ : state) {
    const std::shared_ptr<Memtable> memtable = Memtable::Create();
    uint64_t sequence = 0;
    for (const std::string& key : keys) {
      memtable->Add({++sequence}, EntryKind::kPut, key, value);
    }
    benchmark::DoNotOptimize(memtable->entry_count());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_MemtableAdd)->Arg(10'000)->Arg(400'000)->Unit(benchmark::kMillisecond);

void BM_MemtableGet(benchmark::State& state) {
  const std::vector<std::string> keys = RandomKeys(static_cast<size_t>(state.range(0)));
  const std::shared_ptr<Memtable> memtable = Memtable::Create();
  uint64_t sequence = 0;
  for (const std::string& key : keys) {
    memtable->Add({++sequence}, EntryKind::kPut, key, std::string(100, 'v'));
  }
  Random random(7);
  for (auto _ : state) {
    const auto found = memtable->Get(keys[random.Uniform(keys.size())], kMaxSequenceNumber);
    FIRN_CHECK(found.has_value());
    benchmark::DoNotOptimize(found->value.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_MemtableGet)->Arg(10'000)->Arg(400'000);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
