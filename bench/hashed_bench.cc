// bench/hashed_bench.cc: the hashed segment: build, present and absent keys, a hundred a call, merge.
//
// Keys are 44 random bytes, values 100 to 150 bytes of which half compresses: node records. Reads are
// of 2,000,000 records in five segments that are cached, as a store would ask them: newest first until
// one answers; the time per key is the reciprocal of items_per_second. Files are in memory, so
// building and merging show the work of the processor alone.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/epoch.h"
#include "base/random.h"
#include "benchmark/benchmark.h"
#include "compaction/hashed_merge.h"
#include "io/memory_file_system.h"
#include "sstable/hashed_segment_reader.h"
#include "sstable/segment_cache.h"
#include "sstable/segment_writer.h"

namespace firn {
namespace {

constexpr size_t kKeyWidth = 44;
constexpr uint64_t kRecords = 2'000'000;
constexpr uint64_t kSegments = 5;

// The key of record `number`; numbers from kRecords on are absent.
void MakeKey(uint64_t number, std::string& key) {
  Random random(number * 7919);
  key.resize(kKeyWidth + 4);
  for (size_t at = 0; at < kKeyWidth; at += 8) {
    const uint64_t bits = random.Next();
    key.replace(at, 8, reinterpret_cast<const char*>(&bits), 8);
  }
  key.resize(kKeyWidth);
}

void MakeValue(uint64_t number, std::string& value) {
  Random random(number + 1);
  value.assign(100 + random.Uniform(51), 'v');
  for (size_t at = 0; at + 8 <= value.size() / 2; at += 8) {
    const uint64_t bits = random.Next();
    value.replace(at, 8, reinterpret_cast<const char*>(&bits), 8);
  }
}

SegmentOptions Options() {
  return {.layout = SegmentLayout::kHashed, .key_width = kKeyWidth, .origin = "bench"};
}

MemoryFileSystem& Files() {
  static auto* const files = [] {
    auto* const made = new MemoryFileSystem({.track_unsynced = false});
    FIRN_CHECK(made->CreateDirectory("bench").ok());
    return made;
  }();
  return *files;
}
std::string PathOf(FileNumber number) { return JoinPath("bench", SegmentFileName(number)); }

SegmentPtr WriteSegment(uint64_t number, uint64_t begin, uint64_t limit) {
  auto writer = SegmentWriter::Create(Files(), PathOf(FileNumber{number}), Options(),
                                      FileNumber{number}, number * 1'000'003);
  FIRN_CHECK(writer.ok());
  std::string key;
  std::string internal;
  std::string value;
  for (uint64_t i = begin; i < limit; ++i) {
    MakeKey(i, key);
    MakeValue(i, value);
    internal.clear();
    AppendInternalKey(internal, {.user_key = key, .sequence = SequenceNumber{i + 1}});
    FIRN_CHECK((*writer)->Add(internal, value).ok());
  }
  auto meta = (*writer)->Finish();
  FIRN_CHECK(meta.ok());
  return std::make_shared<const SegmentMeta>(*std::move(meta));
}

// Five segments of all records, cached.
struct Store {
  Store() : cache(size_t{1} << 30) {
    for (uint64_t i = 0; i < kSegments; ++i) {
      metas.push_back(
          WriteSegment(i + 1, kRecords / kSegments * i, kRecords / kSegments * (i + 1)));
      auto reader = SegmentReader::Open(Files(), PathOf(metas.back()->number),
                                        *metas.back(), &cache);
      FIRN_CHECK(reader.ok());
      readers.push_back(*std::move(reader));
    }
    std::string key;
    for (uint64_t i = 0; i < kRecords; ++i) {
      MakeKey(i, key);
      for (const auto& reader : readers) {
        FIRN_CHECK(reader->Get(key, kMaxSequenceNumber).ok());
      }
    }
  }
  // Newest first, as a version of the engine does.
  bool Get(absl::string_view key, std::optional<FoundEntry>& found) const {
    for (size_t i = readers.size(); i-- > 0;) {
      FIRN_CHECK(readers[i]->GetCached(key, kMaxSequenceNumber, found));
      if (found.has_value()) return true;
    }
    return false;
  }

