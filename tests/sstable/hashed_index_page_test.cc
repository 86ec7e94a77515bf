#include "sstable/hashed_index_page.h"

#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;

constexpr LocationFormat kLocation{9};
constexpr uint64_t kExtents = 1000;

absl::StatusOr<std::shared_ptr<const IndexPage>> MakePage(absl::string_view bytes,
                                                          uint64_t bucket_count) {
  BlockMemory memory = NewBlockMemory(bytes.size());
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  return IndexPage::Create(std::move(memory), bytes.size(), bucket_count, kExtents, kLocation);
}

std::string PageBytes(const std::vector<std::vector<IndexEntry>>& buckets) {
  std::string bytes;
  for (const auto& entries : buckets) PutVarint32(bytes, static_cast<uint32_t>(entries.size()));
  for (const auto& entries : buckets) {
    for (const IndexEntry& entry : entries) {
      PutFixed16(bytes, entry.fingerprint);
      PutFixed32(bytes, entry.location);
    }
  }
  return bytes;
}

TEST(IndexPageTest, ShowsTheEntriesOfEachBucketAndFindsFingerprints) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    std::vector<std::vector<IndexEntry>> buckets(1 + random.Uniform(kBucketsPerPage));
    for (auto& entries : buckets) {
      // Some with more than a varint of one byte can say.
      entries.resize(random.OneIn(20) ? 128 + random.Uniform(400) : random.Uniform(12));
      for (IndexEntry& entry : entries) {
        entry.fingerprint = static_cast<uint16_t>(random.Uniform(50));
        entry.location = kLocation.Pack(static_cast<uint32_t>(random.Uniform(kExtents)), 16);
      }
    }
    ASSERT_OK_AND_ASSIGN(const auto page, MakePage(PageBytes(buckets), buckets.size()));
    for (size_t bucket = 0; bucket < buckets.size(); ++bucket) {
      std::vector<IndexEntry> seen;
      page->ForEach(bucket, [&](const IndexEntry& entry) { seen.push_back(entry); });
      ASSERT_EQ(seen, buckets[bucket]);
      for (uint16_t fingerprint = 0; fingerprint < 50; ++fingerprint) {
        std::vector<uint32_t> expected;
        for (const IndexEntry& entry : buckets[bucket]) {
          if (entry.fingerprint == fingerprint) expected.push_back(entry.location);
        }
        std::vector<uint32_t> found;
        page->Match(bucket, fingerprint, [&](uint32_t location) { found.push_back(location); });
        ASSERT_EQ(found, expected);
      }
    }
  }
}

TEST(IndexPageTest, BadPagesAreRefused) {
  const std::string good = PageBytes({{{1, kLocation.Pack(3, 16)}}, {{2, kLocation.Pack(4, 32)}}});
  EXPECT_OK(MakePage(good, 2));
  EXPECT_THAT(MakePage("", 1).status().message(), HasSubstr("counts are cut off"));
  EXPECT_THAT(MakePage(good, 3).status(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(MakePage(good.substr(0, good.size() - 1), 2).status().message(),
              HasSubstr("entries of another number"));
  EXPECT_THAT(MakePage(good + "x", 2).status().message(), HasSubstr("entries of another number"));
  EXPECT_THAT(MakePage(PageBytes({{{1, kLocation.Pack(kExtents, 16)}}}), 1).status().message(),
              HasSubstr("names extent 1000 of 1000"));
  EXPECT_THAT(MakePage(PageBytes({{{1, kLocation.Pack(3, 8)}}}), 1).status().message(),
              HasSubstr("header of an extent"));
}

}  // namespace
}  // namespace firn
