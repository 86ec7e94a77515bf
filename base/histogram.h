// base/histogram.h: how a quantity is distributed, in fixed memory: for latencies and sizes in
// statistics and benchmarks.
//
// Buckets are fixed, so any two histograms can be merged: a value below 32 has a bucket of its own;
// above, each power of two is cut into 16 equal buckets. A reported percentile is therefore at most
// 1/16 (6.25 %) above the true one, and never above the largest value seen.
#ifndef FIRN_BASE_HISTOGRAM_H_
#define FIRN_BASE_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace firn {

// One thread at a time.
class Histogram {
 public:
  static constexpr unsigned kSubBucketBits = 4;
  static constexpr size_t kBucketCount =
      (size_t{64} - kSubBucketBits) * (size_t{1} << kSubBucketBits) +
      (size_t{1} << kSubBucketBits);

  void Add(uint64_t value) { AddMany(value, 1); }
  // `value`, `count` times.
  void AddMany(uint64_t value, uint64_t count);
  void Merge(const Histogram& other);
  void Clear();

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }  // wraps around at 2^64
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }
  double Average() const;
  // A value that `percent` % of the values do not exceed, as exact as the buckets are; 0 if there
  // are none. `percent` in [0, 100].
  uint64_t Percentile(double percent) const;

  // "count 3 min 1 avg 2.0 p50 2 p90 3 p99 3 p99.9 3 max 3".
  std::string ToString() const;

  // The bucket of a value, and the largest value of a bucket: for exporters.
  static size_t BucketOf(uint64_t value);
  static uint64_t BucketMax(size_t bucket);
  uint64_t bucket_count(size_t bucket) const { return buckets_[bucket]; }

 private:
  std::array<uint64_t, kBucketCount> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

}  // namespace firn

#endif  // FIRN_BASE_HISTOGRAM_H_
