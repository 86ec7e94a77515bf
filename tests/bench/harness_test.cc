#include "bench/harness.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

JobResult ResultOf(const std::string& engine, const std::string& job, uint64_t round,
                   uint64_t calls) {
  JobResult result;
  result.engine = engine;
  result.job = job;
  result.round = round;
  result.read.calls = calls;
  result.run_ns = 1'000'000'000;
  return result;
}

// Notes the order; each call of an engine is `round` + 1 times its speed.
class FakeRunner final : public TurnRunner {
 public:
  absl::StatusOr<std::optional<JobResult>> RunOne(const std::string& engine, const Workload& job,
                                                  uint64_t round) override {
    order.push_back(absl::StrCat(engine, ".", job.name));
    if (engine == fails) return absl::UnavailableError("no disk");
    if (job.prepare && round > 0) return std::nullopt;
    return ResultOf(engine, job.name, round, (engine == "firn" ? 30 : 10) * (round + 1));
  }
  absl::Status EndTurn(const std::string& engine, uint64_t, bool is_last_round) override {
    order.push_back(absl::StrCat(engine, is_last_round ? " ends" : " pauses"));
    return absl::OkStatus();
  }

  std::vector<std::string> order;
  std::string fails;
};

std::vector<Workload> TwoJobs() {
  std::vector<Workload> jobs(2);
  jobs[0].name = "load";
  jobs[0].prepare = true;
  jobs[1].name = "read";
  jobs[1].row = "N2";
  return jobs;
}

TEST(HarnessTest, RoundsAreOutermostAndEverySecondOneGoesBackwards) {
  FakeRunner runner;
  ASSERT_OK_AND_ASSIGN(const auto results,
                       RunRounds(TwoJobs(), std::vector<std::string>{"firn", "lmdb"}, 2, runner));
  EXPECT_THAT(runner.order,
              ElementsAre("firn.load", "firn.read", "firn pauses", "lmdb.load", "lmdb.read",
                          "lmdb pauses", "lmdb.load", "lmdb.read", "lmdb ends", "firn.load",
                          "firn.read", "firn ends"));
  EXPECT_EQ(results.size(), 6u);  // loads only in the first round
}

TEST(HarnessTest, AnErrorNamesJobAndEngine) {
  FakeRunner runner;
  runner.fails = "lmdb";
  EXPECT_THAT(RunRounds(TwoJobs(), std::vector<std::string>{"firn", "lmdb"}, 2, runner),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("job load, engine lmdb: no disk")));
}

TEST(HarnessTest, SpreadHasTheMedian) {
  EXPECT_EQ(SpreadOf({}).count, 0u);
  EXPECT_EQ(SpreadOf({4}).median, 4);
  const Spread odd = SpreadOf({9, 1, 5});
  EXPECT_EQ(odd.median, 5);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 9);
  EXPECT_EQ(SpreadOf({1, 2, 4, 100}).median, 3);
}

TEST(HarnessTest, RatiosAreWithinARoundAndPreparationIsNotCompared) {
  const std::vector<std::string> engines = {"firn", "lmdb", "sqlite"};
  const std::vector<JobResult> results = {
      ResultOf("firn", "load", 0, 7),  ResultOf("firn", "read", 0, 100),
      ResultOf("lmdb", "read", 0, 50), ResultOf("firn", "read", 1, 300),
      ResultOf("lmdb", "read", 1, 100), ResultOf("firn", "read", 2, 200),
      ResultOf("lmdb", "read", 2, 200)};
  const std::vector<Comparison> comparisons = Compare(TwoJobs(), engines, results);
  ASSERT_EQ(comparisons.size(), 1u);
  EXPECT_EQ(comparisons[0].job, "read");
  EXPECT_EQ(comparisons[0].row, "N2");
  EXPECT_EQ(comparisons[0].metric, "iops");
  ASSERT_EQ(comparisons[0].engines.size(), 2u);  // sqlite did not run
  EXPECT_EQ(comparisons[0].engines[0].value.median, 200);
  EXPECT_EQ(comparisons[0].engines[0].ratio.count, 0u);
  // 2, 3 and 1: not the ratio of the medians by chance, but the median of ratios.
  EXPECT_EQ(comparisons[0].engines[1].ratio.median, 2);
  EXPECT_EQ(comparisons[0].engines[1].ratio.min, 1);
  EXPECT_EQ(comparisons[0].engines[1].ratio.max, 3);
}

TEST(HarnessTest, WhatFioDoesNotMeasureIsNotCompared) {
  std::vector<Workload> jobs(1);
  jobs[0].name = "read";
  jobs[0].compare = {"iops", "reads_per_key"};
  std::vector<JobResult> results = {ResultOf("firn", "read", 0, 100), ResultOf("fio", "read", 0, 50)};
  results[1].only_calls = true;
  const auto comparisons = Compare(jobs, std::vector<std::string>{"firn", "fio"}, results);
  ASSERT_EQ(comparisons.size(), 2u);
  EXPECT_EQ(comparisons[0].engines.size(), 2u);
  ASSERT_EQ(comparisons[1].engines.size(), 1u);
  EXPECT_EQ(comparisons[1].engines[0].engine, "firn");
}

}  // namespace
}  // namespace firn::bench
