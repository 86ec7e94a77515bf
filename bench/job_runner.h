// bench/job_runner.h: runs one job with one engine in this process: open, warm up, threads, settle,
// close; and measures all of it.
#ifndef FIRN_BENCH_JOB_RUNNER_H_
#define FIRN_BENCH_JOB_RUNNER_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "bench/bench_clock.h"
#include "bench/metrics.h"
#include "bench/peer.h"
#include "bench/workload.h"

namespace firn::bench {

struct JobSetting {
  std::string path;      // of the store
  double rate = 0;       // calls a second of each thread; 0: closed loop
  uint64_t round = 0;
  std::string memory_note;
  bool limited_memory = false;
};

// `before_close` is called with what is known while the store is still open, and for a job that ends
// by being killed it does not return.
absl::StatusOr<JobResult> RunJob(const Workload& job, const EngineEntry& engine,
                                 const JobSetting& setting, BenchClock& clock,
                                 absl::FunctionRef<void(const JobResult&)> before_close);

}  // namespace firn::bench

#endif  // FIRN_BENCH_JOB_RUNNER_H_
