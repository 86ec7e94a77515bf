#include "sstable/segment_reader.h"

#include <thread>
#include <vector>

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

const SegmentOptions kSmallBlocks{
    .block_size = 200, .restart_interval = 4, .compression_threshold = 0};

class OrderedSegmentReaderTest : public testing::Test {
 protected:
  std::shared_ptr<const SegmentReader> Build(const Model& model,
                                             const SegmentOptions& options = kSmallBlocks,
                                             BlockCache* cache = nullptr) {
    const std::string path = absl::StrCat("segment", ++files_);
    auto meta = WriteSegment(file_system_, path, model, options, 1000 + files_);
    EXPECT_OK(meta);
    auto reader = SegmentReader::Open(file_system_, path, *meta, cache, &counters_);
    EXPECT_OK(reader);
    return *std::move(reader);
  }
  static void ExpectFound(const std::optional<FoundEntry>& found, const Model& model,
                          absl::string_view user_key, uint64_t at_most) {
    const auto expected = FindInModel(model, user_key, at_most);
    ASSERT_EQ(found.has_value(), expected != model.end());
    if (!found.has_value()) return;
    EXPECT_EQ(found->kind, KindOf(expected->first));
    EXPECT_EQ(found->sequence, SequenceOf(expected->first));
    EXPECT_EQ(found->value, expected->second);
  }

  MemoryFileSystem file_system_;
  SegmentCounters counters_;
  uint64_t files_ = 0;
};

TEST_F(OrderedSegmentReaderTest, GetsTheNewestVersionThatMayBeSeen) {
  const Model model = {{Key("k", 9), "nine"},
                       {Key("k", 5, EntryKind::kTombstone), ""},
                       {Key("k", 2), "two"},
                       {Key("kk", 7), "other"}};
  const auto reader = Build(model);
  for (uint64_t at_most = 0; at_most < 12; ++at_most) {
    for (const char* user_key : {"k", "kk", "", "a", "z"}) {
      ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(user_key, SequenceNumber{at_most}));
      ExpectFound(found, model, user_key, at_most);
    }
  }
}

TEST_F(OrderedSegmentReaderTest, AgreesWithTheModelForRandomLookups) {
  for (uint64_t seed = 200; seed < 212; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const Model model = RandomModel(random, 1 + random.Uniform(1000));
    SegmentOptions options = kSmallBlocks;
    options.filter_bits_per_key = static_cast<uint32_t>(random.Uniform(12));
    BlockCache cache(random.OneIn(2) ? 0 : 1 << 20);
    const auto reader = Build(model, options, random.OneIn(3) ? nullptr : &cache);
    std::vector<SegmentLookup> lookups;
    std::vector<std::string> user_keys(300);
    const uint64_t at_most = random.OneIn(2) ? kMaxSequenceNumber.value : random.Uniform(1000);
    for (std::string& user_key : user_keys) {
      user_key = RandomKey(random, 12);
      if (random.OneIn(2)) {
        const auto near = model.lower_bound(Key(user_key, 0));
        if (near != model.end()) user_key = std::string(UserKeyOf(near->first));
      }
      ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(user_key, SequenceNumber{at_most}));
      ASSERT_NO_FATAL_FAILURE(ExpectFound(found, model, user_key, at_most));
      lookups.push_back({.user_key = user_key, .found = std::nullopt});
    }
    if (random.OneIn(2)) {
      std::sort(lookups.begin(), lookups.end(),
                [](const auto& a, const auto& b) { return a.user_key < b.user_key; });
    }
    std::vector<SegmentLookup*> pointers;
    for (SegmentLookup& lookup : lookups) pointers.push_back(&lookup);
    ASSERT_OK(reader->GetMany(pointers, SequenceNumber{at_most}));
    for (const SegmentLookup& lookup : lookups) {
      ASSERT_NO_FATAL_FAILURE(ExpectFound(lookup.found, model, lookup.user_key, at_most));
    }
  }
}

TEST_F(OrderedSegmentReaderTest, VersionsOfOneKeyThatFillManyBlocksAreAllFound) {
  Model model;
  for (uint64_t sequence = 1; sequence <= 500; ++sequence) {
    model[Key("key", sequence)] = absl::StrCat("value", sequence);
  }
  model[Key("kez", 3)] = "neighbour";
  const auto reader = Build(model);
  ASSERT_GT(reader->Blocks().size(), 20u);
  for (uint64_t at_most = 0; at_most <= 501; ++at_most) {
    ASSERT_OK_AND_ASSIGN(const auto found, reader->Get("key", SequenceNumber{at_most}));
    ASSERT_NO_FATAL_FAILURE(ExpectFound(found, model, "key", at_most));
  }
}

