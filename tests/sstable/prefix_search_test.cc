#include "sstable/prefix_search.h"

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

void ExpectAsTheLibrary(const std::vector<uint64_t>& values, uint64_t target) {
  const auto expected = std::lower_bound(values.begin(), values.end(), target) - values.begin();
  ASSERT_EQ(PrefixLowerBound(values, target), static_cast<size_t>(expected))
      << values.size() << " values, target " << target;
}

// Uniform, all alike, few different, growing ever faster, with one far off, consecutive.
TEST(PrefixSearchTest, FindsWhatTheLibraryFindsWhateverTheValues) {
  for (uint64_t seed = 1; seed <= 240; ++seed) {
    Random random(seed);
    std::vector<uint64_t> values(random.Uniform(seed % 5 == 0 ? 20'000 : 200));
    const uint64_t few = random.Next();
    for (size_t i = 0; i < values.size(); ++i) {
      switch (seed % 6) {
        case 0: values[i] = random.Next(); break;
        case 1: values[i] = few; break;
        case 2: values[i] = few / 2 + random.Uniform(3); break;
        case 3: values[i] = uint64_t{1} << random.Uniform(64); break;
        case 4: values[i] = i == 0 ? UINT64_MAX : random.Uniform(1000); break;
        default: values[i] = few / 2 + i; break;
      }
    }
    std::sort(values.begin(), values.end());
    for (int i = 0; i < 300; ++i) {
      uint64_t target = random.Next();
      if (!values.empty() && random.OneIn(2)) {
        target = values[random.Uniform(values.size())] + random.Uniform(3) - 1;
      }
      ASSERT_NO_FATAL_FAILURE(ExpectAsTheLibrary(values, target));
    }
    for (const uint64_t target : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
      ASSERT_NO_FATAL_FAILURE(ExpectAsTheLibrary(values, target));
    }
  }
}

TEST(PrefixSearchTest, ScalarAndVectorCountAlike) {
  using namespace prefix_search_internal;
  // A processor without AVX2 never takes the other one.
  const auto vector = HasAvx2() ? CountBelowAvx2 : CountBelowScalar;
  Random random(7);
  for (int i = 0; i < 5000; ++i) {
    std::vector<uint64_t> values(random.Uniform(33));
    for (uint64_t& value : values) value = random.OneIn(3) ? random.Uniform(4) : random.Next();
    const uint64_t target = random.OneIn(3) ? random.Uniform(4) : random.Next();
    const auto expected = std::count_if(values.begin(), values.end(),
                                        [&](uint64_t value) { return value < target; });
    ASSERT_EQ(CountBelowScalar(values, target), static_cast<size_t>(expected));
    ASSERT_EQ(vector(values, target), static_cast<size_t>(expected));
  }
}

}  // namespace
}  // namespace firn
