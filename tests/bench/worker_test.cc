#include "bench/worker.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn::bench {
namespace {

constexpr uint64_t kMillisecond = 1'000'000;

// An engine in a map, whose calls take a millisecond of a manual clock, or longer when told.
class SlowSession final : public Session {
 public:
  explicit SlowSession(ManualBenchClock& clock) : clock_(clock) {}

  void Put(absl::string_view key, absl::string_view value) override {
    batch_[std::string(key)] = std::string(value);
  }
  absl::Status Commit(Sync sync) override {
    Work();
    syncs += sync == Sync::kSynced ? 1 : 0;
    for (auto& [key, value] : batch_) records[key] = value;
    batch_.clear();
    return fails ? absl::UnavailableError("disk gone") : absl::OkStatus();
  }
  absl::Status Get(absl::string_view key, ReadResult& result) override {
    Work();
    return Find(key, result);
  }
  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    Work();
    for (size_t i = 0; i < keys.size(); ++i) EXPECT_OK(Find(keys[i], results[i]));
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    Work();
    uint64_t count = 0;
    for (auto at = records.lower_bound(std::string(begin));
         at != records.end() && count < records_max; ++at, ++count) {
      visit(at->first, at->second);
    }
    return count;
  }

  std::map<std::string, std::string> records;
  uint64_t calls = 0;
  uint64_t syncs = 0;
  uint64_t stall_at_call = UINT64_MAX;  // this call takes 100 ms
  bool fails = false;

 private:
  void Work() {
    clock_.Advance(calls == stall_at_call ? 100 * kMillisecond : kMillisecond);
    ++calls;
  }
  absl::Status Find(absl::string_view key, ReadResult& result) {
    const auto found = records.find(std::string(key));
    result.found = found != records.end();
    if (result.found) result.value = found->second;
    return absl::OkStatus();
  }

  ManualBenchClock& clock_;
  std::map<std::string, std::string> batch_;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() { job_.keys = 100; }

  // Runs a worker over the whole job; the figures are those of it.
  Worker& Run(double rate = 0, uint64_t runtime = 0) {
    progress_ = std::make_unique<JobProgress>(job_);
    worker_ = std::make_unique<Worker>(job_, 0, rate, session_, *progress_, clock_);
    JobTimes times;
    times.start = times.count_from = clock_.Now();
    times.count_from += job_.ramp_us * 1000;
    if (runtime > 0) times.end = times.count_from + runtime;
    status_ = worker_->Run(times);
    return *worker_;
  }
  void Load() {
    Generator generator(job_.shape);
    for (uint64_t i = 0; i < job_.keys; ++i) {
      const std::string key(generator.Key(i));
      session_.records[key] = std::string(generator.Value(i, 0));
    }
  }

  Workload job_;
  ManualBenchClock clock_;
  SlowSession session_{clock_};
  std::unique_ptr<JobProgress> progress_;
  std::unique_ptr<Worker> worker_;
  absl::Status status_;
};

TEST_F(WorkerTest, ALoadWritesEveryRecordOnceInBatches) {
  job_.batch = 30;  // the last batch is short
  const Worker& worker = Run();
  EXPECT_OK(status_);
  EXPECT_EQ(session_.records.size(), 100u);
  EXPECT_EQ(worker.write().calls, 4u);
  EXPECT_EQ(worker.write().records, 100u);
  EXPECT_EQ(session_.syncs, 0u);
  EXPECT_EQ(worker.write().clat.Percentile(50), kMillisecond);
}

TEST_F(WorkerTest, OneCommitInSoManyIsSynced) {
  job_.sync_every = 3;
  Run();
  EXPECT_EQ(session_.calls, 100u);
  EXPECT_EQ(session_.syncs, 33u);
}

TEST_F(WorkerTest, AnOpenLoopCountsLatencyFromWhenACallWasDue) {
  // 100 calls a second are due; the fifth takes 100 ms, and delays the nine behind it.
  session_.stall_at_call = 4;
  job_.batch = 1;
  const Worker& worker = Run(/*rate=*/100, /*runtime=*/400 * kMillisecond);
  ASSERT_OK(status_);
  const Tally& write = worker.write();
  EXPECT_EQ(write.calls, 39u);
  // In the calls themselves one was slow; but ten were due while it lasted.
  EXPECT_EQ(write.clat.max(), 100 * kMillisecond);
  EXPECT_LT(write.clat.Percentile(95), 2 * kMillisecond);
  EXPECT_EQ(write.lat.max(), 100 * kMillisecond);
  EXPECT_GE(write.lat.Percentile(95), 80 * kMillisecond);
  // The next was due 10 ms after the slow one: it waited 90 ms, and took one.
  ASSERT_FALSE(worker.slow_calls().empty());
  std::vector<uint64_t> latencies;
  for (const TimeSpan& call : worker.slow_calls()) latencies.push_back(call.end - call.begin);
  EXPECT_THAT(latencies, testing::Contains(91 * kMillisecond));
  EXPECT_THAT(latencies, testing::Contains(82 * kMillisecond));
}

