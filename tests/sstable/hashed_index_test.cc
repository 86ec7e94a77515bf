#include "sstable/hashed_index.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;

constexpr LocationFormat kLocation{9};

struct Entries {
  std::vector<uint64_t> words;
  std::vector<uint32_t> locations;
  uint64_t extent_count = 0;
};

// `versions`: entries of one word, one after the other.
Entries RandomEntries(Random& random, size_t count, size_t versions) {
  Entries entries;
  uint64_t word = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % versions == 0) word = random.Next();
    entries.words.push_back(word);
    const auto extent = static_cast<uint32_t>(i / 20);
    entries.locations.push_back(kLocation.Pack(extent, static_cast<uint32_t>(16 + i % 20 * 160)));
    entries.extent_count = extent + 1;
  }
  return entries;
}

std::vector<std::string> Pages(const Entries& entries, HashedIndexBuilder::Result* result) {
  HashedIndexBuilder builder;
  for (size_t i = 0; i < entries.words.size(); ++i) {
    builder.Add(entries.words[i], entries.locations[i]);
  }
  std::vector<std::string> pages;
  const auto finished = builder.Finish([&pages](ByteSpan page) {
    pages.emplace_back(AsText(page));
    return absl::OkStatus();
  });
  EXPECT_OK(finished);
  *result = *finished;
  return pages;
}

HashedIndex BuildIndex(const Entries& entries) {
  HashedIndexBuilder::Result result;
  const std::vector<std::string> pages = Pages(entries, &result);
  HashedIndex index(result.bucket_count, entries.extent_count, kLocation);
  for (const std::string& page : pages) EXPECT_OK(index.AddPage(AsBytes(page)));
  EXPECT_EQ(index.loaded_buckets(), index.bucket_count());
  EXPECT_EQ(index.entry_count(), entries.words.size());
  return index;
}

std::vector<uint32_t> Find(const HashedIndex& index, uint64_t word) {
  std::vector<uint32_t> found;
  index.Match(word, [&found](uint32_t location) { found.push_back(location); });
  return found;
}

TEST(HashedIndexTest, FindsEveryEntryInTheOrderOfRecords) {
  Random random(5);
  for (const size_t versions : {1u, 3u, 25u, 500u}) {
    for (const size_t count : {1u, 2u, 11u, 500u, 3000u}) {
      const Entries entries = RandomEntries(random, count, versions);
      const HashedIndex index = BuildIndex(entries);
      for (size_t i = 0; i < count; ++i) {
        const std::vector<uint32_t> found = Find(index, entries.words[i]);
        EXPECT_THAT(found, testing::Contains(entries.locations[i]));
        EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
      }
    }
  }
}

TEST(HashedIndexTest, BucketsShowTheirEntriesAndTogetherAll) {
  Random random(6);
  const Entries entries = RandomEntries(random, 5000, 2);
  const HashedIndex index = BuildIndex(entries);
  std::vector<uint32_t> all;
  for (uint64_t bucket = 0; bucket < index.bucket_count(); ++bucket) {
    index.ForEach(bucket, [&](const IndexEntry& entry) {
      all.push_back(entry.location);
      const auto at = std::find(entries.locations.begin(), entries.locations.end(), entry.location);
      ASSERT_NE(at, entries.locations.end());
      const uint64_t word = entries.words[static_cast<size_t>(at - entries.locations.begin())];
      EXPECT_EQ(BucketOf(word, index.bucket_count()), bucket);
      EXPECT_EQ(FingerprintOf(word), entry.fingerprint);
    });
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, entries.locations);
}

TEST(HashedIndexTest, ScalarAndVectorCompareAgree) {
  Random random(7);
  for (int round = 0; round < 20'000; ++round) {
    IndexLine line;
    line.header = static_cast<uint32_t>(random.Uniform(IndexLine::kSlots + 1)) |
                  static_cast<uint32_t>(random.Next()) << IndexLine::kCountBits;
    for (uint16_t& fingerprint : line.fingerprints) {
      fingerprint = static_cast<uint16_t>(random.Uniform(3) + 0x7fff);
    }
    for (uint32_t& location : line.locations) location = static_cast<uint32_t>(random.Next());
    for (const uint32_t probe : {0x7ffeu, 0x7fffu, 0x8000u, 0x8001u}) {
      const auto wanted = static_cast<uint16_t>(probe);
      EXPECT_EQ(hashed_index_internal::Match(line, wanted),
                hashed_index_internal::MatchScalar(line, wanted));
    }
  }
}

// Theory: an absent key meets as many entries as a bucket holds on average, each with 2^-16.
TEST(HashedIndexTest, FalsePositivesAreAsOftenAsTheorySays) {
  Random random(8);
  const Entries entries = RandomEntries(random, 200'000, 1);
  const HashedIndex index = BuildIndex(entries);
  constexpr uint64_t kProbes = 4'000'000;
  uint64_t false_positives = 0;
  for (uint64_t i = 0; i < kProbes; ++i) {
    bool found = false;
    index.Match(random.Next(), [&found](uint32_t) { found = true; });
    false_positives += found ? 1 : 0;
  }
  const double expected = static_cast<double>(kProbes) * 7 / 65536;  // 427
  EXPECT_NEAR(static_cast<double>(false_positives), expected, 5 * std::sqrt(expected));
  RecordProperty("false_positives", std::to_string(false_positives));
  // 64 / 7 bytes, and a further line for one bucket in ten.
  EXPECT_LT(static_cast<double>(index.memory_usage()) / 200'000, 11.0);
}

TEST(HashedIndexTest, TheDistinctKeysAreCountedOnce) {
  Random random(9);
  HashedIndexBuilder::Result result;
  Pages(RandomEntries(random, 6000, 60), &result);  // 100 keys in many buckets
  EXPECT_EQ(result.distinct_keys, 100u);
  Pages(RandomEntries(random, 50'000, 1), &result);
  EXPECT_NEAR(static_cast<double>(result.distinct_keys), 50'000, 10);
}

TEST(HashedIndexTest, BadPagesAreRefused) {
  Random random(10);
  const Entries entries = RandomEntries(random, 300, 1);
  HashedIndexBuilder::Result result;
  const std::vector<std::string> pages = Pages(entries, &result);
  ASSERT_EQ(pages.size(), 1u);
  const auto add = [&](const std::string& page, uint64_t extent_count) {
    HashedIndex index(result.bucket_count, extent_count, kLocation);
    return index.AddPage(AsBytes(page));
  };
  EXPECT_OK(add(pages[0], entries.extent_count));
  EXPECT_THAT(add(pages[0], entries.extent_count - 1),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("names extent")));
  EXPECT_THAT(add(pages[0] + "x", entries.extent_count),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another number")));
  EXPECT_THAT(add(pages[0].substr(0, 20), entries.extent_count),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut off")));
  std::string header = pages[0];
  header.replace(header.size() - 4, 4, std::string(4, '\0'));  // extent 0, offset 0
  EXPECT_THAT(add(header, entries.extent_count),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("names the header")));
  HashedIndex full(result.bucket_count, entries.extent_count, kLocation);
  EXPECT_OK(full.AddPage(AsBytes(pages[0])));
  EXPECT_THAT(full.AddPage(AsBytes(pages[0])),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("one too many")));
}

}  // namespace
}  // namespace firn
