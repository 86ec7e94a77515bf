// bench/block_bench.cc: building a 4 KiB data block and seeking in it. Keys are 32 random bytes, values
// 60 bytes.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/compression.h"
#include "base/random.h"
#include "benchmark/benchmark.h"
#include "sstable/block.h"
#include "sstable/block_builder.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

std::vector<std::string> SortedKeys(size_t count) {
  Random random(42);
  std::vector<std::string> keys(count);
  for (std::string& key : keys) {
    std::string user_key;
    for (int word = 0; word < 4; ++word) {
      const uint64_t bits = random.Next();
      user_key.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    }
    key = EncodeInternalKey({.user_key = user_key, .sequence = {1}, .kind = EntryKind::kPut});
  }
  std::sort(keys.begin(), keys.end(), [](const std::string& a, const std::string& b) {
    return CompareInternalKeys(a, b) < 0;
  });
  return keys;
}

constexpr size_t kEntries = 40;  // about 4 KiB

std::shared_ptr<const Block> MakeBlock(const std::vector<std::string>& keys) {
  BlockBuilder builder(16);
  for (const std::string& key : keys) builder.Add(key, std::string(60, 'v'));
  const ByteSpan bytes = builder.Finish();
  auto copy = NewBlockMemory(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  auto block = Block::Create(std::move(copy), bytes.size());
  FIRN_CHECK(block.ok());
  return *std::move(block);
}

void BM_BlockBuild(benchmark::State& state) {
  const std::vector<std::string> keys = SortedKeys(kEntries);
  const std::string value(60, 'v');
  BlockBuilder builder(16);
  for (auto _ : state) {
    builder.Reset();
    for (const std::string& key : keys) builder.Add(key, value);
    benchmark::DoNotOptimize(builder.Finish().data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kEntries));
}
BENCHMARK(BM_BlockBuild);

void BM_BlockSeek(benchmark::State& state) {
  const std::vector<std::string> keys = SortedKeys(kEntries);
  const std::shared_ptr<const Block> block = MakeBlock(keys);
  BlockIterator iterator(block.get());
  Random random(7);
  for (auto _ : state) {
    iterator.Seek(keys[random.Uniform(keys.size())]);
    FIRN_CHECK(iterator.Valid());
    benchmark::DoNotOptimize(iterator.value().data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_BlockSeek);

// Arguments: codec (1 LZ4, 2 LZ4-HC, 3 Zstd) and level, of a 4 KiB block of records as the tree has them:
// random keys, values half of which compress.
void BM_Compress(benchmark::State& state) {
  const int64_t codec = state.range(0);
  const CompressionKind kind = codec == 3 ? CompressionKind::kZstd : CompressionKind::kLz4;
  if (!HasCompression(kind)) return state.SkipWithError("not in this build");
  const CompressionEffort effort{.search = codec == 2 ? CompressionEffort::Search::kHigh
                                                      : CompressionEffort::Search::kFast,
                                 .level = static_cast<uint32_t>(state.range(1))};
  std::string raw;
  for (const std::string& key : SortedKeys(40)) raw += key + key.substr(0, 30) + std::string(30, 'v');
  raw.resize(4096);
  std::string compressed;
  for (auto _ : state) {
    Compress(kind, AsBytes(raw), compressed, effort);
    benchmark::DoNotOptimize(compressed.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * raw.size()));
  state.counters["ratio"] = static_cast<double>(raw.size()) / static_cast<double>(compressed.size());
}
BENCHMARK(BM_Compress)
    ->ArgNames({"codec", "level"})
    ->ArgsProduct({{1}, {1, 8, 64}})
    ->ArgsProduct({{2}, {3, 9, 12}})
    ->ArgsProduct({{3}, {1, 3, 19}});

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
