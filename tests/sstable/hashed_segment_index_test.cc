#include "sstable/hashed_segment_index.h"

#include <vector>

#include "tests/sstable/hashed_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class HashedSegmentIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    Random random(77);
    model_ = RandomHashedModel(random, 6000, 16);
    ASSERT_OK_AND_ASSIGN(meta_, WriteHashed(file_system_, "s", Shuffled(random, model_),
                                            HashedOptions(16)));
  }
  std::shared_ptr<const HashedSegmentReader> Open(uint64_t index_bytes_max,
                                                  BlockCache* cache = nullptr) {
    return OpenHashed(file_system_, "s", meta_, cache, &counters_, index_bytes_max);
  }

  MemoryFileSystem file_system_;
  SegmentCounters counters_;
  Model model_;
  SegmentMeta meta_;
};

TEST_F(HashedSegmentIndexTest, StaysOnDiskBeyondItsBoundAndThenTakesLittleMemory) {
  const auto resident = Open(UINT64_MAX);
  const auto paged = Open(0);
  ASSERT_TRUE(resident->index().is_resident());
  ASSERT_FALSE(paged->index().is_resident());
  EXPECT_GT(resident->memory_usage(), model_.size() * 9);
  const size_t table = (resident->extent_count() + 1) * sizeof(uint64_t);
  EXPECT_LT(paged->memory_usage(), 2 * table + 1000);  // a vector may have twice what it needs
  const uint64_t bytes = resident->index().bucket_count() * sizeof(IndexLine);
  EXPECT_TRUE(Open(bytes)->index().is_resident());
  EXPECT_FALSE(Open(bytes - 1)->index().is_resident());
}

TEST_F(HashedSegmentIndexTest, PagedAndResidentShowTheSameEntries) {
  BlockCache cache(1 << 20);
  const auto resident = Open(UINT64_MAX);
  const auto paged = Open(0, &cache);
  using Seen = std::vector<std::pair<uint64_t, IndexEntry>>;
  const auto all = [](const HashedSegmentReader& reader, uint64_t begin, uint64_t limit) {
    Seen seen;
    EXPECT_OK(reader.index().ForEach(begin, limit, CacheUse::kFill,
                                     [&](uint64_t bucket, const IndexEntry& entry) {
                                       seen.emplace_back(bucket, entry);
                                     }));
    return seen;
  };
  const uint64_t count = resident->index().bucket_count();
  ASSERT_GT(count, 3 * kBucketsPerPage);
  EXPECT_EQ(all(*resident, 0, count).size(), model_.size());
  Random random(5);
  for (int i = 0; i < 50; ++i) {
    const uint64_t begin = i == 0 ? 0 : random.Uniform(count);
    const uint64_t limit = i == 0 ? count : begin + random.Uniform(count - begin + 1);
    ASSERT_EQ(all(*paged, begin, limit), all(*resident, begin, limit));
  }
  ASSERT_OK_AND_ASSIGN(const auto whole, paged->index().Whole());
  EXPECT_EQ(whole->entry_count(), model_.size());
}

TEST_F(HashedSegmentIndexTest, APageIsReadOnceAndThenComesFromTheCache) {
  BlockCache cache(4 << 20);
  const auto paged = Open(0, &cache);
  const std::string user_key(UserKeyOf(model_.begin()->first));
  ASSERT_OK_AND_ASSIGN(auto found, paged->Get(user_key, kMaxSequenceNumber));
  EXPECT_TRUE(found.has_value());
  const uint64_t reads = counters_.block_reads.Total();
  EXPECT_GE(reads, 2u);  // page and extent
  const Epochs::Guard guard(cache.epochs());
  ASSERT_TRUE(paged->GetCached(user_key, kMaxSequenceNumber, found));
  EXPECT_TRUE(found.has_value());
  EXPECT_EQ(counters_.block_reads.Total(), reads);
}

TEST_F(HashedSegmentIndexTest, ADamagedPageIsAnErrorOfItsKeysThatNamesTheFileAndTheOffset) {
  const auto resident = Open(UINT64_MAX);
  const uint64_t index_begin = resident->properties().data_size;
  const uint64_t last_page = resident->footer().index.offset - kBlockTrailerSize - 10;
  ASSERT_GT(last_page, index_begin);
  const std::string good = ReadAll(file_system_, "s");
  ASSERT_OK_AND_ASSIGN(const auto file, file_system_.OpenForWrite("s"));
  const uint8_t flipped = static_cast<uint8_t>(good[last_page] ^ 1);
  ASSERT_OK(file->Write(last_page, {ByteSpan(&flipped, 1)}));
  EXPECT_THAT(SegmentReader::Open(file_system_, "s", meta_, nullptr).status(),
              StatusIs(absl::StatusCode::kDataLoss));
  const auto paged = Open(0);  // does not read it
  ASSERT_NE(paged, nullptr);
  EXPECT_OK(paged->Get(UserKeyOf(model_.begin()->first), kMaxSequenceNumber));
  const std::string last(UserKeyOf(model_.rbegin()->first));
  const absl::Status status = paged->Get(last, kMaxSequenceNumber).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(status.message(), HasSubstr("s: "));
  EXPECT_THAT(status.message(), HasSubstr("offset"));
  SegmentLookup lookup{.user_key = last, .found = std::nullopt};
  SegmentLookup* const pointer = &lookup;
  EXPECT_THAT(paged->GetMany({&pointer, 1}, kMaxSequenceNumber),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(paged->Verify().problems.empty());
  EXPECT_THAT(paged->index().Whole().status(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace firn
