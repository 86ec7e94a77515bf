#include "sstable/ordered_segment_iterator.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

class OrderedSegmentIteratorTest : public testing::Test {
 protected:
  void SetUp() override {
    Random random(20);
    for (int i = 0; i < 4000; ++i)
      model_[Key(absl::StrCat(10000 + i), 1)] = RandomBytes(random, 200);
    ASSERT_OK_AND_ASSIGN(meta_, WriteSegment(file_system_, "s", model_, {.block_size = 1000}));
  }
  std::shared_ptr<const SegmentReader> Open(BlockCache* cache) {
    auto reader = SegmentReader::Open(file_system_, "s", meta_, cache, &counters_);
    EXPECT_OK(reader);
    return *std::move(reader);
  }
  uint64_t ReadsOfAScan(const SegmentReadOptions& options, BlockCache* cache) {
    return ReadsOfAScan(*Open(cache), options);
  }
  uint64_t ReadsOfAScan(const SegmentReader& reader, const SegmentReadOptions& options) {
    const auto iterator = reader.NewIterator(options);
    const uint64_t before = file_system_.operations();
    auto expected = model_.begin();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
      EXPECT_EQ(iterator->value(), expected->second);
    }
    EXPECT_OK(iterator->status());
    EXPECT_EQ(expected, model_.end());
    return file_system_.operations() - before;
  }

  MemoryFileSystem file_system_;
  SegmentCounters counters_;
  Model model_;
  SegmentMeta meta_;
};

TEST_F(OrderedSegmentIteratorTest, ReadsMoreAndMoreAheadInASequentialScan) {
  const uint64_t blocks = Open(nullptr)->Blocks().size();
  ASSERT_GT(blocks, 900u);
  EXPECT_EQ(ReadsOfAScan({.readahead_max = 0}, nullptr), blocks);
  // 1, 2, 4, ... 128 blocks, then about 256 KiB each.
  EXPECT_LT(ReadsOfAScan({}, nullptr), 16u);
  EXPECT_EQ(counters_.block_reads.Total(), 2 * blocks);  // none twice
}

TEST_F(OrderedSegmentIteratorTest, AJumpReadsOneBlock) {
  const auto iterator = Open(nullptr)->NewIterator();
  Random random(21);
  const uint64_t before = counters_.block_reads.Total();
  for (int i = 0; i < 50; ++i) iterator->Seek(Key(absl::StrCat(10000 + 40 * i * 37 % 4000), 1));
  EXPECT_LE(counters_.block_reads.Total() - before, 50u);
}

// In the cache, not in it, evicted between the stages, without a cache; beyond the last key.
TEST_F(OrderedSegmentIteratorTest, ASeekThatWasAnnouncedFindsTheSame) {
  BlockCache cache(1 << 20);
  Random random(22);
  for (BlockCache* const used : {&cache, static_cast<BlockCache*>(nullptr)}) {
    const auto reader = Open(used);
    const auto announced = reader->NewIterator();
    const auto plain = reader->NewIterator();
    for (int i = 0; i < 2000; ++i) {
      const std::string target = Key(absl::StrCat(9990 + random.Uniform(4020)), random.Uniform(3));
      announced->AnnounceSeek(target, SeekStage::kPlace);
      if (random.OneIn(50)) cache.SetCapacity(0);
      announced->AnnounceSeek(target, SeekStage::kContent);
      cache.SetCapacity(1 << 20);
      announced->Seek(target);
      plain->Seek(target);
      ASSERT_EQ(announced->Valid(), plain->Valid());
      if (!plain->Valid()) continue;
      ASSERT_EQ(announced->key(), plain->key());
      ASSERT_EQ(announced->value(), plain->value());
      if (random.OneIn(3)) announced->Next();
    }
    ASSERT_OK(announced->status());
  }
}

TEST_F(OrderedSegmentIteratorTest, FillsTheCacheOnlyIfAsked) {
  BlockCache cache(16 << 20);
  const auto reader = Open(&cache);
  ReadsOfAScan(*reader, {.cache = CacheUse::kProbe});
  EXPECT_EQ(cache.Counters().entries, 0u);
  ReadsOfAScan(*reader, {.cache = CacheUse::kFill});
  EXPECT_EQ(cache.Counters().entries, reader->Blocks().size());
  EXPECT_EQ(ReadsOfAScan(*reader, {.cache = CacheUse::kProbe}), 0u);
}

TEST_F(OrderedSegmentIteratorTest, ABadBlockIsReportedWhereItStandsAndNotBefore) {
  const auto blocks = Open(nullptr)->Blocks();
  const size_t bad = blocks.size() / 2;
  std::string content = ReadAll(file_system_, "s");
  content[blocks[bad].handle.offset + 5] ^= 1;
  WriteAll(file_system_, "s", content);
  const auto iterator = Open(nullptr)->NewIterator();
  auto expected = model_.begin();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
    ASSERT_EQ(iterator->key(), expected->first);
  }
  EXPECT_THAT(iterator->status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       testing::HasSubstr(absl::StrCat("s: offset ", blocks[bad].handle.offset))));
  EXPECT_GT(CompareInternalKeys(expected->first, blocks[bad - 1].limit_key), 0);
  EXPECT_LE(CompareInternalKeys(expected->first, blocks[bad].limit_key), 0);
  iterator->SeekToFirst();  // the error stays
  EXPECT_FALSE(iterator->Valid());
  const auto other = Open(nullptr)->NewIterator();
  other->SeekToLast();  // behind the damage all is well
  ASSERT_TRUE(other->Valid());
  EXPECT_EQ(other->key(), model_.rbegin()->first);
}

TEST_F(OrderedSegmentIteratorTest, KeepsItsReaderAlive) {
  std::unique_ptr<InternalIterator> iterator = Open(nullptr)->NewIterator();
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), model_.begin()->first);
}

}  // namespace
}  // namespace firn
