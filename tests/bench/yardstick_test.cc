#include "bench/yardstick.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn::bench {
namespace {

using ::testing::ElementsAre;

TEST(YardstickTest, TheJobsWordsBecomeArguments) {
  Workload job;
  job.yardstick = "rw=write bs=4k  fdatasync=1";
  job.runtime_us = 2'500'000;
  EXPECT_THAT(FioArguments(job, "/data/x"),
              ElementsAre("--name=yardstick", "--output-format=json", "--directory=/data/x",
                          "--runtime=3", "--time_based", "--rw=write", "--bs=4k",
                          "--fdatasync=1"));
}

// As fio 3.33 prints it, shortened.
constexpr char kOutput[] = R"(fio: a note in front
{ "fio version" : "fio-3.33", "jobs" : [ { "jobname" : "yardstick",
  "read" : { "io_bytes" : 0, "total_ios" : 0, "runtime" : 0,
    "slat_ns" : { "min" : 0, "max" : 0, "mean" : 0.0, "stddev" : 0.0, "N" : 0 },
    "clat_ns" : { "min" : 0, "max" : 0, "mean" : 0.0, "stddev" : 0.0, "N" : 0 },
    "lat_ns" : { "min" : 0, "max" : 0, "mean" : 0.0, "stddev" : 0.0, "N" : 0 } },
  "write" : { "io_bytes" : 8192000, "total_ios" : 2000, "runtime" : 500,
    "slat_ns" : { "min" : 0, "max" : 0, "mean" : 0.0, "stddev" : 0.0, "N" : 0 },
    "clat_ns" : { "min" : 10, "max" : 900, "mean" : 20.0, "stddev" : 1.0, "N" : 2000,
      "percentile" : { "50.000000" : 19, "90.000000" : 30, "99.000000" : 60,
                       "99.900000" : 70, "99.990000" : 80 } },
    "lat_ns" : { "min" : 11, "max" : 901, "mean" : 21.0, "stddev" : 1.0, "N" : 2000 } },
  "sync" : { "total_ios" : 2000,
    "lat_ns" : { "min" : 100, "max" : 3000, "mean" : 200.0, "stddev" : 1.0, "N" : 2000,
      "percentile" : { "50.000000" : 190, "90.000000" : 300, "99.000000" : 600,
                       "99.900000" : 700, "99.990000" : 800 } } },
  "usr_cpu" : 10.0, "sys_cpu" : 20.0, "ctx" : 4000 } ] })";

TEST(YardstickTest, AWriteIsDoneWhenItsSyncIs) {
  Workload job;
  job.name = "c1";
  ASSERT_OK_AND_ASSIGN(const JobResult result, FioResult(kOutput, job));
  EXPECT_EQ(result.engine, "fio");
  EXPECT_EQ(result.job, "c1");
  EXPECT_EQ(ValueOf(result, "iops"), 4000);
  EXPECT_EQ(result.write.clat.p50, 209u);
  EXPECT_EQ(result.write.clat.p99, 660u);
  EXPECT_EQ(result.write.clat.mean, 220);
  EXPECT_DOUBLE_EQ(result.cpu_system_s, 0.1);
}

TEST(YardstickTest, AnythingElseIsRefused) {
  EXPECT_THAT(FioResult("no JSON at all", Workload{}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(FioResult("{\"jobs\": []}", Workload{}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace firn::bench
