#include "sstable/filter.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

Filter Build(size_t keys, uint32_t bits_per_key) {
  FilterBuilder builder(bits_per_key);
  for (size_t i = 0; i < keys; ++i) builder.Add(absl::StrCat("key", i));
  auto filter = Filter::Create(AsBytes(builder.Finish()), 0, "f");
  EXPECT_OK(filter);
  return *std::move(filter);
}

TEST(FilterTest, KnowsEveryKeyThatWasAdded) {
  for (const size_t keys : {0u, 1u, 2u, 100u, 10000u}) {
    for (const uint32_t bits : {1u, 4u, 10u, 32u}) {
      const Filter filter = Build(keys, bits);
      for (size_t i = 0; i < keys; ++i) ASSERT_TRUE(filter.MayContain(absl::StrCat("key", i)));
    }
  }
}

// Keys a line are Poisson distributed; a line with n keys passes an absent key with probability
// (1 - (1 - 1/512)^(k n))^k.
double TheoreticalRate(double bits_per_key, int probes) {
  const double mean = 512 / bits_per_key;
  double rate = 0;
  double weight = std::exp(-mean);
  for (int n = 1; n < 2000; ++n) {
    weight *= mean / n;
    rate += weight * std::pow(1 - std::pow(1 - 1.0 / 512, probes * n), probes);
  }
  return rate;
}

TEST(FilterTest, PassesAsFewAbsentKeysAsTheorySays) {
  constexpr int kKeys = 50000;
  constexpr int kAsked = 400000;
  for (const uint32_t bits : {6u, 10u, 16u}) {
    const Filter filter = Build(kKeys, bits);
    int passed = 0;
    for (int i = 0; i < kAsked; ++i) passed += filter.MayContain(absl::StrCat("absent", i)) ? 1 : 0;
    const double expected = TheoreticalRate(bits, static_cast<int>(bits * 6 / 10));
    const double measured = static_cast<double>(passed) / kAsked;
    const double noise = 4 * std::sqrt(expected / kAsked);
    EXPECT_NEAR(measured, expected, 0.1 * expected + noise) << bits << " bits a key";
    RecordProperty(absl::StrCat("rate_", bits), absl::StrCat(measured));
  }
  EXPECT_LT(TheoreticalRate(10, 6), 0.0125);  // what filter.h says
}

TEST(FilterTest, CountsRepeatedKeysOnce) {
  FilterBuilder builder(10);
  for (int i = 0; i < 100; ++i) builder.Add("same");
  builder.Add("other");
  EXPECT_EQ(builder.key_count(), 2u);
}

TEST(FilterTest, RefusesWhatIsNoFilter) {
  FilterBuilder builder(10);
  builder.Add("key");
  const std::string good = builder.Finish();
  ASSERT_EQ(good.size(), 72u);
  EXPECT_OK(Filter::Create(AsBytes(good), 0, "f"));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(Filter::Create(AsBytes(good.substr(size)), 0, "f").status(),
                size == 0
                    ? testing::Matcher<const absl::Status&>(IsOk())
                    : testing::Matcher<const absl::Status&>(StatusIs(absl::StatusCode::kDataLoss)));
  }
  for (size_t i = 64; i < good.size(); ++i) {  // the tail: scheme, probes, reserved, count
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0xff);
    EXPECT_THAT(Filter::Create(AsBytes(bad), 100, "f").status(),
                StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("f: offset 1")));
  }
}

TEST(FilterTest, OneMadeByDefaultLetsEveryKeyPass) {
  EXPECT_TRUE(Filter().MayContain("anything"));
  EXPECT_FALSE(Filter().present());
}

}  // namespace
}  // namespace firn
