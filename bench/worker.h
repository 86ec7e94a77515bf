// bench/worker.h: one thread of a job: makes records, calls the engine, counts and times.
//
// Closed loop: a call is due when the last one has returned. Open loop (rate_iops): calls are due at
// fixed times whatever the engine does, and latency counts from then, so that a stall is seen in every
// call that it delayed, not in one.
#ifndef FIRN_BENCH_WORKER_H_
#define FIRN_BENCH_WORKER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/random.h"
#include "bench/bench_clock.h"
#include "bench/generator.h"
#include "bench/hiccup.h"
#include "bench/latency_histogram.h"
#include "bench/peer.h"
#include "bench/workload.h"

namespace firn::bench {

// What the threads of a job share.
struct JobProgress {
  explicit JobProgress(const Workload& job);

  const Distribution distribution;
  std::atomic<uint64_t> next_ordinal;  // of the next new record
  const uint64_t ordinals_end;         // rw=write ends there
  std::atomic<uint64_t> calls_left;
  std::atomic<bool> failed{false};  // another thread has met an error
};

struct JobTimes {
  uint64_t start = 0;
  uint64_t count_from = 0;  // ramp_time later
  uint64_t end = UINT64_MAX;
};

// One direction of one thread.
struct Tally {
  uint64_t calls = 0, records = 0, bytes = 0;
  LatencyHistogram slat, clat, lat;

  void Merge(const Tally& other);
};

class Worker {
 public:
  // All references must outlive the worker. `rate`: calls a second, 0: closed loop.
  Worker(const Workload& job, uint64_t index, double rate, Session& session, JobProgress& progress,
         BenchClock& clock);

  // Until the job ends, or an error.
  absl::Status Run(const JobTimes& times);

  // After Run().
  const Tally& read() const { return read_; }
  const Tally& write() const { return write_; }
  const LatencyHistogram& all_lat() const { return all_lat_; }
  uint64_t wrong_reads() const { return wrong_reads_; }
  uint64_t end_time() const { return end_time_; }
  // The slowest counted calls of an open loop, at most 1000.
  const std::vector<TimeSpan>& slow_calls() const { return slow_calls_; }

 private:
  enum class Kind : uint8_t { kWrite = 1, kUpdate, kModify, kGet, kScan, kReplay };
  struct Done {
    uint64_t records = 0;
    uint64_t bytes = 0;
  };

  bool TakeCall();
  Kind ChooseKind();
  // Makes the records or keys of a call; false if none are left.
  bool PrepareCall(Kind kind);
  absl::StatusOr<Done> Call(Kind kind);
  absl::StatusOr<Done> Commit();
  absl::StatusOr<Done> CallGet();
  absl::StatusOr<Done> CallScan(Kind kind);
  void StagePut(uint64_t ordinal, uint64_t version);
  void CheckRead(size_t index);
  Tally& TallyOf(Kind kind);
  void AddLatency(Tally& tally, const TimeSpan& call, uint64_t due);
  void KeepSlow(const TimeSpan& call);
  uint64_t NextDue(uint64_t due);

  const Workload& job_;
  const uint64_t rate_interval_;  // nanoseconds between due calls; 0: closed loop
  Session& session_;
  JobProgress& progress_;
  BenchClock& clock_;
  Generator generator_;
  Random random_;
  const uint64_t version_base_;
  uint64_t updates_ = 0;
  uint64_t commits_ = 0;

  // The call being made.
  Done staged_;
  std::vector<uint64_t> ordinals_;  // of the keys being read
  std::vector<bool> absent_;
  std::string key_bytes_;
  std::vector<absl::string_view> keys_;
  std::vector<ReadResult> results_;
  uint64_t scan_length_ = 0;
  std::string scanned_key_, scanned_value_;  // copies of the record that a scan is at

  Tally read_, write_;
  LatencyHistogram all_lat_;
  uint64_t wrong_reads_ = 0;
  uint64_t end_time_ = 0;
  std::vector<TimeSpan> slow_calls_;
};

}  // namespace firn::bench

#endif  // FIRN_BENCH_WORKER_H_
