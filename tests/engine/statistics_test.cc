#include "engine/statistics.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

TEST(StripedHistogram, MergesWhatThreadsMeasure) {
  StripedHistogram histogram;
  EXPECT_EQ(histogram.Read().count, 0u);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 1; i <= 100; ++i) histogram.Add(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Distribution distribution = histogram.Read();
  EXPECT_EQ(distribution.count, 400u);
  EXPECT_DOUBLE_EQ(distribution.mean, 50.5);
  EXPECT_NEAR(static_cast<double>(distribution.p50), 50, 4);
  EXPECT_EQ(distribution.max, 100u);
}

TEST(EngineCounters, FillInTheClientsStruct) {
  EngineCounters counters;
  counters.writes = 3;
  counters.flushed_bytes = 7;
  counters.gets.Add(5);
  counters.segments.filter_checks.Add(11);
  counters.recovered_batches = 13;
  counters.write_us.Add(9);
  Statistics statistics;
  counters.Read(statistics);
  EXPECT_EQ(statistics.writes, 3u);
  EXPECT_EQ(statistics.flushed_bytes, 7u);
  EXPECT_EQ(statistics.gets, 5u);
  EXPECT_EQ(statistics.filter_checks, 11u);
  EXPECT_EQ(statistics.recovered_batches, 13u);
  EXPECT_EQ(statistics.write_us.max, 9u);
}

}  // namespace
}  // namespace firn
