#include "base/histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(HistogramTest, BucketsCoverEveryNumberOnceAndInOrder) {
  uint64_t begin = 0;
  for (size_t bucket = 0; bucket < Histogram::kBucketCount; ++bucket) {
    const uint64_t max = Histogram::BucketMax(bucket);
    ASSERT_GE(max, begin);
    EXPECT_EQ(Histogram::BucketOf(begin), bucket);
    EXPECT_EQ(Histogram::BucketOf(max), bucket);
    EXPECT_LE(max - begin, begin / 16);  // as exact as promised
    begin = max + 1;
  }
  EXPECT_EQ(begin, 0u);  // the last bucket ends at 2^64 - 1
}

TEST(HistogramTest, SmallNumbersAreExact) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 20; ++value) histogram.Add(value);
  EXPECT_EQ(histogram.count(), 20u);
  EXPECT_EQ(histogram.sum(), 210u);
  EXPECT_EQ(histogram.min(), 1u);
  EXPECT_EQ(histogram.max(), 20u);
  EXPECT_DOUBLE_EQ(histogram.Average(), 10.5);
  EXPECT_EQ(histogram.Percentile(0), 1u);
  EXPECT_EQ(histogram.Percentile(50), 10u);
  EXPECT_EQ(histogram.Percentile(95), 19u);
  EXPECT_EQ(histogram.Percentile(100), 20u);
}

TEST(HistogramTest, PercentilesAreWithinOneSixteenthAboveTheTruth) {
  Random random(14);
  for (int round = 0; round < 20; ++round) {
    Histogram histogram;
    std::vector<uint64_t> values;
    for (int i = 0; i < 3000; ++i) {
      values.push_back(random.Next() >> (10 + random.Uniform(50)));
      histogram.Add(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
      const size_t rank = static_cast<size_t>(
          std::max(1.0, std::ceil(percent / 100 * static_cast<double>(values.size()))));
      const uint64_t truth = values[rank - 1];
      EXPECT_GE(histogram.Percentile(percent), truth);
      EXPECT_LE(histogram.Percentile(percent), truth + truth / 16);
    }
  }
}

TEST(HistogramTest, MergingIsTheSameAsAddingAllToOne) {
  Random random(15);
  Histogram left, right, both;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t value = random.Next() >> random.Uniform(64);
    (random.OneIn(3) ? left : right).Add(value);
    both.Add(value);
  }
  left.Merge(right);
  left.Merge(Histogram());
  EXPECT_EQ(left.ToString(), both.ToString());
  for (size_t bucket = 0; bucket < Histogram::kBucketCount; ++bucket) {
    ASSERT_EQ(left.bucket_count(bucket), both.bucket_count(bucket));
  }
}

TEST(HistogramTest, EmptyAndExtreme) {
  Histogram histogram;
  EXPECT_EQ(histogram.Percentile(99), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.Average(), 0);
  histogram.AddMany(7, 0);
  EXPECT_EQ(histogram.count(), 0u);
  histogram.Add(UINT64_MAX);
  histogram.Add(0);
  EXPECT_EQ(histogram.Percentile(100), UINT64_MAX);
  EXPECT_EQ(histogram.Percentile(1), 0u);
  histogram.Clear();
  EXPECT_EQ(histogram.ToString(),
            "count 0 min 0 avg 0.0 p50 0 p90 0 p99 0 p99.9 0 max 0");
}

}  // namespace
}  // namespace firn
