#include "bench/job_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "bench/metrics.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"

namespace firn::bench {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<std::vector<Workload>> Parse(absl::string_view text,
                                            const WordValues& overrides = {}) {
  return ParseJobFile("some.fio", text, overrides);
}

auto Refused(const testing::Matcher<const std::string&>& message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, message);
}

TEST(JobFileTest, AJobHasTheWordsOfGlobalAndItsOwn) {
  ASSERT_OK_AND_ASSIGN(const auto jobs, Parse("; a comment\n"
                                              "# another\n"
                                              "[global]\n"
                                              "keys=2m\n"
                                              "bs=230-270\n"
                                              "\n"
                                              "[load]\n"
                                              "rw=write\n"
                                              "batch=1000\n"
                                              "[read]\r\n"
                                              "  rw = randread\r\n"
                                              "runtime=500ms\n"
                                              "bs=8\n"
                                              "zipf=0.99"));
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].name, "load");
  EXPECT_EQ(jobs[0].access, Access::kWrite);
  EXPECT_EQ(jobs[0].keys, 2'000'000u);
  EXPECT_EQ(jobs[0].batch, 1000u);
  EXPECT_EQ(jobs[0].shape.value_max, 270u);
  EXPECT_EQ(jobs[1].name, "read");
  EXPECT_EQ(jobs[1].access, Access::kRandRead);
  EXPECT_EQ(jobs[1].batch, 1u);
  EXPECT_EQ(jobs[1].shape.value_max, 8u);
  EXPECT_EQ(jobs[1].runtime_us, 500'000u);
  EXPECT_EQ(jobs[1].zipf, 0.99);
}

TEST(JobFileTest, AFlagMayStandAlone) {
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       Parse("[a]\nkeys=1\nruntime=1\ntime_based\nwarm=0\nsettle=1\n"));
  EXPECT_TRUE(jobs[0].time_based);
  EXPECT_FALSE(jobs[0].warm);
  EXPECT_TRUE(jobs[0].settle);
}

TEST(JobFileTest, ASecondGlobalBeginsAnew) {
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       Parse("[global]\nkeys=5\nbatch=9\n[a]\n[global]\nkeys=6\n[b]\n"));
  EXPECT_EQ(jobs[0].batch, 9u);
  EXPECT_EQ(jobs[1].batch, 1u);
  EXPECT_EQ(jobs[1].keys, 6u);
}

TEST(JobFileTest, TheCommandLineHasTheLastWord) {
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       Parse("[a]\nkeys=5\n[b]\nkeys=6\n", {{"keys", "7"}, {"numjobs", "3"}}));
  for (const Workload& job : jobs) {
    EXPECT_EQ(job.keys, 7u);
    EXPECT_EQ(job.jobs, 3u);
  }
}

TEST(JobFileTest, AnUnknownWordIsRefusedWithItsLineAndTheNearestKnown) {
  EXPECT_THAT(Parse("[a]\nkeys=5\nrumtime=3\n"),
              Refused(AllOf(HasSubstr("some.fio: line 3"), HasSubstr("\"rumtime\""),
                            HasSubstr("nearest known word is runtime"))));
  EXPECT_THAT(Parse("[a]\nkeys=5\nnumjob=3\n"), Refused(HasSubstr("numjobs")));
  EXPECT_THAT(Parse("[a]\n\n\nqqqqqqqqqqqqqqq=3\n"),
              Refused(AllOf(HasSubstr("line 4"), Not(HasSubstr("nearest")))));
}

TEST(JobFileTest, ABadValueIsRefusedWithItsLineAndWhatIsExpected) {
  EXPECT_THAT(Parse("[a]\nrw=sideways\n"),
              Refused(AllOf(HasSubstr("line 2"), HasSubstr("rw=sideways"),
                            HasSubstr("is one of write, randwrite"))));
  EXPECT_THAT(Parse("[a]\nkeys=many\n"), Refused(HasSubstr("is a count")));
  EXPECT_THAT(Parse("[a]\nbs=4\n"), Refused(HasSubstr("from 8 bytes")));
  EXPECT_THAT(Parse("[a]\nbs=200-100\n"), Refused(HasSubstr("smaller size first")));
  EXPECT_THAT(Parse("[a]\nnumjobs=0\n"), Refused(HasSubstr("at least 1")));
  EXPECT_THAT(Parse("[a]\nrwmixread=101\n"), Refused(HasSubstr("0 to 100")));
  EXPECT_THAT(Parse("[a]\nzipf=1\n"), Refused(HasSubstr("below 1")));
  EXPECT_THAT(Parse("[a]\nsettle=maybe\n"), Refused(HasSubstr("0 or 1")));
  EXPECT_THAT(Parse("[a]\nstore=../etc\n"), Refused(HasSubstr("is a name")));
  EXPECT_THAT(Parse("[a]\ncompare=clat_p98\n"), Refused(HasSubstr("nearest is clat_p9")));
}

