#include "sstable/segment_cache.h"

#include <thread>
#include <vector>

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

class SegmentCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(file_system_.CreateDirectory("d"));
    for (uint64_t number = 1; number <= 40; ++number) {
      ASSERT_OK_AND_ASSIGN(
          metas_.emplace_back(),
          WriteSegment(file_system_, JoinPath("d", SegmentFileName(FileNumber{number})),
                       {{Key("k", number), absl::StrCat(number)}}, {}, 100 + number,
                       FileNumber{number}));
    }
  }
  MemoryFileSystem file_system_;
  std::vector<SegmentMeta> metas_;
};

TEST_F(SegmentCacheTest, OpensEachSegmentOnceWhileItIsKept) {
  SegmentCache cache(file_system_, 64, nullptr, nullptr);
  SegmentDirectory directory(cache, "d");
  ASSERT_OK_AND_ASSIGN(const auto first, directory.Get(metas_[0]));
  ASSERT_OK_AND_ASSIGN(const auto again, directory.Get(metas_[0]));
  EXPECT_EQ(first, again);
  cache.Erase(metas_[0].number);
  ASSERT_OK_AND_ASSIGN(const auto anew, directory.Get(metas_[0]));
  EXPECT_NE(first, anew);
  EXPECT_EQ(directory.PathOf(FileNumber{3}), "d/000003.seg");
}

TEST_F(SegmentCacheTest, KeepsNoMoreThanItsBoundAndTheLastUsed) {
  SegmentCache cache(file_system_, 4, nullptr, nullptr);
  ASSERT_OK_AND_ASSIGN(const auto pinned, cache.Get(metas_[0], "d"));
  for (const SegmentMeta& meta : metas_) {
    ASSERT_OK(cache.Get(meta, "d"));
    EXPECT_LE(cache.size(), 4u);
  }
  const uint64_t before = file_system_.operations();
  for (size_t i = metas_.size() - 4; i < metas_.size(); ++i) ASSERT_OK(cache.Get(metas_[i], "d"));
  EXPECT_EQ(file_system_.operations(), before);
  ASSERT_OK_AND_ASSIGN(const auto found, pinned->Get("k", kMaxSequenceNumber));  // still open
  EXPECT_EQ(found->value, "1");
}

TEST_F(SegmentCacheTest, ErrorsAreNotRemembered) {
  SegmentCache cache(file_system_, 4, nullptr, nullptr);
  SegmentMeta absent = metas_[0];
  absent.number = FileNumber{77};
  EXPECT_THAT(cache.Get(absent, "d").status(), HasReason(ErrorReason::kMissingFile));
  ASSERT_OK(file_system_.Link(JoinPath("d", SegmentFileName(metas_[0].number)), "d/000077.seg"));
  EXPECT_OK(cache.Get(absent, "d"));
}

TEST_F(SegmentCacheTest, AnotherSegmentUnderTheSameNumberIsNotTakenForTheFirst) {
  SegmentCache cache(file_system_, 4, nullptr, nullptr);
  ASSERT_OK(cache.Get(metas_[0], "d"));
  SegmentMeta other = metas_[0];
  other.id ^= 1;
  EXPECT_THAT(cache.Get(other, "d").status(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SegmentCacheTest, IndexesAreSetAsideFromTheBlocksUnlessTheyHaveAShareOfTheirOwn) {
  BlockCache blocks(1 << 20);
  {
    SegmentCache cache(file_system_, 8, &blocks, nullptr);
    ASSERT_OK_AND_ASSIGN(const auto reader, cache.Get(metas_[0], "d"));
    ASSERT_OK(cache.Get(metas_[1], "d"));
    EXPECT_EQ(blocks.set_aside(), cache.memory_usage());
    EXPECT_GT(blocks.set_aside(), reader->memory_usage());
    cache.Erase(metas_[0].number);
    EXPECT_GT(blocks.set_aside(), reader->memory_usage());  // still in use
  }
  EXPECT_EQ(blocks.set_aside(), 0u);
  SegmentCache with_share(file_system_, 8, &blocks, nullptr, FileAccess::kBuffered, 1 << 20);
  ASSERT_OK(with_share.Get(metas_[0], "d"));
  EXPECT_EQ(blocks.set_aside(), 0u);
}

TEST_F(SegmentCacheTest, ServesManyThreads) {
  SegmentCache cache(file_system_, 8, nullptr, nullptr);
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      Random random(seed);
      for (int i = 0; i < 500; ++i) {
        const SegmentMeta& meta = metas_[random.Uniform(metas_.size())];
        const auto reader = cache.Get(meta, "d");
        ASSERT_OK(reader);
        const auto found = (*reader)->Get("k", kMaxSequenceNumber);
        ASSERT_OK(found);
        EXPECT_EQ((*found)->value, absl::StrCat(meta.number.value));
        if (random.OneIn(10)) cache.Erase(meta.number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(cache.size(), 8u);
}

TEST_F(SegmentCacheTest, ClaimsOfAllTogetherStayWithinTheBound) {
  SegmentCache cache(file_system_, 20, nullptr, nullptr);
  SegmentDirectory first(cache, "a");
  EXPECT_EQ(first.ClaimReaders(21), 0u);
  EXPECT_EQ(first.ClaimReaders(12), 12u);
  {
    SegmentDirectory second(cache, "b");
    EXPECT_EQ(second.ClaimReaders(9), 0u);
    EXPECT_EQ(second.ClaimReaders(8), 8u);
    EXPECT_EQ(first.ClaimReaders(13), 0u) << "and what it had is free again";
    EXPECT_EQ(second.ClaimReaders(20), 20u);
    EXPECT_EQ(first.ClaimReaders(1), 0u);
  }
  EXPECT_EQ(first.ClaimReaders(20), 20u) << "the other is gone";
}

}  // namespace
}  // namespace firn
