#include "bench/report_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn::bench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportTextTest, NumbersAreShort) {
  EXPECT_EQ(ShortNumber(0), "0");
  EXPECT_EQ(ShortNumber(1.9), "1.900");
  EXPECT_EQ(ShortNumber(0.002), "0.00200");
  EXPECT_EQ(ShortNumber(99.44), "99.4");
  EXPECT_EQ(ShortNumber(9999), "9999");
  EXPECT_EQ(ShortNumber(12'345), "12.3k");
  EXPECT_EQ(ShortNumber(123'456), "123k");
  EXPECT_EQ(ShortNumber(4'200'000), "4.20M");
  EXPECT_EQ(ShortSize(1023), "1023B");
  EXPECT_EQ(ShortSize(64 << 20), "64.0MiB");
}

TEST(ReportTextTest, AJobIsPrintedAsFioPrintsOne) {
  Workload job;
  job.memory_limit = 1 << 20;
  JobResult result;
  result.engine = "lmdb";
  result.job = "c1";
  result.memory_note = "no memory controller";
  result.run_ns = 2'000'000'000;
  result.write.calls = 20'000;
  result.write.records = 200'000;
  result.write.bytes = 32 << 20;
  result.write.clat = {.count = 20'000, .mean = 100'000, .p50 = 90'000, .p99 = 200'000};
  result.disk_written = 64 << 20;
  result.cpu_user_s = 1;
  EXPECT_THAT(JobText(result, job, 3),
              AllOf(HasSubstr("c1: (jobs=1, round 1/3): engine=lmdb: err=0"),
                    HasSubstr("write: IOPS=10.0k, BW=16.0MiB/s (32.0MiB/2000msec), records=100k/s"),
                    HasSubstr("clat percentiles (usec)"), HasSubstr("50.00th=[   90]"),
                    HasSubstr("usr=50.00%"), HasSubstr("written/put=2.00"),
                    HasSubstr("NOT applied: no memory controller"), Not(HasSubstr("read: IOPS"))));
}

TEST(ReportTextTest, AComparisonSaysWhichWayIsBetter) {
  const Comparison comparison{
      "n2", "N2", "", "records",
      {{"firn", {.count = 3, .median = 2e6, .min = 1e6, .max = 3e6}, {}},
       {"lmdb",
        {.count = 3, .median = 1e6, .min = 1e6, .max = 1e6},
        {.count = 3, .median = 2, .min = 1, .max = 3}}}};
  EXPECT_THAT(ComparisonText({comparison}),
              AllOf(HasSubstr("n2 (N2): records"), HasSubstr("more is better"),
                    HasSubstr("2.00M/s"), HasSubstr("firn/lmdb 2.00x  (1.00 .. 3.00)")));
}

}  // namespace
}  // namespace firn::bench