  BlockCache cache;
  std::vector<SegmentPtr> metas;
  std::vector<std::shared_ptr<const SegmentReader>> readers;
};

Store& TheStore() {
  static auto* const store = new Store();
  return *store;
}

void RunGets(benchmark::State& state, uint64_t first_number, bool is_present) {
  Store& store = TheStore();
  Random random(static_cast<uint64_t>(state.thread_index()) + 1);
  std::string key;
  std::string copy;
  for (auto _ : state) {
    MakeKey(first_number + random.Uniform(kRecords), key);
    const Epochs::Guard guard(store.cache.epochs());
    std::optional<FoundEntry> found;
    FIRN_CHECK(store.Get(key, found) == is_present);
    if (is_present) copy.assign(found->value.data(), found->value.size());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

void BM_HashedGetPresent(benchmark::State& state) { RunGets(state, 0, true); }
BENCHMARK(BM_HashedGetPresent)->Threads(1)->Threads(2)->UseRealTime();

void BM_HashedGetAbsent(benchmark::State& state) { RunGets(state, kRecords, false); }
BENCHMARK(BM_HashedGetAbsent)->Threads(1)->Threads(2)->UseRealTime();

// What of the above is the making of keys.
void BM_HashedMakeKey(benchmark::State& state) {
  Random random(1);
  std::string key;
  for (auto _ : state) {
    MakeKey(random.Uniform(kRecords), key);
    benchmark::DoNotOptimize(key.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_HashedMakeKey);

void BM_HashedGetMany(benchmark::State& state) {
  constexpr size_t kKeys = 100;
  Store& store = TheStore();
  Random random(3);
  std::vector<std::string> keys(kKeys);
  for (auto _ : state) {
    std::vector<SegmentLookup> lookups(kKeys);
    std::vector<SegmentLookup*> open;
    for (size_t i = 0; i < kKeys; ++i) {
      MakeKey(random.Uniform(kRecords), keys[i]);
      lookups[i].user_key = keys[i];
      open.push_back(&lookups[i]);
    }
    for (size_t i = store.readers.size(); i-- > 0 && !open.empty();) {
      FIRN_CHECK(store.readers[i]->GetMany(open, kMaxSequenceNumber).ok());
      open.erase(std::remove_if(open.begin(), open.end(),
                                [](const SegmentLookup* one) { return one->found.has_value(); }),
                 open.end());
    }
    FIRN_CHECK(open.empty());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kKeys));
}
BENCHMARK(BM_HashedGetMany);

void BM_HashedBuild(benchmark::State& state) {
  constexpr uint64_t kBuilt = 400'000;
  std::vector<std::string> keys(kBuilt);
  std::vector<std::string> values(kBuilt);
  for (uint64_t i = 0; i < kBuilt; ++i) {
    std::string key;
    MakeKey(i, key);
    AppendInternalKey(keys[i], {.user_key = key, .sequence = SequenceNumber{i + 1}});
    MakeValue(i, values[i]);
  }
  SegmentOptions options = Options();
  options.compression = state.range(0) != 0 ? CompressionKind::kLz4 : CompressionKind::kNone;
  for (auto _ : state) {
    auto writer = SegmentWriter::Create(Files(), "built", options, FileNumber{99}, 99);
    FIRN_CHECK(writer.ok());
    for (uint64_t i = 0; i < kBuilt; ++i) FIRN_CHECK((*writer)->Add(keys[i], values[i]).ok());
    FIRN_CHECK((*writer)->Finish().ok());
    FIRN_CHECK(Files().RemoveFile("built").ok());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBuilt));
}
BENCHMARK(BM_HashedBuild)->ArgName("lz4")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_HashedOpen(benchmark::State& state) {
  const SegmentMeta& meta = *TheStore().metas[0];
  for (auto _ : state) {
    FIRN_CHECK(SegmentReader::Open(Files(), PathOf(meta.number), meta, nullptr).ok());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * meta.entry_count));
}
BENCHMARK(BM_HashedOpen)->Unit(benchmark::kMillisecond);

void BM_HashedMerge(benchmark::State& state) {
  Store& store = TheStore();
  SegmentCache readers(Files(), 100, nullptr, nullptr);
  SegmentDirectory directory(readers, "bench");
  Compaction compaction;
  compaction.kind = CompactionKind::kMerge;
  compaction.inputs = store.metas;
  LevelsEdit edit;
  for (const SegmentPtr& meta : store.metas) edit.added.push_back({{0}, meta});
  const auto levels = Levels().Apply(edit);
  FIRN_CHECK(levels.ok());
  JobContext context;
  context.file_system = &Files();
  context.sink.directory = "bench";
  context.sink.segment = Options();
  uint64_t number = 1000;
  context.sink.allocate_number = [&number] { return FileNumber{++number}; };
  context.sink.draw_id = [&number] { return number * 77; };
  for (auto _ : state) {
    const JobResult result = RunHashedMerge(context, compaction, *levels, directory);
    FIRN_CHECK(result.status.ok() && result.collected.passed == kRecords);
    FIRN_CHECK(Files().RemoveFile(directory.PathOf(FileNumber{number})).ok());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
}
BENCHMARK(BM_HashedMerge)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
