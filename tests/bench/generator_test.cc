#include "bench/generator.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "base/compression.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn::bench {
namespace {

std::string Text(absl::string_view view) { return std::string(view.data(), view.size()); }

TEST(GeneratorTest, TheSameSeedGivesTheSameBytes) {
  Generator first({.seed = 7});
  Generator second({.seed = 7});
  for (const uint64_t ordinal : {0u, 1u, 2u, 1000u, 123456789u}) {
    EXPECT_EQ(Text(first.Key(ordinal)), Text(second.Key(ordinal)));
    EXPECT_EQ(Text(first.Value(ordinal, 3)), Text(second.Value(ordinal, 3)));
    EXPECT_EQ(Text(first.AbsentKey(ordinal)), Text(second.AbsentKey(ordinal)));
  }
}

TEST(GeneratorTest, AnotherSeedGivesOtherBytes) {
  Generator first({.seed = 7});
  Generator second({.seed = 8});
  EXPECT_NE(Text(first.Key(5)), Text(second.Key(5)));
  EXPECT_NE(Text(first.Value(5, 0)), Text(second.Value(5, 0)));
}

TEST(GeneratorTest, NoTwoKeysAreEqualAndNoAbsentKeyIsPresent) {
  for (const KeyKind kind : {KeyKind::kRandom, KeyKind::kSequence}) {
    Generator generator({.key = kind});
    std::set<std::string> keys;
    constexpr uint64_t kCount = 20'000;
    for (uint64_t i = 0; i < kCount; ++i) keys.insert(Text(generator.Key(i)));
    EXPECT_EQ(keys.size(), kCount);
    for (uint64_t i = 0; i < kCount; ++i) keys.insert(Text(generator.AbsentKey(i)));
    EXPECT_EQ(keys.size(), 2 * kCount);
  }
}

TEST(GeneratorTest, RandomKeysAreUniform) {
  Generator generator({});
  std::vector<int> first_byte(256), last_byte(256);
  constexpr int kCount = 256 * 400;
  for (uint64_t i = 0; i < kCount; ++i) {
    const absl::string_view key = generator.Key(i);
    ASSERT_EQ(key.size(), 32u);
    ++first_byte[static_cast<uint8_t>(key[0])];
    ++last_byte[static_cast<uint8_t>(key[31])];
  }
  // 400 expected, standard deviation 20.
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_NEAR(first_byte[static_cast<size_t>(byte)], 400, 120) << byte;
    EXPECT_NEAR(last_byte[static_cast<size_t>(byte)], 400, 120) << byte;
  }
}

TEST(GeneratorTest, SequenceKeysAscendAsBytes) {
  Generator generator({.key = KeyKind::kSequence});
  std::string last = Text(generator.Key(0));
  for (uint64_t ordinal : {1ull, 255ull, 256ull, 65536ull, 1ull << 40}) {
    const std::string key = Text(generator.Key(ordinal));
    EXPECT_EQ(key.size(), 8u);
    EXPECT_LT(last, key);
    last = key;
  }
}

TEST(GeneratorTest, ValuesFillTheirRangeAndAreKnownAgainInAnyVersion) {
  Generator generator({.value_min = 100, .value_max = 150});
  std::set<size_t> sizes;
  for (uint64_t i = 0; i < 5000; ++i) {
    const std::string value = Text(generator.Value(i, 0));
    sizes.insert(value.size());
    EXPECT_TRUE(generator.IsValueOf(i, value));
    EXPECT_FALSE(generator.IsValueOf(i + 1, value));
    const std::string update = Text(generator.Value(i, 1));
    EXPECT_NE(update, value);
    EXPECT_TRUE(generator.IsValueOf(i, update));
  }
  EXPECT_EQ(sizes.size(), 51u);
  EXPECT_EQ(*sizes.begin(), 100u);
  EXPECT_EQ(*sizes.rbegin(), 150u);
}

TEST(GeneratorTest, TheSmallestValuesAreMade) {
  for (size_t size = 8; size < 40; ++size) {
    Generator generator({.value_min = size, .value_max = size});
    EXPECT_EQ(generator.Value(1, 0).size(), size);
    EXPECT_TRUE(generator.IsValueOf(1, generator.Value(1, 9)));
  }
}

TEST(GeneratorTest, ValuesCompressToAboutHalf) {
  Generator generator({.value_min = 400, .value_max = 400});
  std::string plain, compressed;
  for (uint64_t i = 0; i < 10; ++i) plain += Text(generator.Value(i, 0));
  Compress(CompressionKind::kLz4, AsBytes(plain), compressed);
  const double share = static_cast<double>(compressed.size()) / static_cast<double>(plain.size());
  EXPECT_GT(share, 0.45);
  EXPECT_LT(share, 0.6);
}

TEST(DistributionTest, UniformDrawsStayInRangeAndReachAll) {
  const Distribution distribution(10, 0);
  Random random(1);
  std::vector<int> seen(10);
  for (int i = 0; i < 10'000; ++i) ++seen.at(distribution.Draw(random));
  for (const int count : seen) EXPECT_NEAR(count, 1000, 200);
}

TEST(DistributionTest, ZipfRanksHaveTheSharesOfItsLaw) {
  constexpr uint64_t kCount = 1000;
  constexpr double kTheta = 0.99;
  const Distribution distribution(kCount, kTheta);
  double zeta = 0;
  for (uint64_t rank = 1; rank <= kCount; ++rank) {
    zeta += 1 / std::pow(static_cast<double>(rank), kTheta);
  }
  Random random(2);
  constexpr int kDraws = 200'000;
  std::vector<int> seen(kCount);
  for (int i = 0; i < kDraws; ++i) ++seen.at(distribution.DrawRank(random));
  EXPECT_NEAR(seen[0], kDraws / zeta, kDraws * 0.01);
  EXPECT_NEAR(seen[1], kDraws / zeta / std::pow(2, kTheta), kDraws * 0.01);
  EXPECT_GT(seen[0], seen[1]);
  EXPECT_GT(seen[1], seen[10]);
  EXPECT_GT(seen[10], seen[500]);
}

TEST(DistributionTest, PopularOrdinalsAreScattered) {
  const Distribution distribution(1'000'000, 0.99);
  Random random(3);
  uint64_t in_first_tenth = 0;
  for (int i = 0; i < 10'000; ++i) in_first_tenth += distribution.Draw(random) < 100'000 ? 1 : 0;
  EXPECT_LT(in_first_tenth, 4000u);
}

TEST(DistributionTest, OneRecordIsAllThereIs) {
  for (const double theta : {0.0, 0.99}) {
    const Distribution distribution(1, theta);
    Random random(4);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(distribution.Draw(random), 0u);
  }
}

}  // namespace
}  // namespace firn::bench
