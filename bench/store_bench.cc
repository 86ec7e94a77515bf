// bench/store_bench.cc: what keeping costs the tree and what getting it back takes, readers beside
// writers, and allocations an operation.
//
//   Trace       one trace of inserts and updates on the tree alone (no store), on a store in memory, and on
//               disk, buffered and synced, by operations a commit. The ratio to the first is the price.
//   Recovery    opening a tree of N keys: from its checkpoint, and by replay of its whole log.
//   Matrix      R threads that read beside W that commit, on one keyspace.
//   Allocations calls of operator new for each operation of a warm store.
// Keys are 32 bytes (BLAKE2b-256 of a number), values 100 bytes. Scratch folders are in $FIRN_BENCH_DIR.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "base/blake2b.h"
#include "base/check.h"
#include "base/random.h"
#include "bench/scratch_folder.h"
#include "benchmark/benchmark.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "tree/prover.h"

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace firn {
namespace {

const TreeParameters kParameters{.key_length = 32, .value_length = std::nullopt};

std::string KeyOf(uint64_t number) {
  const std::string text = std::to_string(number);
  return std::string(AsText(HashBlake2b256(AsBytes(text))));
}

std::string ValueOf(uint64_t number) {
  std::string value(100, 'v');
  value.replace(0, 8, std::to_string(number % 90'000'000 + 10'000'000));
  return value;
}

// Four inserts of five operations; the fifth updates what is there.
Operation TraceAt(uint64_t number) {
  if (number % 5 != 4) return Operation::Insert(KeyOf(number), ValueOf(number));
  uint64_t older = HashBlake2b256(AsBytes(std::to_string(number)))[0] * (number / 256 + 1) % number;
  if (older % 5 == 4) --older;
  return Operation::InsertOrUpdate(KeyOf(older), ValueOf(number));
}

enum class Keeping : int64_t { kNone = 0, kMemory = 1, kBuffered = 2, kSynced = 3 };

struct OpenTree {
  std::unique_ptr<Database> database;
  std::unique_ptr<AuthenticatedTree> tree;
};

OpenTree Open(const std::string& path, Storage storage, const CheckpointPolicy& checkpoints) {
  Options options;
  options.storage = storage;
  OpenTree open;
  auto database = Database::Open(path, options);
  FIRN_CHECK(database.ok());
  open.database = std::move(*database);
  TreeOptions tree_options;
  tree_options.parameters = kParameters;
  tree_options.checkpoints = checkpoints;
  auto tree = AuthenticatedTree::Open(*open.database, tree_options);
  FIRN_CHECK(tree.ok());
  open.tree = std::move(*tree);
  return open;
}

// Operations before the time runs: a tree of this size is no toy, and builds in a second or two.
constexpr uint64_t kGround = 50'000;

void TraceWithoutStore(benchmark::State& state, uint64_t batch) {
  Prover prover(kParameters, EmptyTree(kParameters), uint8_t{0}, nullptr,
                Prover::Options{.recording = ProofRecording::kSkip});
  uint64_t next = 0;
  const auto run = [&] {
    for (uint64_t i = 0; i < batch; ++i) FIRN_CHECK(prover.Apply(TraceAt(next++)).ok());
    benchmark::DoNotOptimize(prover.digest());
    prover.EndBatch();
  };
  while (next < kGround) run();
  for (auto _ : state) run();
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch));
}

