#include "bench/isolated_run.h"

#include <unistd.h>

#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn::bench {
namespace {

using ::testing::HasSubstr;

JobResult SomeResult() {
  JobResult result;
  result.engine = "firn";
  result.job = "n2 \"read\"";
  result.round = 2;
  result.read = {.calls = 5, .records = 50, .bytes = 500, .slat = {}, .clat = {}, .lat = {}};
  result.read.clat.p999 = 1234;
  result.run_ns = 2'000'000'000;
  result.has_device = true;
  result.device = "vda";
  result.device_reads = 10;
  result.engine_figures = {{"flushes", 3}};
  return result;
}

TEST(IsolatedRunTest, GivesWhatTheChildReturned) {
  const pid_t parent = getpid();
  ASSERT_OK_AND_ASSIGN(const JobResult result, RunInChild(false, [&](BeforeClose before_close) {
    JobResult made = SomeResult();
    before_close(made);
    made.close_ns = 77;
    made.wrong_reads = getpid() == parent ? 1 : 0;
    return absl::StatusOr<JobResult>(made);
  }));
  EXPECT_EQ(result.engine, "firn");
  EXPECT_EQ(result.job, "n2 \"read\"");
  EXPECT_EQ(result.round, 2u);
  EXPECT_EQ(result.read.records, 50u);
  EXPECT_EQ(result.read.clat.p999, 1234u);
  EXPECT_EQ(result.close_ns, 77u);
  EXPECT_EQ(result.wrong_reads, 0u);
  EXPECT_EQ(result.device, "vda");
  EXPECT_EQ(result.engine_figures.at(0).first, "flushes");
  EXPECT_EQ(ValueOf(result, "reads_per_key"), 0.2);
}

TEST(IsolatedRunTest, AnErrorOfTheChildIsOurs) {
  EXPECT_THAT(RunInChild(false, [](BeforeClose) -> absl::StatusOr<JobResult> {
                return absl::DataLossError("block 7 is torn");
              }),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 7 is torn")));
}

TEST(IsolatedRunTest, AChildThatIsToBeKilledGivesWhatWasKnownBefore) {
  ASSERT_OK_AND_ASSIGN(const JobResult result, RunInChild(true, [](BeforeClose before_close) {
    before_close(SomeResult());
    ADD_FAILURE() << "goes on after it was to be killed";
    return absl::StatusOr<JobResult>(SomeResult());
  }));
  EXPECT_EQ(result.read.calls, 5u);
  EXPECT_EQ(result.close_ns, 0u);
}

TEST(IsolatedRunTest, AChildThatDiesIsAnError) {
  EXPECT_THAT(RunInChild(false, [](BeforeClose) -> absl::StatusOr<JobResult> { _exit(7); }),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("exit code 7")));
}

TEST(MetricsTest, EveryMetricHasAValueAndItsName) {
  for (const Metric& metric : Metrics()) {
    EXPECT_EQ(FindMetric(metric.name)->help, metric.help);
    EXPECT_GE(ValueOf(SomeResult(), metric.name), 0) << metric.name;
  }
  EXPECT_EQ(FindMetric("speed"), nullptr);
}

TEST(MetricsTest, SettlingCountsWhereTheJobSaysSo) {
  JobResult result = SomeResult();
  result.settle_ns = 3'000'000'000;
  EXPECT_EQ(ValueOf(result, "records"), 25);
  result.settle_counts = true;
  EXPECT_EQ(ValueOf(result, "records"), 10);
}

TEST(MetricsTest, WhatIsNoResultIsRefused) {
  EXPECT_THAT(JobResultFromJson("{}"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(JobResultFromJson("not JSON"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace firn::bench
