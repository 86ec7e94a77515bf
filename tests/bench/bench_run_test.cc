// Whole turns with real stores, tiny ones.
#include "bench/bench_run.h"

#include <filesystem>

#include "bench/job_file.h"
#include "bench/peer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BenchRunTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<JobResult>> Run(absl::string_view text, uint64_t rounds = 1) {
    jobs_ = ParseJobFile("test.fio", text, {}).value();
    StoreFolders folders(directory_.File("stores"), /*is_scratch=*/false);
    EXPECT_OK(folders.MakeDirectory());
    BenchRun run(jobs_, folders, 1, [this](const JobResult& result, const Workload&) {
      seen_.push_back(result.job);
    });
    return RunRounds(jobs_, std::vector<std::string>{"firn"}, rounds, run);
  }
  bool StoreIsThere() const { return std::filesystem::exists(directory_.File("stores/firn-store")); }

  TemporaryDirectory directory_;
  std::vector<Workload> jobs_;
  std::vector<std::string> seen_;
};

TEST_F(BenchRunTest, LoadsReopensReadsAndCounts) {
  ASSERT_OK_AND_ASSIGN(const auto results, Run("[global]\nkeys=2000\n"
                                               "[load]\nbatch=100\nsettle\n"
                                               "[read]\nrw=randread\nnumber_ios=500\nwarm\n"
                                               "iodepth=10\nnumjobs=2\nabsent=50\n"
                                               "[all]\nrw=read\n"
                                               "[mix]\nrw=randrw\nnumber_ios=300\n"));
  ASSERT_EQ(results.size(), 4u);
  EXPECT_THAT(seen_, ElementsAre("load", "read", "all", "mix"));
  EXPECT_EQ(results[0].write.records, 2000u);
  EXPECT_EQ(results[0].write.calls, 20u);
  EXPECT_GT(results[0].settle_ns, 0u);
  EXPECT_GT(results[0].store_bytes, 0u);
  EXPECT_GT(results[0].rss_peak, 0u);
  EXPECT_EQ(results[1].read.records, 5000u);
  EXPECT_EQ(results[2].read.records, 2000u);
  EXPECT_EQ(results[3].calls(), 300u);
  for (const JobResult& result : results) {
    EXPECT_EQ(result.wrong_reads, 0u) << result.job;
    EXPECT_GT(result.run_ns, 0u) << result.job;
  }
  EXPECT_FALSE(StoreIsThere());
}

TEST_F(BenchRunTest, AllLayoutsAreServed) {
  ASSERT_OK_AND_ASSIGN(const auto hashed, Run("[global]\nkeys=2000\nlayout=hashed\n"
                                              "[load]\nbatch=100\nsettle\n"
                                              "[read]\nrw=randread\nnumber_ios=500\nabsent=20\n"));
  EXPECT_EQ(hashed[1].wrong_reads, 0u);
  ASSERT_OK_AND_ASSIGN(const auto sequence,
                       Run("[global]\nkeys=2000\nlayout=sequence\nkey=sequence\n"
                           "[load]\nbatch=100\nsettle\n"
                           "[replay]\nrw=read\n"
                           "[read]\nrw=randread\nnumber_ios=500\nabsent=20\n"));
  EXPECT_EQ(sequence[1].read.records, 2000u);
  EXPECT_EQ(sequence[1].wrong_reads, 0u);
  EXPECT_EQ(sequence[2].wrong_reads, 0u);
}

TEST_F(BenchRunTest, AKilledStoreIsReopenedWithAllThatWasAcknowledged) {
  ASSERT_OK_AND_ASSIGN(const auto results, Run("[global]\nkeys=3000\n"
                                               "[fill]\nbatch=100\nend=kill\n"
                                               "[open]\nrw=open\n"
                                               "[all]\nrw=read\n"));
  EXPECT_EQ(results[0].close_ns, 0u);
  EXPECT_GT(results[1].open_ns, 0u);
  EXPECT_EQ(results[1].wrong_reads, 0u);
  EXPECT_EQ(results[2].read.records, 3000u);
}

TEST_F(BenchRunTest, APreparedStoreServesAllRounds) {
  ASSERT_OK_AND_ASSIGN(const auto results, Run("[global]\nkeys=500\n"
                                               "[load]\nbatch=100\nprepare\n"
                                               "[read]\nrw=randread\nnumber_ios=100\n",
                                               /*rounds=*/3));
  EXPECT_THAT(seen_, ElementsAre("load", "read", "read", "read"));
  EXPECT_TRUE(StoreIsThere());
}

TEST_F(BenchRunTest, AShareOfTheRateIsTakenFromTheJobBefore) {
  ASSERT_OK_AND_ASSIGN(const auto results,
                       Run("[global]\nkeys=100k\n"
                           "[capacity]\nbatch=10\n"
                           "[paced]\nrate_share=50\nbatch=10\nhiccup\n"));
  EXPECT_GT(results[1].hiccup.count, 0u);
  EXPECT_EQ(results[1].write.records, 100'000u);
  EXPECT_THAT(Run("[paced]\nkeys=10\nrate_share=50\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("job before")));
}

TEST_F(BenchRunTest, AMemoryLimitIsAppliedOrSaidNotToBe) {
  ASSERT_OK_AND_ASSIGN(const auto results,
                       Run("[a]\nkeys=100\nmemory_limit=256m\ninvalidate\nmemtable=1m\n"));
  EXPECT_NE(results[0].limited_memory, !results[0].memory_note.empty());
}

TEST(ChooseEnginesTest, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_THAT(ChooseEngines("firn", "leveldbb", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nearest is leveldb")));
  EXPECT_THAT(ChooseEngines("frn", "", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nearest is firn")));
}

TEST(ChooseEnginesTest, WhatIsNotThereIsSkippedWithItsReason) {
  ASSERT_OK_AND_ASSIGN(const EngineChoice choice,
                       ChooseEngines("firn", "rocksdb,leveldb, lmdb,sqlite,lmdb", {}));
  EXPECT_EQ(choice.engines.size() + choice.skipped.size(), 5u);
  EXPECT_EQ(choice.engines[0], "firn");
  for (const auto& [name, reason] : choice.skipped) {
    EXPECT_EQ(FindEngine(name)->open, nullptr);
    EXPECT_THAT(reason, HasSubstr("package"));
  }
}

}  // namespace
}  // namespace firn::bench