TEST_F(WorkerTest, AClosedLoopSeesTheSameStallOnce) {
  session_.stall_at_call = 4;
  const Worker& worker = Run();
  EXPECT_EQ(worker.write().lat.max(), 100 * kMillisecond);
  EXPECT_LT(worker.write().lat.Percentile(95), 2 * kMillisecond);
  EXPECT_TRUE(worker.slow_calls().empty());
}

TEST_F(WorkerTest, APoissonRateIsKeptOnAverage) {
  job_.rate_process = RateProcess::kPoisson;
  job_.time_based = true;
  const Worker& worker = Run(/*rate=*/100, /*runtime=*/20'000 * kMillisecond);
  EXPECT_NEAR(static_cast<double>(worker.write().calls), 2000, 200);
}

TEST_F(WorkerTest, ReadsOfPresentAndAbsentKeysAreChecked) {
  Load();
  job_.access = Access::kRandRead;
  job_.calls = 500;
  job_.absent_percent = 30;
  Run();
  EXPECT_EQ(worker_->read().calls, 500u);
  EXPECT_EQ(worker_->wrong_reads(), 0u);

  for (auto& [key, value] : session_.records) value[0] = static_cast<char>(value[0] + 1);
  Run();
  EXPECT_GT(worker_->wrong_reads(), 250u);
}

TEST_F(WorkerTest, AMissingKeyIsAWrongRead) {
  job_.access = Access::kRandRead;
  job_.calls = 10;
  EXPECT_EQ(Run().wrong_reads(), 10u);
}

TEST_F(WorkerTest, ManyKeysACallAreManyRecords) {
  Load();
  job_.access = Access::kRandRead;
  job_.multiget = 8;
  job_.calls = 5;
  const Worker& worker = Run();
  EXPECT_EQ(session_.calls, 5u);
  EXPECT_EQ(worker.read().records, 40u);
  EXPECT_EQ(worker.wrong_reads(), 0u);
}

TEST_F(WorkerTest, AMixReadsTheShareThatItSays) {
  Load();
  job_.access = Access::kRandMix;
  job_.read_percent = 80;
  job_.calls = 5000;
  const Worker& worker = Run();
  EXPECT_NEAR(static_cast<double>(worker.read().calls), 4000, 200);
  EXPECT_EQ(worker.read().calls + worker.write().calls, 5000u);
  EXPECT_EQ(session_.records.size(), 100u);
  EXPECT_EQ(worker.wrong_reads(), 0u);
}

TEST_F(WorkerTest, InsertsOfAMixAreNewRecords) {
  Load();
  job_.access = Access::kRandMix;
  job_.mixed_write = MixedWrite::kInsert;
  job_.scan_max = 10;
  job_.calls = 1000;
  const Worker& worker = Run();
  EXPECT_EQ(session_.records.size(), 100 + worker.write().records);
  EXPECT_GT(worker.read().records, worker.read().calls);
  EXPECT_LE(worker.read().records, worker.read().calls * 10);
}

TEST_F(WorkerTest, ModifyingReadsAndWrites) {
  Load();
  job_.access = Access::kRandMix;
  job_.mixed_write = MixedWrite::kModify;
  job_.read_percent = 0;
  job_.calls = 50;
  const Worker& worker = Run();
  EXPECT_EQ(session_.calls, 100u);
  EXPECT_EQ(worker.write().calls, 50u);
  EXPECT_EQ(worker.write().clat.Percentile(50), 2 * kMillisecond);
}

TEST_F(WorkerTest, AReplayReadsAllOnceAndSeesWhatIsMissing) {
  job_.shape.key = KeyKind::kSequence;
  Load();
  job_.access = Access::kRead;
  EXPECT_EQ(Run().read().records, 100u);
  EXPECT_EQ(worker_->read().calls, 1u);
  EXPECT_EQ(worker_->wrong_reads(), 0u);
  session_.records.erase(session_.records.begin());
  EXPECT_EQ(Run().wrong_reads(), 1u);
}

TEST_F(WorkerTest, TimeEndsAJob) {
  job_.time_based = true;
  const Worker& worker = Run(0, 250 * kMillisecond);
  EXPECT_EQ(worker.write().calls, 250u);
  EXPECT_EQ(session_.records.size(), 250u);
}

TEST_F(WorkerTest, WhatIsInTheRampIsNotCounted) {
  job_.time_based = true;
  job_.ramp_us = 100'000;
  const Worker& worker = Run(0, 250 * kMillisecond);
  EXPECT_EQ(session_.calls, 350u);
  EXPECT_EQ(worker.write().calls, 250u);
}

TEST_F(WorkerTest, WithLessClockAllCallsCountAndSomeAreTimed) {
  job_.less_clock = true;
  job_.keys = 1000;
  const Worker& worker = Run();
  EXPECT_EQ(worker.write().calls, 1000u);
  EXPECT_EQ(worker.write().clat.count(), 16u);
}

TEST_F(WorkerTest, AnErrorEndsItAndTellsTheOthers) {
  session_.fails = true;
  Run();
  EXPECT_THAT(status_, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(progress_->failed);
  EXPECT_EQ(session_.calls, 1u);
}

}  // namespace
}  // namespace firn::bench