void BM_Trace(benchmark::State& state) {
  const auto keeping = static_cast<Keeping>(state.range(0));
  const auto batch = static_cast<uint64_t>(state.range(1));
  if (keeping == Keeping::kNone) return TraceWithoutStore(state, batch);
  const ScratchFolder folder;
  const OpenTree open =
      Open(folder.path() + "/store",
           keeping == Keeping::kMemory ? Storage::kMemory : Storage::kDisk, CheckpointPolicy());
  uint64_t next = 0;
  const auto run = [&](uint64_t count, Durability durability) {
    for (uint64_t i = 0; i < count; ++i) FIRN_CHECK(open.tree->Apply(TraceAt(next++)).ok());
    FIRN_CHECK(open.tree->Commit({.durability = durability}).ok());
  };
  while (next < kGround) run(1000, Durability::kBuffered);
  const Durability durability =
      keeping == Keeping::kSynced ? Durability::kSynced : Durability::kBuffered;
  for (auto _ : state) run(batch, durability);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch));
}
BENCHMARK(BM_Trace)
    ->ArgNames({"none0_memory1_buffered2_synced3", "batch"})
    ->ArgsProduct({{0, 1, 2, 3}, {1, 10, 100, 1000}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

// Arguments: keys; whether the newest commit is in a checkpoint.
void BM_Recovery(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const bool from_checkpoint = state.range(1) != 0;
  const ScratchFolder folder;
  const std::string path = folder.path() + "/store";
  const CheckpointPolicy never{.operations = 0, .milliseconds = 0, .dirty_bytes = 0};
  {
    const OpenTree open = Open(path, Storage::kDisk, never);
    for (uint64_t i = 0; i < keys; ++i) {
      FIRN_CHECK(open.tree->Apply(Operation::Insert(KeyOf(i), ValueOf(i))).ok());
      if (i % 1000 != 999 && i + 1 != keys) continue;
      FIRN_CHECK(open.tree->Commit({.durability = Durability::kBuffered}).ok());
    }
    if (from_checkpoint) FIRN_CHECK(open.tree->MakeCheckpoint().ok());
  }
  uint64_t replayed = 0;
  for (auto _ : state) {  // closing is part of it: it writes a record and releases the lock
    const OpenTree open = Open(path, Storage::kDisk, never);
    FIRN_CHECK(open.tree->view()->key_count() == keys);
    replayed = open.tree->statistics().operations_replayed;
  }
  FIRN_CHECK(replayed == (from_checkpoint ? 0 : keys));
  state.counters["replayed"] = static_cast<double>(replayed);
}
BENCHMARK(BM_Recovery)
    ->ArgNames({"keys", "checkpoint"})
    ->ArgsProduct({{10'000, 100'000}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
// Minutes to build: --benchmark_filter=Recovery/keys:1000000
BENCHMARK(BM_Recovery)
    ->ArgNames({"keys", "checkpoint"})
    ->ArgsProduct({{1'000'000}, {0, 1}})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// --- readers beside writers

constexpr uint64_t kRows = 200'000;

void BM_Matrix(benchmark::State& state) {
  const auto readers = static_cast<size_t>(state.range(0));
  const auto writers = static_cast<size_t>(state.range(1));
  if (readers + writers == 0) return state.SkipWithError("nobody");
  const ScratchFolder folder;
  auto database = Database::Open(folder.path() + "/store", {}).value();
  const Keyspace rows = database->CreateKeyspace("rows", {}).value();
  for (uint64_t i = 0; i < kRows;) {
    WriteBatch batch;
    for (int j = 0; j < 1000; ++j, ++i) batch.Put(rows, KeyOf(i), ValueOf(i));
    FIRN_CHECK(database->Write(batch, Durability::kBuffered).ok());
  }
  FIRN_CHECK(database->Flush(rows).ok() && database->WaitForBackgroundWork().ok());
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < kRows; ++i) keys.push_back(KeyOf(i));
  std::atomic<uint64_t> reads{0};
  std::atomic<uint64_t> writes{0};
  for (auto _ : state) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < readers + writers; ++t) {
      threads.emplace_back([&, t] {
        Random random(t + 1);
        uint64_t done = 0;
        for (; !stop.load(std::memory_order_relaxed); ++done) {
          const std::string& key = keys[random.Uniform(kRows)];
          if (t < readers) {
            FIRN_CHECK(rows.Get(key).ok());
          } else {
            WriteBatch batch;
            batch.Put(rows, key, ValueOf(random.Next()));
            FIRN_CHECK(database->Write(batch, Durability::kBuffered).ok());
          }
        }
        (t < readers ? reads : writes).fetch_add(done);
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
  }
  state.counters["reads"] =
      benchmark::Counter(static_cast<double>(reads.load()), benchmark::Counter::kIsRate);
  state.counters["writes"] =
      benchmark::Counter(static_cast<double>(writes.load()), benchmark::Counter::kIsRate);
  const Statistics statistics = database->statistics();
  state.counters["write_p99_us"] = static_cast<double>(statistics.write_us.p99);
  state.counters["held_back_us"] = static_cast<double>(statistics.slowdown_us);
}
BENCHMARK(BM_Matrix)
    ->ArgNames({"readers", "writers"})
    ->ArgsProduct({{0, 1, 4, 16}, {0, 1, 4, 16}})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// --- allocations

// Counts those of `run`, which does `operations`, and prints how many one of them takes.
template <typename Run>
void Count(benchmark::State& state, int64_t operations, Run run) {
  run();  // warm
  uint64_t counted = 0;
  for (auto _ : state) {
    const uint64_t before = allocations.load();
    run();
    counted += allocations.load() - before;
  }
  state.counters["allocations"] = static_cast<double>(counted) /
                                  (static_cast<double>(state.iterations()) *
                                   static_cast<double>(operations));
}

struct Warm {
  Warm() : database(Database::Open("store", {.storage = Storage::kMemory}).value()) {
    rows = database->CreateKeyspace("rows", {}).value();
    for (uint64_t i = 0; i < 20'000; ++i) keys.push_back(KeyOf(i));
    for (size_t i = 0; i < keys.size();) {
      WriteBatch batch;
      for (int j = 0; j < 1000; ++j, ++i) batch.Put(rows, keys[i], ValueOf(i));
      FIRN_CHECK(database->Write(batch, Durability::kBuffered).ok());
    }
    FIRN_CHECK(database->Flush(rows).ok() && database->WaitForBackgroundWork().ok());
  }
  std::unique_ptr<Database> database;
  Keyspace rows;
  std::vector<std::string> keys;
};

void BM_AllocationsPut(benchmark::State& state) {
  Warm warm;
  WriteBatch batch;
  Count(state, 100, [&] {
    batch.Clear();
    for (size_t i = 0; i < 100; ++i) batch.Put(warm.rows, warm.keys[i], "another value");
    FIRN_CHECK(warm.database->Write(batch, Durability::kBuffered).ok());
  });
}
BENCHMARK(BM_AllocationsPut);

void BM_AllocationsGet(benchmark::State& state) {
  Warm warm;
  Count(state, 1000, [&] {
    for (size_t i = 0; i < 1000; ++i) FIRN_CHECK(warm.rows.Get(warm.keys[i * 7]).ok());
  });
}
BENCHMARK(BM_AllocationsGet);

void BM_AllocationsNext(benchmark::State& state) {
  Warm warm;
  const std::unique_ptr<Iterator> iterator = warm.rows.NewIterator({});
  Count(state, static_cast<int64_t>(warm.keys.size()), [&] {
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      benchmark::DoNotOptimize(iterator->value().data());
    }
  });
}
BENCHMARK(BM_AllocationsNext);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