TEST(JobFileTest, ALineThatIsNothingIsRefused) {
  EXPECT_THAT(Parse("keys=5\n[a]\n"), Refused(AllOf(HasSubstr("line 1"), HasSubstr("[section]"))));
  EXPECT_THAT(Parse("[a\nkeys=5\n"), Refused(HasSubstr("line 1")));
  EXPECT_THAT(Parse("[]\nkeys=5\n"), Refused(HasSubstr("line 1")));
  EXPECT_THAT(Parse("[a]\ndescription=" + std::string(500, 'x')),
              Refused(AllOf(HasSubstr("line 2"), HasSubstr("longer than"))));
  EXPECT_THAT(Parse(absl::string_view("[a]\nke\0ys=5\n", 12)), Refused(HasSubstr("zero byte")));
  EXPECT_THAT(Parse(""), Refused(HasSubstr("has no job")));
  EXPECT_THAT(Parse("[global]\nkeys=1\n"), Refused(HasSubstr("has no job")));
}

TEST(JobFileTest, WordsThatDoNotFitTogetherAreRefusedWithTheJob) {
  EXPECT_THAT(Parse("[a]\nrw=randread\nkeys=9\n"),
              Refused(AllOf(HasSubstr("some.fio"), HasSubstr("job a"), HasSubstr("runtime="))));
  EXPECT_THAT(Parse("[a]\nrw=write\n"), Refused(HasSubstr("keys= or size=")));
  EXPECT_THAT(Parse("[a]\nkeys=1\nsize=1\n"), Refused(HasSubstr("not both")));
  EXPECT_THAT(Parse("[a]\nkeys=1\ntime_based\n"), Refused(HasSubstr("runtime=")));
  EXPECT_THAT(Parse("[a]\nkeys=1\nlayout=sequence\n"), Refused(HasSubstr("key=sequence")));
  EXPECT_THAT(Parse("[a]\nkeys=1\nlayout=sequence\nkey=sequence\nnumjobs=2\n"),
              Refused(HasSubstr("ascending")));
  EXPECT_THAT(Parse("[a]\nkeys=1\nlayout=hashed\nrw=randwrite\nruntime=1\n"),
              Refused(HasSubstr("one value a key")));
  EXPECT_THAT(Parse("[a]\nkeys=1\niodepth=4\n"), Refused(HasSubstr("iodepth= is for reads")));
  EXPECT_THAT(Parse("[a]\nkeys=1\nrate_iops=4\nrate_share=5\n"), Refused(HasSubstr("not both")));
}

TEST(JobFileTest, AJobCanBeOfTheCommandLineAlone) {
  ASSERT_OK_AND_ASSIGN(const auto jobs, JobOfWords({{"rw", "write"}, {"size", "1MiB"}, {"bs", "96"}}));
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].record_count(), 8192u);
  EXPECT_THAT(JobOfWords({{"keyz", "1"}}), Refused(HasSubstr("nearest known word is keys")));
}

TEST(JobFileTest, EveryWordHasHelpAndOneMeaning) {
  std::set<std::string> names;
  for (const Word& word : Words()) {
    EXPECT_TRUE(names.insert(word.name).second) << word.name;
    if (word.also != nullptr) {
      EXPECT_TRUE(names.insert(word.also).second) << word.also;
    }
    EXPECT_STRNE(word.help, "");
  }
}

TEST(JobFileTest, TheManualKnowsEveryWordAndMetric) {
  ASSERT_OK_AND_ASSIGN(const std::string manual, ReadSourceFile("docs/benchmarks_howto.md"));
  for (const Word& word : Words()) {
    const std::string alone = std::string("`") + word.name + "`";
    const std::string with_value = std::string("`") + word.name + "=";
    EXPECT_TRUE(absl::StrContains(manual, alone) || absl::StrContains(manual, with_value))
        << word.name;
  }
  for (const Metric& metric : Metrics()) {
    EXPECT_THAT(manual, HasSubstr(std::string("`") + metric.name + "`"));
  }
}

TEST(JobFileTest, TheJobFilesOfTheProjectAreGood) {
  std::set<std::string> rows;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SourceRoot()) + "/bench/jobs")) {
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto jobs = ParseJobFile(entry.path().string(), text, {});
    ASSERT_OK(jobs);
    for (const Workload& job : *jobs) {
      if (job.prepare) continue;
      EXPECT_FALSE(job.row.empty()) << entry.path();
      EXPECT_FALSE(job.description.empty()) << entry.path();
      rows.insert(job.row);
    }
  }
  EXPECT_THAT(rows, ElementsAre("C1", "C2", "M1", "N1", "N2", "N3", "N4", "N5", "O1", "O2", "R1",
                                "S1", "T1"));
}

// The jobs that read what N1 or O1 left describe the same store, or it would be loaded again.
TEST(JobFileTest, TheReadingJobsPrepareTheStoreThatTheLoadLeft) {
  const auto store_text = [](const std::string& name) {
    const auto jobs =
        ParseJobFile(name, ReadSourceFile("bench/jobs/" + name).value(), {}).value();
    return jobs[0].StoreText();
  };
  for (const char* name : {"n2_read.fio", "n3_multiget.fio", "n4_absent.fio"}) {
    EXPECT_EQ(store_text(name), store_text("n1_load.fio")) << name;
  }
  EXPECT_EQ(store_text("o2_replay.fio"), store_text("o1_append.fio"));
}

}  // namespace
}  // namespace firn::bench
