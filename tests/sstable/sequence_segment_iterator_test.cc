#include "sstable/sequence_segment_iterator.h"

#include "tests/sstable/sequence_support.h"

namespace firn {
namespace {

struct Setting {
  SegmentReadOptions read;
  size_t cache = 0;
  CompressionKind compression = CompressionKind::kLz4;
};

std::vector<Setting> Settings() {
  return {{{}, 1 << 20, CompressionKind::kLz4},
          {{}, 0, CompressionKind::kNone},
          {{.readahead_max = 0}, 1 << 20, CompressionKind::kLz4},
          {{.readahead_max = 1500}, 3000, CompressionKind::kNone},
          {{.cache = CacheUse::kProbe}, 1 << 20, CompressionKind::kLz4}};
}

class SequenceSegmentIteratorTest : public testing::TestWithParam<size_t> {
 protected:
  std::unique_ptr<InternalIterator> Iterate(const Model& model, BlockCache& cache) {
    const Setting setting = Settings()[GetParam()];
    SegmentOptions options = SequenceOptions();
    options.compression = setting.compression;
    auto meta = WriteSegment(file_system_, "s", model, options);
    EXPECT_OK(meta);
    cache.SetCapacity(setting.cache);
    return OpenSequence(file_system_, "s", *meta, &cache)->NewIterator(setting.read);
  }
  MemoryFileSystem file_system_;
};

TEST_P(SequenceSegmentIteratorTest, ShowsWhatAMapShows) {
  Random random(100 + GetParam());
  const Model model = RandomSequenceModel(random, 500);
  BlockCache cache(0);
  const auto iterator = Iterate(model, cache);
  for (int pass = 0; pass < 2; ++pass) {
    auto expected = model.begin();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
      ASSERT_EQ(iterator->key(), expected->first);
      ASSERT_EQ(iterator->value(), expected->second);
    }
    ASSERT_OK(iterator->status());
    ASSERT_TRUE(expected == model.end());
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
      --expected;
      ASSERT_EQ(iterator->key(), expected->first);
    }
    ASSERT_TRUE(expected == model.begin());
  }
}

TEST_P(SequenceSegmentIteratorTest, SeeksAndStepsAsAMapDoes) {
  Random random(120 + GetParam());
  const Model model = RandomSequenceModel(random, 300);
  BlockCache cache(0);
  const auto iterator = Iterate(model, cache);
  for (int round = 0; round < 400; ++round) {
    auto expected = std::next(model.begin(), static_cast<ptrdiff_t>(random.Uniform(model.size())));
    std::string target = expected->first;
    switch (random.Uniform(5)) {
      case 0:  // the next number, present or not
        target = SequenceInternalKey(LoadSequenceKey(UserKeyOf(target)) + 1, kMaxSequenceNumber);
        break;
      case 1:  // past all versions of the key
        target = SequenceInternalKey(LoadSequenceKey(UserKeyOf(target)), {0});
        break;
      case 2:  // a key that is shorter or longer than any
        target = Key(UserKeyOf(target).substr(0, random.Uniform(8)), 5);
        break;
      case 3:
        target = Key(std::string(UserKeyOf(target)) + "x", 5);
        break;
      default:
        break;
    }
    expected = model.lower_bound(target);
    iterator->Seek(target);
    for (int step = 0; step < 30; ++step) {
      ASSERT_EQ(iterator->Valid(), expected != model.end());
      if (!iterator->Valid()) break;
      ASSERT_EQ(iterator->key(), expected->first);
      ASSERT_EQ(iterator->value(), expected->second);
      if (random.OneIn(5)) {
        std::vector<EntryView> run(1 + random.Uniform(2 * kRunMax));
        const auto bound =
            std::next(model.begin(), static_cast<ptrdiff_t>(random.Uniform(model.size())));
        const std::string limit = random.OneIn(2) ? "" : bound->first;
        const size_t taken = iterator->TakeRun(absl::MakeSpan(run), limit);
        ASSERT_TRUE(taken >= 1 && taken <= run.size());
        for (size_t i = 0; i < taken; ++i, ++expected) {
          ASSERT_EQ(run[i].key, expected->first);
          ASSERT_EQ(run[i].value, expected->second);
          ASSERT_TRUE(i == 0 || limit.empty() || CompareInternalKeys(run[i].key, limit) < 0);
        }
        --expected;
        ASSERT_EQ(iterator->key(), expected->first);
      }
      if (random.OneIn(4)) {
        iterator->Prev();
        if (expected == model.begin()) {
          ASSERT_FALSE(iterator->Valid());
          break;
        }
        --expected;
      } else {
        iterator->Next();
        ++expected;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SequenceSegmentIteratorTest, testing::Range<size_t>(0, 5));

TEST(SequenceSegmentScanTest, AScanLeavesTheCacheToOthers) {
  Random random(98);
  MemoryFileSystem file_system;
  BlockCache cache(1 << 20);
  SegmentCounters counters;
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system, "s", RandomSequenceModel(random, 2000),
                                    SequenceOptions()));
  const auto reader = OpenSequence(file_system, "s", meta, &cache, &counters);
  const auto iterator = reader->NewIterator();
  uint64_t entries = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++entries;
  EXPECT_EQ(entries, 2000u);
  EXPECT_EQ(cache.Counters().entries, 1u) << "the block of the jump to the beginning";
  EXPECT_EQ(counters.block_reads.Total(), reader->index().size());
}

TEST(SequenceSegmentScanTest, ADamagedBlockEndsTheScanThere) {
  Random random(99);
  MemoryFileSystem file_system;
  const Model model = RandomSequenceModel(random, 500);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system, "s", model, SequenceOptions()));
  std::string content = ReadAll(file_system, "s");
  const auto good = OpenSequence(file_system, "s", meta);
  const size_t bad_block = good->index().size() / 2;
  content[good->index().offset(bad_block) + 5] ^= 1;
  WriteAll(file_system, "s", content);
  const auto reader = OpenSequence(file_system, "s", meta);
  const auto iterator = reader->NewIterator();
  uint64_t entries = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++entries;
  EXPECT_THAT(iterator->status(),
              StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("checksum")));
  uint64_t before = 0;
  for (size_t i = 0; i < bad_block; ++i) before += good->index().records(i);
  EXPECT_EQ(entries, before);
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid()) << "the error stays";
}

}  // namespace
}  // namespace firn
