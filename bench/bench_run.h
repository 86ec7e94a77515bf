// bench/bench_run.h: carries out the turns of a benchmark: stores, child processes, memory limits, fio.
#ifndef FIRN_BENCH_BENCH_RUN_H_
#define FIRN_BENCH_BENCH_RUN_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/harness.h"
#include "bench/store_folders.h"

namespace firn::bench {

// Called after each run of a job, for a report that grows.
using ResultSink = std::function<void(const JobResult& result, const Workload& job)>;

class BenchRun final : public TurnRunner {
 public:
  // `jobs` and `folders` must outlive the run. `engine_count`: of how many stores there may be at once.
  BenchRun(absl::Span<const Workload> jobs, StoreFolders& folders, size_t engine_count,
           ResultSink sink);

  absl::StatusOr<std::optional<JobResult>> RunOne(const std::string& engine, const Workload& job,
                                                  uint64_t round) override;
  absl::Status EndTurn(const std::string& engine, uint64_t round, bool is_last_round) override;

 private:
  absl::StatusOr<double> RateOf(const std::string& engine, const Workload& job) const;
  absl::StatusOr<JobResult> RunEngine(const std::string& engine, const Workload& job,
                                      uint64_t round, const std::string& path);

  const absl::Span<const Workload> jobs_;
  StoreFolders& folders_;
  const size_t engine_count_;
  const ResultSink sink_;
  std::map<std::string, double> last_iops_;  // engine -> of its last job
};

// The engines to run, firn or `engine` first, without those that this machine lacks.
struct EngineChoice {
  std::vector<std::string> engines;
  std::vector<std::pair<std::string, std::string>> skipped;  // name, reason
};
// `peers`: names, comma-separated. InvalidArgument names an unknown one and the nearest that is known.
// An `engine` that is not there is an error; a peer that is not there is skipped. With a yardstick in a
// job, fio joins the peers.
absl::StatusOr<EngineChoice> ChooseEngines(const std::string& engine, const std::string& peers,
                                           absl::Span<const Workload> jobs);

}  // namespace firn::bench

#endif  // FIRN_BENCH_BENCH_RUN_H_
