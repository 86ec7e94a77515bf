#include "sstable/hashed_segment_reader.h"

#include <cmath>
#include <thread>

#include "tests/sstable/hashed_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class HashedSegmentReaderTest : public testing::Test {
 protected:
  std::shared_ptr<const HashedSegmentReader> Build(const Arrivals& arrivals,
                                                   const SegmentOptions& options,
                                                   BlockCache* cache = nullptr,
                                                   uint64_t index_bytes_max = UINT64_MAX) {
    const std::string path = absl::StrCat("segment", ++files_);
    auto meta = WriteHashed(file_system_, path, arrivals, options, 1000 + files_);
    EXPECT_OK(meta);
    return OpenHashed(file_system_, path, *meta, cache, &counters_, index_bytes_max);
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

TEST_F(HashedSegmentReaderTest, GetsTheNewestVersionThatMayBeSeen) {
  const std::string k = "k2345678";
  const std::string other = "other678";
  const Model model = {{Key(k, 9), "nine"},
                       {Key(k, 5, EntryKind::kTombstone), ""},
                       {Key(k, 2), "two"},
                       {Key(other, 7), "other"}};
  Random random(50);
  const auto reader = Build(Shuffled(random, model), HashedOptions(8));
  for (uint64_t at_most = 0; at_most < 12; ++at_most) {
    for (const std::string& user_key : {k, other, std::string("absent78")}) {
      ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(user_key, SequenceNumber{at_most}));
      ExpectFound(found, model, user_key, at_most);
    }
  }
  for (const char* user_key : {"", "k", "k23456789"}) {  // of another width: nothing, and no error
    ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(user_key, kMaxSequenceNumber));
    EXPECT_FALSE(found.has_value());
  }
}

// Get, GetCached, GetMany: with a cache, a tiny one, none; widths, block sizes, snapshots; an index in
// memory or on disk.
TEST_F(HashedSegmentReaderTest, AgreesWithTheModelForRandomLookups) {
  for (uint64_t seed = 500; seed < 530; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const auto width = static_cast<uint32_t>(8 + random.Uniform(57));
    const Model model = RandomHashedModel(random, 1 + random.Uniform(2000), width, 300);
    BlockCache cache(random.OneIn(3) ? 0 : (random.OneIn(2) ? 20'000 : 1 << 20));
    const auto reader =
        Build(Shuffled(random, model), HashedOptions(width, 64 + random.Uniform(4000)),
              random.OneIn(4) ? nullptr : &cache, seed % 2 == 0 ? 0 : UINT64_MAX);
    EXPECT_EQ(reader->index().is_resident(), seed % 2 != 0);
    const uint64_t at_most = random.OneIn(2) ? kMaxSequenceNumber.value : random.Uniform(2000);
    std::vector<std::string> user_keys(300);
    std::vector<SegmentLookup> lookups;
    for (std::string& user_key : user_keys) {
      user_key = RandomBytes(random, width);
      if (!random.OneIn(4)) {
        const auto near = model.lower_bound(Key(user_key, 0));
        if (near != model.end()) user_key = std::string(UserKeyOf(near->first));
      }
      ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(user_key, SequenceNumber{at_most}));
      ASSERT_NO_FATAL_FAILURE(ExpectFound(found, model, user_key, at_most));
      {
        const Epochs::Guard guard(cache.epochs());
        std::optional<FoundEntry> cached;
        if (reader->GetCached(user_key, SequenceNumber{at_most}, cached)) {
          ASSERT_NO_FATAL_FAILURE(ExpectFound(cached, model, user_key, at_most));
        }
      }
      lookups.push_back({.user_key = user_key, .found = std::nullopt});
    }
    std::vector<SegmentLookup*> pointers;
    for (SegmentLookup& lookup : lookups) pointers.push_back(&lookup);
    {
      const Epochs::Guard guard(cache.epochs());
      reader->GetManyCached(pointers, SequenceNumber{at_most});
      for (const SegmentLookup& lookup : lookups) {
        std::optional<FoundEntry> alone;
        ASSERT_EQ(lookup.needs_read,
                  !reader->GetCached(lookup.user_key, SequenceNumber{at_most}, alone));
        if (lookup.needs_read) continue;
        ASSERT_NO_FATAL_FAILURE(ExpectFound(lookup.found, model, lookup.user_key, at_most));
      }
    }
    ASSERT_OK(reader->GetMany(pointers, SequenceNumber{at_most}));
    for (const SegmentLookup& lookup : lookups) {
      ASSERT_NO_FATAL_FAILURE(ExpectFound(lookup.found, model, lookup.user_key, at_most));
    }
  }
}

TEST_F(HashedSegmentReaderTest, ACachedRecordNeedsNoReadAndAnUncachedOneSaysSo) {
  Random random(51);
  const Model model = RandomHashedModel(random, 400, 16);
  BlockCache cache(1 << 20);
  const auto reader = Build(Shuffled(random, model), HashedOptions(16), &cache);
  const std::string user_key(UserKeyOf(model.begin()->first));
  std::optional<FoundEntry> found;
  {
    const Epochs::Guard guard(cache.epochs());
    EXPECT_FALSE(reader->GetCached(user_key, kMaxSequenceNumber, found));
  }
  EXPECT_OK(reader->Get(user_key, kMaxSequenceNumber));
  const uint64_t reads = counters_.block_reads.Total();
  EXPECT_GT(reads, 0u);
  const Epochs::Guard guard(cache.epochs());
  EXPECT_TRUE(reader->GetCached(user_key, kMaxSequenceNumber, found));
  ExpectFound(found, model, user_key, kMaxSequenceNumber.value);
  EXPECT_EQ(counters_.block_reads.Total(), reads);
}

TEST_F(HashedSegmentReaderTest, OnePresentKeyIsOneReadAndAbsentKeysAlmostNone) {
  Random random(52);
  Arrivals arrivals;
  for (uint64_t i = 0; i < 50'000; ++i) arrivals.emplace_back(Key(RandomBytes(random, 32), i), "v");
  const auto reader = Build(arrivals, HashedOptions(32, 4096));
  for (uint64_t i = 0; i < 2000; ++i) {
    const auto& [key, value] = arrivals[random.Uniform(arrivals.size())];
    ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(UserKeyOf(key), kMaxSequenceNumber));
    ASSERT_TRUE(found.has_value());
  }
  EXPECT_LE(counters_.block_reads.Total(), 2003u);  // 0.01 % more by fingerprints that collide
  const uint64_t before = counters_.block_reads.Total();
  constexpr uint64_t kAbsent = 200'000;
  for (uint64_t i = 0; i < kAbsent; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(RandomBytes(random, 32), kMaxSequenceNumber));
    ASSERT_FALSE(found.has_value());
  }
  const double expected = static_cast<double>(kAbsent) * 7 / 65536;  // 21
  EXPECT_NEAR(static_cast<double>(counters_.block_reads.Total() - before), expected,
              5 * std::sqrt(expected));
  EXPECT_EQ(counters_.block_reads.Total() - before, counters_.filter_false_positives.Total());
  EXPECT_EQ(counters_.filter_checks.Total(), 2000 + kAbsent);
}

