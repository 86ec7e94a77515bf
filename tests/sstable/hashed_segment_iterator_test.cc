#include "sstable/hashed_segment_iterator.h"

#include <algorithm>

#include "tests/sstable/hashed_support.h"

namespace firn {
namespace {

class HashedSegmentIteratorTest : public testing::TestWithParam<uint64_t> {
 protected:
  // Everything by the seed: width, sizes, cache, read-ahead.
  void SetUp() override {
    const uint64_t width = 8 + random_.Uniform(57);
    model_ = RandomHashedModel(random_, 1 + random_.Uniform(800), width);
    auto meta = WriteHashed(
        file_system_, "s", Shuffled(random_, model_),
        HashedOptions(static_cast<uint32_t>(width), 64 + random_.Uniform(2000)));
    ASSERT_OK(meta);
    cache_ = std::make_unique<BlockCache>(random_.OneIn(2) ? 0 : 50'000);
    const auto reader = OpenHashed(file_system_, "s", *meta, cache_.get());
    iterator_ = reader->NewIterator(
        {.cache = random_.OneIn(2) ? CacheUse::kFill : CacheUse::kProbe,
         .readahead_max = random_.OneIn(3) ? 0 : random_.Uniform(100'000)});
  }
  void ExpectAt(Model::const_iterator expected) {
    ASSERT_OK(iterator_->status());
    ASSERT_EQ(iterator_->Valid(), expected != model_.end());
    if (!iterator_->Valid()) return;
    ASSERT_EQ(iterator_->key(), expected->first);
    ASSERT_EQ(iterator_->value(), expected->second);
  }

  Random random_{GetParam()};
  MemoryFileSystem file_system_;
  Model model_;
  std::unique_ptr<BlockCache> cache_;
  std::unique_ptr<InternalIterator> iterator_;
};

TEST_P(HashedSegmentIteratorTest, ShowsAllEntriesInKeyOrderBothWays) {
  iterator_->SeekToFirst();
  for (auto expected = model_.begin(); expected != model_.end(); ++expected) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(expected));
    iterator_->Next();
  }
  ASSERT_NO_FATAL_FAILURE(ExpectAt(model_.end()));
  iterator_->SeekToLast();
  for (auto expected = model_.rbegin(); expected != model_.rend(); ++expected) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(std::prev(expected.base())));
    iterator_->Prev();
  }
  ASSERT_NO_FATAL_FAILURE(ExpectAt(model_.end()));
}

TEST_P(HashedSegmentIteratorTest, WalksAsTheModelDoes) {
  auto expected = model_.end();
  for (int step = 0; step < 1500; ++step) {
    switch (random_.Uniform(7)) {
      case 0: {  // any user key, also a prefix of one, and longer than one
        std::string target = RandomBytes(random_, random_.Uniform(20));
        const auto near = model_.lower_bound(Key(target, 0));
        if (random_.OneIn(2) && near != model_.end()) {
          target = std::string(UserKeyOf(near->first));
          target.resize(random_.Uniform(target.size() + 2), 'x');
        }
        const std::string internal = Key(target, random_.Uniform(800));
        iterator_->Seek(internal);
        expected = model_.lower_bound(internal);
        break;
      }
      case 1:
        iterator_->SeekToFirst();
        expected = model_.begin();
        break;
      case 2:
        iterator_->SeekToLast();
        expected = std::prev(model_.end());
        break;
      case 3:
      case 4:
        if (expected == model_.end()) break;
        iterator_->Prev();
        expected = expected == model_.begin() ? model_.end() : std::prev(expected);
        break;
      default:
        if (expected == model_.end()) break;
        iterator_->Next();
        ++expected;
    }
    ASSERT_NO_FATAL_FAILURE(ExpectAt(expected)) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HashedSegmentIteratorTest, testing::Range<uint64_t>(600, 620));

TEST(HashedSegmentIteratorErrorTest, DamageEndsItWithAStatus) {
  Random random(60);
  MemoryFileSystem file_system;
  const Model model = RandomHashedModel(random, 300, 16);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteHashed(file_system, "s", Shuffled(random, model), HashedOptions(16)));
  std::string content = ReadAll(file_system, "s");
  content[500] ^= 1;
  WriteAll(file_system, "s", content);
  const auto reader = OpenHashed(file_system, "s", meta);
  const auto iterator = reader->NewIterator();
  size_t seen = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++seen;
  EXPECT_LT(seen, model.size());
  EXPECT_THAT(iterator->status(), StatusIs(absl::StatusCode::kDataLoss));
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
}

// In buckets that are wanted only later: what was read ahead does not end the scan.
TEST(HashedSegmentIteratorErrorTest, DamageThatWasOnlyReadAheadIsReportedWhereItStands) {
  Random random(62);
  MemoryFileSystem file_system;
  Arrivals arrivals;
  for (uint64_t i = 0; i < 3000; ++i) arrivals.emplace_back(Key(RandomBytes(random, 16), i), "v");
  std::sort(arrivals.begin(), arrivals.end(), [](const auto& a, const auto& b) {
    return CompareInternalKeys(a.first, b.first) < 0;  // so a bucket is an extent or two
  });
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteHashed(file_system, "s", arrivals, HashedOptions(16, 256)));
  std::string content = ReadAll(file_system, "s");
  const auto whole = OpenHashed(file_system, "s", meta)->Blocks();
  content[whole[whole.size() * 2 / 3].handle.offset + 5] ^= 1;
  WriteAll(file_system, "s", content);
  size_t seen[2] = {};
  for (const size_t readahead : {size_t{0}, size_t{256} << 10}) {
    const auto reader = OpenHashed(file_system, "s", meta);
    const auto iterator = reader->NewIterator({.readahead_max = readahead});
    size_t& count = seen[readahead == 0 ? 0 : 1];
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++count) {
      ASSERT_EQ(iterator->key(), arrivals[count].first);
    }
    EXPECT_THAT(iterator->status(), StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_GT(seen[0], 1500u);
  EXPECT_EQ(seen[1], seen[0]);
}

TEST(HashedSegmentIteratorReadAheadTest, ASequentialScanReadsManyExtentsAtOnce) {
  Random random(61);
  MemoryFileSystem file_system;
  Arrivals arrivals;
  for (uint64_t i = 0; i < 5000; ++i) arrivals.emplace_back(Key(RandomBytes(random, 16), i), "v");
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteHashed(file_system, "s", arrivals, HashedOptions(16, 256)));
  SegmentCounters counters;
  const auto reader = OpenHashed(file_system, "s", meta, nullptr, &counters);
  uint64_t reads[2] = {};
  for (const size_t readahead : {size_t{0}, size_t{256} << 10}) {
    const uint64_t before = counters.block_reads.Total();
    const auto iterator = reader->NewIterator({.readahead_max = readahead});
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    }
    reads[readahead == 0 ? 0 : 1] = counters.block_reads.Total() - before;
  }
  EXPECT_LT(reads[1], reads[0]);  // extents that several buckets of a window need are read once
}

}  // namespace
}  // namespace firn
