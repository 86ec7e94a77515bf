#include "base/hash.h"

#include <bit>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"

namespace firn {
namespace {

// The values come from the formula of hash.h written down again in Python.
// Filters on disk hold bits chosen by these values: a change here is a change of format.
TEST(HashTest, TheOutputIsFrozen) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes.push_back(static_cast<char>(i));
  const absl::string_view all = bytes;
  EXPECT_EQ(Hash64(all.substr(0, 0)), 0xe429e3e6538e36bc);
  EXPECT_EQ(Hash64(all.substr(0, 1)), 0xc5ad6d6ce46e40e7);
  EXPECT_EQ(Hash64(all.substr(0, 5)), 0xc36324a40506866e);
  EXPECT_EQ(Hash64(all.substr(0, 12)), 0x125c91cc80001027);
  EXPECT_EQ(Hash64(all.substr(0, 16)), 0x16f17f4f6f5dad11);
  EXPECT_EQ(Hash64(all.substr(0, 32)), 0x3e96d778c091c68f);
  EXPECT_EQ(Hash64(all), 0x8340ccb970a349fa);
  EXPECT_EQ(Hash64(all, 42), 0x12fc43ae75bf2212);
  EXPECT_EQ(HashInteger(1), 0x910a2dec89025cc1);
}

TEST(HashTest, LengthAndSeedAndEveryBitCount) {
  Random random(7);
  for (size_t size = 0; size < 70; ++size) {
    std::string bytes = RandomBytes(random, size);
    const uint64_t intact = Hash64(bytes);
    EXPECT_NE(Hash64(bytes, 1), intact);
    EXPECT_NE(Hash64(bytes + '\0'), intact);
    for (size_t bit = 0; bit < size * 8; ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_NE(Hash64(bytes), intact) << size << " " << bit;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    }
  }
}

TEST(HashTest, NumberedKeysDoNotCollideAndSpreadOverShards) {
  std::set<uint64_t> hashes;
  std::vector<int> shards(64);
  constexpr int kCount = 64000;
  for (int i = 0; i < kCount; ++i) {
    const uint64_t hash = Hash64("key" + std::to_string(i));
    hashes.insert(hash);
    ++shards[hash % 64];
    ++shards[hash >> 58];
  }
  EXPECT_EQ(hashes.size(), static_cast<size_t>(kCount));
  for (const int count : shards) {  // 2000 each on average, standard deviation 44
    EXPECT_GT(count, 1700);
    EXPECT_LT(count, 2300);
  }
}

TEST(HashTest, AFlippedInputBitFlipsHalfOfTheOutput) {
  Random random(8);
  for (const size_t size : {3u, 7u, 8u, 15u, 32u, 66u}) {
    uint64_t flipped = 0;
    constexpr int kRounds = 2000;
    for (int round = 0; round < kRounds; ++round) {
      std::string bytes = RandomBytes(random, size);
      const uint64_t before = Hash64(bytes);
      const size_t bit = random.Uniform(size * 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      flipped += static_cast<uint64_t>(std::popcount(before ^ Hash64(bytes)));
    }
    EXPECT_NEAR(static_cast<double>(flipped) / kRounds, 32.0, 0.7) << size;
  }
}

}  // namespace
}  // namespace firn