TEST_F(OrderedSegmentReaderTest, AFoundValueLivesAsLongAsItsPin) {
  BlockCache cache(1 << 20);
  std::optional<FoundEntry> found;
  {
    auto reader = Build({{Key("a", 1), "the value"}}, kSmallBlocks, &cache);
    ASSERT_OK_AND_ASSIGN(found, reader->Get("a", kMaxSequenceNumber));
    cache.SetCapacity(0);
  }
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->value, "the value");  // ASan: still there without cache and reader
}

TEST_F(OrderedSegmentReaderTest, GetManyReadsAllMissingBlocksInOneSubmission) {
  Random random(17);
  Model model;
  for (int i = 0; i < 2000; ++i) model[Key(absl::StrCat(10000 + i), 1)] = RandomBytes(random, 100);
  const auto reader = Build(model);
  std::vector<std::string> user_keys;
  for (int i = 0; i < 2000; i += 37) user_keys.push_back(absl::StrCat(10000 + i));
  std::vector<SegmentLookup> lookups;
  for (const std::string& user_key : user_keys) lookups.push_back({user_key, std::nullopt});
  std::vector<SegmentLookup*> pointers;
  for (SegmentLookup& lookup : lookups) pointers.push_back(&lookup);
  const uint64_t before = file_system_.operations();
  ASSERT_OK(reader->GetMany(pointers, kMaxSequenceNumber));
  EXPECT_EQ(file_system_.operations() - before, 1u);
  for (const SegmentLookup& lookup : lookups) {
    ASSERT_NO_FATAL_FAILURE(ExpectFound(lookup.found, model, lookup.user_key, 1));
  }
  EXPECT_EQ(counters_.block_reads.Total(), user_keys.size());
}

TEST_F(OrderedSegmentReaderTest, CountsFilterCacheAndReads) {
  BlockCache cache(1 << 20);
  Model model;
  for (int i = 0; i < 1000; ++i) model[Key(absl::StrCat("key", i), 1)] = std::string(1, 'v');
  const auto reader = Build(model, {}, &cache);
  for (int i = 0; i < 1000; ++i)
    ASSERT_OK(reader->Get(absl::StrCat("none", i), kMaxSequenceNumber));
  EXPECT_EQ(counters_.filter_checks.Total(), 1000u);
  EXPECT_GT(counters_.filter_negatives.Total(), 960u);
  EXPECT_LE(counters_.filter_false_positives.Total(), 1000 - counters_.filter_negatives.Total());
  const uint64_t reads = counters_.block_reads.Total();
  ASSERT_OK(reader->Get("key5", kMaxSequenceNumber));
  ASSERT_OK(reader->Get("key5", kMaxSequenceNumber));
  EXPECT_LE(counters_.block_reads.Total(), reads + 1);
  EXPECT_GE(cache.Counters().hits, 1u);
  EXPECT_GT(counters_.block_bytes_read.Total(), 0u);
}

TEST_F(OrderedSegmentReaderTest, TellsAboutHowManyBytesARangeHolds) {
  Model model;
  Random random(18);
  for (int i = 0; i < 1000; ++i) model[Key(absl::StrCat(1000 + i), 1)] = RandomBytes(random, 100);
  const auto reader = Build(model);
  const uint64_t all = reader->ApproximateSize("", "\xff");
  EXPECT_EQ(all, reader->properties().data_size);
  EXPECT_NEAR(static_cast<double>(reader->ApproximateSize("1250", "1500")),
              static_cast<double>(all) / 4, static_cast<double>(all) / 50);
  EXPECT_EQ(reader->ApproximateSize("1500", "1250"), 0u);
}

TEST_F(OrderedSegmentReaderTest, ServesManyThreads) {
  Random random(19);
  const Model model = RandomModel(random, 2000);
  BlockCache cache(20000);
  const auto reader = Build(model, kSmallBlocks, &cache);
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      Random own(seed);
      const auto iterator = reader->NewIterator();
      for (int i = 0; i < 500; ++i) {
        auto expected = model.lower_bound(Key(RandomKey(own, 12), 9999));
        if (expected == model.end()) expected = model.begin();
        const auto found = reader->Get(UserKeyOf(expected->first), SequenceOf(expected->first));
        ASSERT_OK(found);
        ASSERT_TRUE(found->has_value());
        EXPECT_EQ((*found)->value, expected->second);
        iterator->Seek(expected->first);
        ASSERT_TRUE(iterator->Valid());
        EXPECT_EQ(iterator->value(), expected->second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace firn
