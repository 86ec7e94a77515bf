#include "sstable/prefix_search.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace firn {
namespace prefix_search_internal {

size_t CountBelowScalar(absl::Span<const uint64_t> values, uint64_t target) {
  size_t count = 0;
  for (const uint64_t value : values) count += value < target ? 1 : 0;
  return count;
}

#if defined(__x86_64__)
bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

__attribute__((target("avx2"))) size_t CountBelowAvx2(absl::Span<const uint64_t> values,
                                                      uint64_t target) {
  // There is a compare for signed numbers only: the highest bit of both is turned.
  const __m256i turn = _mm256_set1_epi64x(INT64_MIN);
  const __m256i wanted = _mm256_xor_si256(_mm256_set1_epi64x(static_cast<int64_t>(target)), turn);
  size_t count = 0;
  size_t i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    const __m256i four = _mm256_xor_si256(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values.data() + i)), turn);
    const __m256i below = _mm256_cmpgt_epi64(wanted, four);
    const auto bits = static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(below)));
    count += static_cast<size_t>(std::popcount(bits));
  }
  for (; i < values.size(); ++i) count += values[i] < target ? 1 : 0;
  return count;
}
#else
bool HasAvx2() { return false; }
size_t CountBelowAvx2(absl::Span<const uint64_t> values, uint64_t target) {
  return CountBelowScalar(values, target);
}
#endif

}  // namespace prefix_search_internal

namespace {

constexpr size_t kCountedAtOnce = 32;  // four lines
constexpr size_t kReach = 12;          // places on either side of a guess

size_t CountBelow(absl::Span<const uint64_t> values, uint64_t target) {
  return prefix_search_internal::HasAvx2()
             ? prefix_search_internal::CountBelowAvx2(values, target)
             : prefix_search_internal::CountBelowScalar(values, target);
}

}  // namespace

size_t PrefixLowerBound(absl::Span<const uint64_t> values, uint64_t target) {
  // What is in front of `low` is below the target, what begins at `high` is not.
  size_t low = 0;
  size_t high = values.size();
  const auto look_at = [&](size_t position) {
    if (values[position] < target) {
      low = std::max(low, position + 1);
    } else {
      high = std::min(high, position);
    }
  };
  while (high - low > kCountedAtOnce) {
    const uint64_t first = values[low];
    const uint64_t last = values[high - 1];
    if (target <= first) return low;
    if (target > last) return high;
    const auto share = static_cast<unsigned __int128>(target - first) * (high - 1 - low);
    const size_t guess = low + static_cast<size_t>(share / (last - first));
    const size_t before = guess - std::min(guess - low, kReach);
    const size_t after = std::min(guess + kReach, high - 1);
    look_at(before);
    if (after < high) look_at(after);
    if (high - low > kCountedAtOnce) look_at(low + (high - low) / 2);
  }
  return low + CountBelow(values.subspan(low, high - low), target);
}

}  // namespace firn
