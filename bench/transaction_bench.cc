// bench/transaction_bench.cc: transactions and batches through the public API: writing beside long
// readers, batches against single writes, commits of transactions, scans of keys with three levels.
// Keys are 16-24 bytes, values 100 bytes. $FIRN_BENCH_DIR says where the stores are made.
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/check.h"
#include "bench/scratch_folder.h"
#include "benchmark/benchmark.h"
#include "firn/composite_key.h"
#include "firn/database.h"
#include "firn/prefix_range.h"

namespace firn {
namespace {

// A store of its own, with one keyspace.
struct Bench {
  Bench() {
    database = Database::Open(folder.path() + "/store", {}).value();
    keyspace = database->OpenOrCreateKeyspace("entries", {}).value();
  }
  ScratchFolder folder;
  std::unique_ptr<Database> database;
  Keyspace keyspace;
};

std::string KeyOf(uint64_t number) { return EncodeUint64(number * 0x9E3779B97F4A7C15) + "--entry-"; }

const std::string& Value() {
  static const auto* const value = new std::string(100, 'v');
  return *value;
}

void WriteMany(Bench& bench, uint64_t first, uint64_t count, uint64_t in_a_batch,
               Durability durability) {
  WriteBatch batch;
  for (uint64_t i = 0; i < count; ++i) {
    batch.Put(bench.keyspace, KeyOf(first + i), Value());
    if (batch.count() < in_a_batch && i + 1 < count) continue;
    FIRN_CHECK(bench.database->Write(batch, durability).ok());
    batch.Clear();
  }
}

// Readers that stay open while the writer writes: each holds a snapshot and an iterator of 100,000
// entries. `walks` makes them move on all the time, which takes processors from the writer as any
// program would; else they move once in a millisecond.
class LongReaders {
 public:
  LongReaders(Bench& bench, int64_t count, bool walks) {
    for (int64_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, &bench, walks] {
        IteratorOptions options;
        options.snapshot = bench.database->TakeSnapshot();
        const std::unique_ptr<Iterator> iterator = bench.keyspace.NewIterator(options);
        iterator->SeekToFirst();
        while (!stop_.load(std::memory_order_relaxed)) {
          if (iterator->Valid()) {
            iterator->Next();
            moves_.fetch_add(1, std::memory_order_relaxed);
          } else {
            iterator->SeekToFirst();
          }
          if (!walks) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
  }
  ~LongReaders() { Stop(); }
  uint64_t Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return moves_;
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> moves_ = 0;
  std::vector<std::thread> threads_;
};

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Of the calling thread: what other programs on the machine take does not count.
double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Arguments: readers, whether they walk all the time. Batches of 100, buffered, alone and beside the
// readers by turns; the counters tell both rates, their ratio, and what a batch costs its thread.
void BM_WriteBesideLongReaders(benchmark::State& state) {
  Bench bench;
  WriteMany(bench, 0, 100'000, 1000, Durability::kBuffered);
  constexpr uint64_t kEntries = 20'000;
  uint64_t written = 100'000, moves = 0;
  double seconds[2] = {0, 0}, cpu_seconds[2] = {0, 0};
  for (auto _ : state) {
    for (const int beside : {0, 1}) {
      LongReaders readers(bench, beside * state.range(0), state.range(1) == 1);
      const double cpu_before = ThreadCpuSeconds();
      seconds[beside] +=
          SecondsOf([&] { WriteMany(bench, written, kEntries, 100, Durability::kBuffered); });
      cpu_seconds[beside] += ThreadCpuSeconds() - cpu_before;
      written += kEntries;
      moves += readers.Stop();
    }
  }
  const double entries = static_cast<double>(state.iterations()) * kEntries;
  state.counters["alone_per_s"] = entries / seconds[0];
  state.counters["beside_per_s"] = entries / seconds[1];
  state.counters["ratio"] = seconds[0] / seconds[1];
  state.counters["cpu_us_alone"] = cpu_seconds[0] / entries * 1e8;
  state.counters["cpu_us_beside"] = cpu_seconds[1] / entries * 1e8;
  state.counters["reader_moves"] = static_cast<double>(moves);
}
BENCHMARK(BM_WriteBesideLongReaders)
    ->ArgNames({"readers", "walk"})
    ->Args({0, 0})  // the noise of the machine
    ->Args({8, 0})
    ->Args({8, 1})
    ->UseRealTime();

// Arguments: durability (2 buffered, 3 synced), entries in a batch. The same entries one by one and in
// batches, by turns, so that both meet the same machine; the counters tell both rates and their ratio.
void BM_BatchesAgainstSingles(benchmark::State& state) {
  Bench bench;
  const auto durability = static_cast<Durability>(state.range(0));
  const auto in_a_batch = static_cast<uint64_t>(state.range(1));
  const uint64_t entries = durability == Durability::kSynced ? 200 : 20'000;
  uint64_t first = 0;
  double singles_s = 0, batches_s = 0;
  for (auto _ : state) {
    singles_s += SecondsOf([&] { WriteMany(bench, first, entries, 1, durability); });
    batches_s += SecondsOf([&] { WriteMany(bench, first + entries, entries, in_a_batch, durability); });
    first += 2 * entries;
  }
  const double total = static_cast<double>(state.iterations()) * static_cast<double>(entries);
  state.counters["singles_per_s"] = total / singles_s;
  state.counters["batched_per_s"] = total / batches_s;
  state.counters["ratio"] = singles_s / batches_s;
}
BENCHMARK(BM_BatchesAgainstSingles)
    ->ArgNames({"durability", "entries"})
    ->ArgsProduct({{2, 3}, {10, 100}})
    ->UseRealTime();

// A transaction that reads and writes ten keys, buffered. Argument: 1 snapshot, 2 serializable.
void BM_Transaction(benchmark::State& state) {
  Bench bench;
  WriteMany(bench, 0, 100'000, 1000, Durability::kBuffered);
  TransactionOptions options;
  options.isolation = static_cast<Isolation>(state.range(0));
  uint64_t at = 0;
  for (auto _ : state) {
    const auto transaction = bench.database->BeginTransaction(options).value();
    for (int i = 0; i < 10; ++i) {
      const std::string key = KeyOf(at++ * 7919 % 100'000);
      FIRN_CHECK(transaction->Get(bench.keyspace, key).ok());
      FIRN_CHECK(transaction->Put(bench.keyspace, key, Value()).ok());
    }
    FIRN_CHECK(transaction->Commit(Durability::kBuffered).ok());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Transaction)->ArgName("isolation")->Arg(1)->Arg(2)->UseRealTime();

constexpr uint64_t kOrganisations = 50, kTables = 20, kRows = 100;

std::string Name(const char* what, uint64_t number) { return what + EncodeUint64(number).substr(6); }

void FillThreeLevels(Bench& bench) {
  for (uint64_t organisation = 0; organisation < kOrganisations; ++organisation) {
    WriteBatch batch;
    for (uint64_t table = 0; table < kTables; ++table) {
      for (uint64_t row = 0; row < kRows; ++row) {
        batch.Put(bench.keyspace,
                  EncodeOrderedKey({Name("org", organisation), Name("table", table),
                                    EncodeUint64(row)}),
                  Value());
      }
    }
    FIRN_CHECK(bench.database->Write(batch, Durability::kBuffered).ok());
  }
  FIRN_CHECK(bench.database->Flush(bench.keyspace).ok());
  FIRN_CHECK(bench.database->WaitForBackgroundWork().ok());
}

// Organisation, table, row: 50 x 20 x 100 rows, in segments. Argument: parts of the prefix that is
// scanned: 0 all rows, 1 an organisation's, 2 a table's.
void BM_ThreeLevelScan(benchmark::State& state) {
  Bench bench;
  FillThreeLevels(bench);
  uint64_t rows = 0, at = 0;
  for (auto _ : state) {
    const std::string organisation = Name("org", at % kOrganisations);
    const std::string table = Name("table", at++ * 7 % kTables);
    const std::vector<absl::string_view> all_parts = {organisation, table};
    const std::string prefix = EncodeOrderedKey(
        absl::MakeConstSpan(all_parts).subspan(0, static_cast<size_t>(state.range(0))));
    const auto iterator = bench.keyspace.NewIterator(PrefixRange(prefix));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      benchmark::DoNotOptimize(iterator->value().data());
      ++rows;
    }
  }
  const uint64_t expected = state.range(0) == 0   ? kOrganisations * kTables * kRows
                            : state.range(0) == 1 ? kTables * kRows
                                                  : kRows;
  FIRN_CHECK(rows == expected * static_cast<uint64_t>(state.iterations()));
  state.SetItemsProcessed(static_cast<int64_t>(rows));
}
BENCHMARK(BM_ThreeLevelScan)->ArgName("parts")->Arg(0)->Arg(1)->Arg(2);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
