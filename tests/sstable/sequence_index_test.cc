#include "sstable/sequence_index.h"

#include <algorithm>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

struct Entry {
  uint64_t first_key;
  uint32_t records;
  uint64_t size;
};

std::string Build(const std::vector<Entry>& entries) {
  SequenceIndexBuilder builder;
  for (const Entry& entry : entries) builder.Add(entry.first_key, entry.records, entry.size);
  return builder.Finish();
}

uint64_t DataSize(const std::vector<Entry>& entries) {
  uint64_t size = 0;
  for (const Entry& entry : entries) size += entry.size + kBlockTrailerSize;
  return size;
}

TEST(SequenceIndexTest, BlocksAreFoundByTheirKeys) {
  Random random(91);
  for (int round = 0; round < 100; ++round) {
    std::vector<Entry> entries;
    uint64_t key = random.Uniform(100);
    const uint64_t steps = random.OneIn(3) ? 1 : 1 + random.Uniform(1u << 20);
    for (uint64_t i = 0; i < 1 + random.Uniform(300); ++i) {
      entries.push_back({key, static_cast<uint32_t>(1 + random.Uniform(70)),
                         1 + random.Uniform(100'000)});
      key += entries.back().records + (steps == 1 ? 0 : random.Uniform(steps));
    }
    ASSERT_OK_AND_ASSIGN(const SequenceIndex index,
                         SequenceIndex::Parse(AsBytes(Build(entries)), DataSize(entries)));
    ASSERT_EQ(index.size(), entries.size());
    uint64_t offset = 0;
    uint64_t records = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(index.first_key(i), entries[i].first_key);
      EXPECT_EQ(index.records(i), entries[i].records);
      EXPECT_EQ(index.handle(i), (BlockHandle{offset, entries[i].size}));
      EXPECT_EQ(index.BlockOf(entries[i].first_key), i);
      EXPECT_EQ(index.BlockOf(entries[i].first_key + entries[i].records - 1), i);
      offset += entries[i].size + kBlockTrailerSize;
      records += entries[i].records;
    }
    EXPECT_EQ(index.record_count(), records);
    EXPECT_EQ(index.BlockOf(UINT64_MAX), entries.size() - 1);
    EXPECT_EQ(index.BlockOf(0), 0u);
    for (int i = 0; i < 100; ++i) {
      const uint64_t sought = random.Uniform(key + 10);
      size_t expected = 0;
      while (expected + 1 < entries.size() && entries[expected + 1].first_key <= sought) ++expected;
      EXPECT_EQ(index.BlockOf(sought), expected);
    }
  }
}

TEST(SequenceIndexTest, TheHighestKeysHaveRoom) {
  const std::vector<Entry> entries = {{0, 1, 10}, {UINT64_MAX - 1, 2, 10}};
  ASSERT_OK_AND_ASSIGN(const SequenceIndex index,
                       SequenceIndex::Parse(AsBytes(Build(entries)), DataSize(entries)));
  EXPECT_EQ(index.BlockOf(UINT64_MAX), 1u);
  EXPECT_EQ(index.BlockOf(5), 0u);
}

TEST(SequenceIndexTest, BadIndexesAreRefused) {
  const std::vector<Entry> entries = {{10, 5, 100}, {20, 5, 100}};
  const std::string good = Build(entries);
  const uint64_t data_size = DataSize(entries);
  const auto refused = [](const std::string& bytes, uint64_t size) {
    return SequenceIndex::Parse(AsBytes(bytes), size).status().code() ==
           absl::StatusCode::kDataLoss;
  };
  ASSERT_FALSE(refused(good, data_size));
  EXPECT_TRUE(refused(good, data_size - 1));
  EXPECT_TRUE(refused(good, data_size + 1));
  EXPECT_TRUE(refused(good + std::string(1, '\0'), data_size));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_TRUE(refused(good.substr(0, size), data_size));
  for (const auto& [at, value] : {std::pair<size_t, char>{0, 2},   // scheme
                                  {1, 0}, {1, 3},                  // blocks
                                  {3, 0}, {6, 0},                  // records
                                  {4, 0}, {7, 99}}) {              // sizes
    std::string bad = good;
    bad[at] = value;
    EXPECT_TRUE(refused(bad, data_size)) << at;
  }
  const std::string over = Build({{UINT64_MAX, 1, 10}});  // and one more block behind it
  std::string two = over;
  two[1] = 2;
  two += std::string("\0\1\12", 3);
  EXPECT_TRUE(refused(two, 2 * (10 + kBlockTrailerSize)));
}

}  // namespace
}  // namespace firn
