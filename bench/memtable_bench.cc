// bench/memtable_bench.cc: insertion into and lookup in the memtable of each layout, scans of the
// hashed one. Keys are 32 random bytes (sequence: 8 ascending ones), values 100 bytes; batches of 1000.
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "benchmark/benchmark.h"
#include "engine/memtable.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

// Sequence: ascending.
std::vector<std::string> KeysFor(KeyspaceLayout layout, size_t count) {
  Random random(42);
  std::vector<std::string> keys(count);
  uint64_t number = 0;
  for (std::string& key : keys) {
    if (layout == KeyspaceLayout::kSequence) {
      key.resize(kSequenceKeySize);
      StoreSequenceKey(key.data(), ++number);
      continue;
    }
    for (int word = 0; word < 4; ++word) {
      const uint64_t bits = random.Next();
      key.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    }
  }
  return keys;
}

std::shared_ptr<Memtable> Fill(KeyspaceLayout layout, const std::vector<std::string>& keys) {
  static const std::string* const value = new std::string(100, 'v');
  std::shared_ptr<Memtable> memtable = Memtable::Create(layout, keys.size());
  uint64_t sequence = 0;
  std::vector<MemtableEntry> batch;
  for (const std::string& key : keys) {
    batch.push_back({{++sequence}, EntryKind::kPut, key, *value});
    if (batch.size() < 1000) continue;
    memtable->AddMany(batch);
    batch.clear();
  }
  memtable->AddMany(batch);
  return memtable;
}

void BM_MemtableAdd(benchmark::State& state) {
  const auto layout = static_cast<KeyspaceLayout>(state.range(0));
  const std::vector<std::string> keys = KeysFor(layout, static_cast<size_t>(state.range(1)));
  for (auto _ : state) {
    std::shared_ptr<Memtable> memtable = Fill(layout, keys);
    benchmark::DoNotOptimize(memtable->entry_count());
    state.PauseTiming();  // giving the memory back is the background's
    memtable.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(1));
}
BENCHMARK(BM_MemtableAdd)
    ->ArgNames({"layout", "keys"})
    ->ArgsProduct({{1, 2, 3}, {10'000, 400'000}})
    ->Unit(benchmark::kMillisecond);

void BM_MemtableGet(benchmark::State& state) {
  const auto layout = static_cast<KeyspaceLayout>(state.range(0));
  const std::vector<std::string> keys = KeysFor(layout, static_cast<size_t>(state.range(1)));
  const std::shared_ptr<Memtable> memtable = Fill(layout, keys);
  Random random(7);
  for (auto _ : state) {
    const auto found = memtable->Get(keys[random.Uniform(keys.size())], kMaxSequenceNumber);
    FIRN_CHECK(found.has_value());
    benchmark::DoNotOptimize(found->value.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_MemtableGet)
    ->ArgNames({"layout", "keys"})
    ->ArgsProduct({{1, 2, 3}, {10'000, 400'000}});

// What the first scan of a hashed memtable costs.
void BM_MemtableSort(benchmark::State& state) {
  const std::vector<std::string> keys =
      KeysFor(KeyspaceLayout::kHashed, static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    const std::shared_ptr<Memtable> memtable = Fill(KeyspaceLayout::kHashed, keys);
    state.ResumeTiming();
    benchmark::DoNotOptimize(memtable->NewIterator());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_MemtableSort)->Arg(10'000)->Arg(400'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
