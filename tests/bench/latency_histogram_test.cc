#include "bench/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace firn::bench {
namespace {

TEST(LatencyHistogramTest, AnEmptyOneGivesZeroes) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.Percentile(50), 0u);
  const LatencySummary summary = histogram.Summary();
  EXPECT_EQ(summary.count, 0u);
  EXPECT_EQ(summary.min, 0u);
  EXPECT_EQ(summary.max, 0u);
}

TEST(LatencyHistogramTest, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (uint64_t value = 1; value <= 100; ++value) histogram.Add(value);
  EXPECT_EQ(histogram.Percentile(0), 1u);
  EXPECT_EQ(histogram.Percentile(50), 50u);
  EXPECT_EQ(histogram.Percentile(99), 99u);
  EXPECT_EQ(histogram.Percentile(99.9), 100u);
  EXPECT_EQ(histogram.Percentile(100), 100u);
}

TEST(LatencyHistogramTest, PercentilesAreWithinOnePartIn128AndNeverBelow) {
  Random random(11);
  LatencyHistogram histogram;
  std::vector<uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random.Next() >> (20 + random.Uniform(40)));
    histogram.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto index = static_cast<size_t>(std::ceil(20'000 * percent / 100)) - 1;
    const double exact = static_cast<double>(values[index]);
    const double found = static_cast<double>(histogram.Percentile(percent));
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(found, exact * (1 + 1.0 / 128)) << percent;
  }
}

TEST(LatencyHistogramTest, TheLargestValuesHaveABucket) {
  LatencyHistogram histogram;
  histogram.Add(UINT64_MAX);
  histogram.Add(0);
  EXPECT_EQ(histogram.Percentile(100), UINT64_MAX);
  EXPECT_EQ(histogram.Percentile(50), 0u);
}

TEST(LatencyHistogramTest, MergingIsAddingAll) {
  LatencyHistogram one, other, both;
  for (uint64_t value = 0; value < 5000; ++value) {
    (value % 3 == 0 ? one : other).Add(value * 77);
    both.Add(value * 77);
  }
  one.Merge(other);
  const LatencySummary merged = one.Summary();
  const LatencySummary added = both.Summary();
  EXPECT_EQ(merged.count, added.count);
  EXPECT_EQ(merged.min, added.min);
  EXPECT_EQ(merged.p50, added.p50);
  EXPECT_EQ(merged.p999, added.p999);
  EXPECT_EQ(merged.max, added.max);
  EXPECT_DOUBLE_EQ(merged.mean, added.mean);
}

TEST(LatencyHistogramTest, MeanAndDeviationAreThoseOfTheValues) {
  LatencyHistogram histogram;
  for (const uint64_t value : {2u, 4u, 4u, 4u, 5u, 5u, 7u, 9u}) histogram.Add(value);
  EXPECT_DOUBLE_EQ(histogram.Summary().mean, 5);
  EXPECT_DOUBLE_EQ(histogram.Summary().deviation, 2);
}

}  // namespace
}  // namespace firn::bench