TEST_F(HashedSegmentReaderTest, KeysThatAreNotUniformAreFoundAllTheSame) {
  Arrivals arrivals;
  for (uint64_t i = 0; i < 400; ++i) {
    std::string key(4, '\0');  // all in the first bucket
    PutBigEndian64(key, i);
    arrivals.emplace_back(Key(key, i), absl::StrCat(i));
  }
  const auto reader = Build(arrivals, HashedOptions(12));
  for (const auto& [key, value] : arrivals) {
    ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(UserKeyOf(key), kMaxSequenceNumber));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->value, value);
  }
  EXPECT_THAT(reader->Verify().problems, testing::IsEmpty());
}

TEST_F(HashedSegmentReaderTest, TheSizeOfARangeIsItsPartOfTheKeys) {
  Random random(53);
  Arrivals arrivals;
  for (uint64_t i = 0; i < 2000; ++i) arrivals.emplace_back(Key(RandomBytes(random, 10), i), "v");
  const auto reader = Build(arrivals, HashedOptions(10));
  const auto all = static_cast<double>(reader->properties().data_size);
  EXPECT_NEAR(static_cast<double>(reader->ApproximateSize("\x40", "\x80")), all / 4, 2);
  EXPECT_NEAR(static_cast<double>(reader->ApproximateSize("", "\xff\xff\xff\xff")), all, 2);
  EXPECT_EQ(reader->ApproximateSize("b", "a"), 0u);
}

TEST_F(HashedSegmentReaderTest, IndexAndTableOfSeveralPagesAreRead) {
  Random random(54);
  Model model;
  while (model.size() < 30'000) model[Key(RandomBytes(random, 8), model.size())] = "value";
  const auto reader = Build(Shuffled(random, model), HashedOptions(8, 96));  // two a block
  EXPECT_GT(reader->extent_count(), 2 * kExtentsPerPage);
  EXPECT_GT(reader->index().bucket_count(), 20 * kBucketsPerPage);
  EXPECT_GT(reader->memory_usage(), model.size() * 9 + reader->extent_count() * sizeof(uint64_t));
  EXPECT_THAT(reader->Verify().problems, testing::IsEmpty());
  for (const auto& [key, value] : model) {
    ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(UserKeyOf(key), kMaxSequenceNumber));
    ASSERT_TRUE(found.has_value());
  }
}

TEST_F(HashedSegmentReaderTest, ManyThreadsReadAtOnce) {
  Random random(55);
  const Model model = RandomHashedModel(random, 2000, 44);
  BlockCache cache(30'000);  // evicts all the time
  const auto reader = Build(Shuffled(random, model), HashedOptions(44), &cache);
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      Random mine(seed);
      for (int i = 0; i < 3000; ++i) {
        const auto near = model.lower_bound(Key(RandomBytes(mine, 44), 0));
        if (near == model.end()) continue;
        const absl::string_view user_key = UserKeyOf(near->first);
        const auto found = reader->Get(user_key, kMaxSequenceNumber);
        ASSERT_OK(found);
        ExpectFound(*found, model, user_key, kMaxSequenceNumber.value);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(HashedSegmentReaderTest, AReadThatFailsNamesTheFile) {
  Random random(56);
  const Model model = RandomHashedModel(random, 200, 16);
  const auto reader = Build(Shuffled(random, model), HashedOptions(16));
  std::string content = ReadAll(file_system_, reader->path());
  content[3] ^= 1;  // in the first extent
  WriteAll(file_system_, "bad", content);
  const auto bad = OpenHashed(file_system_, "bad", reader->meta());
  bool seen = false;
  for (const auto& [key, value] : model) {
    const auto found = bad->Get(UserKeyOf(key), kMaxSequenceNumber);
    if (found.ok()) continue;
    EXPECT_THAT(found.status(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bad: offset 0: checksum")));
    seen = true;
  }
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace firn
