#include "bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace firn::bench {
namespace {

constexpr uint64_t kSubBuckets = uint64_t{1} << LatencyHistogram::kSubBucketBits;
constexpr size_t kBuckets = (64 - LatencyHistogram::kSubBucketBits + 1) * kSubBuckets;

size_t BucketOf(uint64_t value) {
  if (value < kSubBuckets) return static_cast<size_t>(value);
  const auto shift =
      static_cast<unsigned>(std::bit_width(value)) - 1 - LatencyHistogram::kSubBucketBits;
  return static_cast<size_t>((shift + 1) * kSubBuckets + ((value >> shift) - kSubBuckets));
}

uint64_t BucketMax(size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const unsigned shift = static_cast<unsigned>(bucket / kSubBuckets) - 1;
  const uint64_t first = (bucket % kSubBuckets + kSubBuckets) << shift;
  return first + ((uint64_t{1} << shift) - 1);
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets) {}

void LatencyHistogram::Add(uint64_t nanoseconds) {
  ++buckets_[BucketOf(nanoseconds)];
  ++count_;
  min_ = std::min(min_, nanoseconds);
  max_ = std::max(max_, nanoseconds);
  const auto value = static_cast<double>(nanoseconds);
  sum_ += value;
  sum_of_squares_ += value * value;
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  sum_of_squares_ += other.sum_of_squares_;
}

uint64_t LatencyHistogram::Percentile(double percent) const {
  FIRN_CHECK(percent >= 0 && percent <= 100);
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= std::max<uint64_t>(wanted, 1)) return std::clamp(BucketMax(bucket), min_, max_);
  }
  return max_;
}

LatencySummary LatencyHistogram::Summary() const {
  LatencySummary summary;
  if (count_ == 0) return summary;
  const auto count = static_cast<double>(count_);
  summary.count = count_;
  summary.mean = sum_ / count;
  summary.deviation =
      std::sqrt(std::max(0.0, sum_of_squares_ / count - summary.mean * summary.mean));
  summary.min = min_;
  summary.p50 = Percentile(50);
  summary.p90 = Percentile(90);
  summary.p99 = Percentile(99);
  summary.p999 = Percentile(99.9);
  summary.p9999 = Percentile(99.99);
  summary.max = max_;
  return summary;
}

}  // namespace firn::bench
