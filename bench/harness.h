// bench/harness.h: the order of runs, and what is made of their figures: rounds, in each every engine in
// turn, in each turn all jobs; then medians over the rounds, and ratios within each round with their
// spread. The machine changes from minute to minute: neighbours in time are compared, not averages.
#ifndef FIRN_BENCH_HARNESS_H_
#define FIRN_BENCH_HARNESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bench/metrics.h"
#include "bench/workload.h"

namespace firn::bench {

// One turn's jobs, carried out by whoever knows how.
class TurnRunner {
 public:
  virtual ~TurnRunner() = default;
  // Nothing: the job had not to be run (its store is there), or is not for this engine.
  virtual absl::StatusOr<std::optional<JobResult>> RunOne(const std::string& engine,
                                                          const Workload& job, uint64_t round) = 0;
  // All jobs of a turn are done.
  virtual absl::Status EndTurn(const std::string& engine, uint64_t round, bool is_last_round) = 0;
};

// Every second round goes through the engines backwards, so that none always follows the same one.
absl::StatusOr<std::vector<JobResult>> RunRounds(absl::Span<const Workload> jobs,
                                                 absl::Span<const std::string> engines,
                                                 uint64_t rounds, TurnRunner& runner);

// Of a figure over the rounds.
struct Spread {
  size_t count = 0;
  double median = 0, min = 0, max = 0;
};
// Of an even number of values the mean of the middle two.
Spread SpreadOf(std::vector<double> values);

struct EngineFigure {
  std::string engine;
  Spread value;
  Spread ratio;  // first engine by this one, within each round; count 0 for the first itself
};

// One metric of one job over all engines.
struct Comparison {
  std::string job, row, description, metric;
  std::vector<EngineFigure> engines;  // in the order given; without those that did not run it
};

// One for each job that is compared and each metric that it names.
std::vector<Comparison> Compare(absl::Span<const Workload> jobs,
                                absl::Span<const std::string> engines,
                                absl::Span<const JobResult> results);

Json ToJson(const Comparison& comparison);

}  // namespace firn::bench

#endif  // FIRN_BENCH_HARNESS_H_
