#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace firn {
namespace {

constexpr uint64_t kSubBuckets = uint64_t{1} << Histogram::kSubBucketBits;

}  // namespace

size_t Histogram::BucketOf(uint64_t value) {
  if (value < kSubBuckets) return static_cast<size_t>(value);
  // The top bit says which power of two, the four bits below it which of its sixteen buckets.
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBucketBits;
  return static_cast<size_t>(shift * kSubBuckets + (value >> shift));
}

uint64_t Histogram::BucketMax(size_t bucket) {
  FIRN_CHECK(bucket < kBucketCount);
  if (bucket < kSubBuckets) return bucket;
  const uint64_t shift = bucket / kSubBuckets - 1;
  const uint64_t top = bucket - shift * kSubBuckets;  // in [16, 32)
  return ((top + 1) << shift) - 1;                    // wraps to the right answer at the last bucket
}

void Histogram::AddMany(uint64_t value, uint64_t count) {
  if (count == 0) return;
  buckets_[BucketOf(value)] += count;
  count_ += count;
  sum_ += value * count;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBucketCount; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::Clear() { *this = Histogram(); }

double Histogram::Average() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

uint64_t Histogram::Percentile(double percent) const {
  FIRN_CHECK(percent >= 0 && percent <= 100);
  if (count_ == 0) return 0;
  const double wanted = std::ceil(percent / 100 * static_cast<double>(count_));
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count_);
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBucketCount; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::clamp(BucketMax(bucket), min_, max_);
  }
  return max_;
}

std::string Histogram::ToString() const {
  return absl::StrFormat("count %d min %d avg %.1f p50 %d p90 %d p99 %d p99.9 %d max %d", count_,
                         min(), Average(), Percentile(50), Percentile(90), Percentile(99),
                         Percentile(99.9), max_);
}

}  // namespace firn
