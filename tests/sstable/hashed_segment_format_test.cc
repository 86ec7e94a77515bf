#include "sstable/hashed_segment_format.h"

#include <set>

#include "base/random.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;

IndexRoot SomeRoot() {
  return {.key_size = 44,
          .location = {9},
          .bucket_count = 300,
          .extent_count = 5000,
          .table_page_sizes = {8192, 1700},
          .index_page_sizes = {5000, 5100, 2000}};
}

TEST(HashedSegmentFormatTest, TheRootComesBackAsItWas) {
  const std::string bytes = EncodeIndexRoot(SomeRoot());
  ASSERT_OK_AND_ASSIGN(const IndexRoot root, ParseIndexRoot(AsBytes(bytes)));
  EXPECT_EQ(EncodeIndexRoot(root), bytes);
  EXPECT_EQ(root.key_size, 44u);
  EXPECT_EQ(root.bucket_count, 300u);
  EXPECT_EQ(root.index_page_sizes, SomeRoot().index_page_sizes);
}

TEST(HashedSegmentFormatTest, ARootThatIsCutOrLongerOrLiesIsRefused) {
  const std::string bytes = EncodeIndexRoot(SomeRoot());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(ParseIndexRoot(AsBytes(bytes.substr(0, size))).status(),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
  EXPECT_THAT(ParseIndexRoot(AsBytes(bytes + "x")).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("follow")));
  struct Lie {
    uint64_t scheme, key_size, offset_bits, buckets, extents;
  };
  for (const Lie& lie : {Lie{2, 44, 9, 1, 1}, Lie{1, 7, 9, 1, 1}, Lie{1, 65, 9, 1, 1},
                         Lie{1, 44, 1, 1, 1}, Lie{1, 44, 29, 1, 1}, Lie{1, 44, 9, 0, 1},
                         Lie{1, 44, 9, kBucketCountMax + 1, 1}, Lie{1, 44, 9, 1, 0},
                         Lie{1, 44, 9, 1, (1 << 23) + 1}, Lie{1, 44, 9, UINT32_MAX, 1}}) {
    std::string bad;
    for (const uint64_t number :
         {lie.scheme, lie.key_size, lie.offset_bits, lie.buckets, lie.extents}) {
      PutVarint64(bad, number);
    }
    bad += "\x05\x05";
    EXPECT_THAT(ParseIndexRoot(AsBytes(bad)).status(), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(HashedSegmentFormatTest, BucketsAscendWithKeysAndAreAllReached) {
  Random random(3);
  for (const uint64_t bucket_count : {uint64_t{1}, uint64_t{7}, uint64_t{1000}, kBucketCountMax}) {
    std::set<std::string> keys;
    for (int i = 0; i < 2000; ++i) keys.insert(RandomBytes(random, 44));
    keys.insert(std::string(44, '\0'));
    keys.insert(std::string(44, '\xff'));
    uint64_t last = 0;
    for (const std::string& key : keys) {
      const uint64_t bucket = BucketOf(HashedWord(key), bucket_count);
      EXPECT_GE(bucket, last);
      EXPECT_LT(bucket, bucket_count);
      last = bucket;
    }
    EXPECT_EQ(last, bucket_count - 1);
  }
}

TEST(HashedSegmentFormatTest, InstancesOfOneLabelHaveOneBucketAndDifferentFingerprints) {
  Random random(4);
  const std::string label = RandomBytes(random, 32);
  std::set<uint16_t> fingerprints;
  for (uint64_t birth = 0; birth < 100; ++birth) {
    std::string key = label + std::string(4, '\0');
    PutBigEndian64(key, birth);
    const uint64_t word = HashedWord(key);
    EXPECT_EQ(BucketOf(word, 1000), BucketOf(HashedWord(label), 1000));
    fingerprints.insert(FingerprintOf(word));
  }
  EXPECT_EQ(fingerprints.size(), 100u);
}

TEST(HashedSegmentFormatTest, LocationsGiveBackExtentAndOffset) {
  for (const uint64_t block_size : {64u, 4096u, 5000u, 1u << 24}) {
    const LocationFormat format = LocationFormat::ForBlockSize(block_size);
    const auto last_offset = static_cast<uint32_t>((block_size - 1) / 8 * 8);
    const auto last_extent = static_cast<uint32_t>(format.extents_max() - 1);
    for (const uint32_t offset : {uint32_t{16}, last_offset}) {
      for (const uint32_t extent : {uint32_t{0}, last_extent}) {
        EXPECT_EQ(format.ExtentOf(format.Pack(extent, offset)), extent);
        EXPECT_EQ(format.OffsetOf(format.Pack(extent, offset)), offset);
      }
    }
  }
  EXPECT_EQ(LocationFormat::ForBlockSize(4096).offset_bits, 9u);
}

TEST(HashedSegmentFormatTest, TheExtentTableTellsOffsetsAndRefusesWhatDoesNotFit) {
  std::string page;
  for (const uint32_t size : {100u, 300u}) PutVarint32(page, size);
  std::vector<uint64_t> offsets = {0};
  EXPECT_OK(ParseExtentTablePage(AsBytes(page), 2, 424, offsets));
  EXPECT_EQ(offsets, (std::vector<uint64_t>{0, 112, 424}));
  offsets = {0};
  EXPECT_THAT(ParseExtentTablePage(AsBytes(page), 2, 423, offsets),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("extent 1 reaches")));
  offsets = {0};
  EXPECT_THAT(ParseExtentTablePage(AsBytes(page), 1, 424, offsets),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("follow")));
  offsets = {0};
  EXPECT_THAT(ParseExtentTablePage(AsBytes(page), 3, 424, offsets),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("size of extent 2")));
}

}  // namespace
}  // namespace firn
