#include "bench/harness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn::bench {
namespace {

// The value of one engine in one round, if it ran.
std::optional<double> ValueIn(absl::Span<const JobResult> results, const std::string& engine,
                              const std::string& job, uint64_t round, const std::string& metric) {
  for (const JobResult& result : results) {
    if (result.engine == engine && result.job == job && result.round == round) {
      if (!IsMeasured(result, metric)) return std::nullopt;
      return ValueOf(result, metric);
    }
  }
  return std::nullopt;
}

uint64_t RoundsOf(absl::Span<const JobResult> results) {
  uint64_t rounds = 0;
  for (const JobResult& result : results) rounds = std::max(rounds, result.round + 1);
  return rounds;
}

Json ToJson(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max},
          {"rounds", spread.count}};
}

}  // namespace

absl::StatusOr<std::vector<JobResult>> RunRounds(absl::Span<const Workload> jobs,
                                                 absl::Span<const std::string> engines,
                                                 uint64_t rounds, TurnRunner& runner) {
  std::vector<JobResult> results;
  for (uint64_t round = 0; round < rounds; ++round) {
    std::vector<std::string> order(engines.begin(), engines.end());
    if (round % 2 == 1) std::reverse(order.begin(), order.end());
    for (const std::string& engine : order) {
      for (const Workload& job : jobs) {
        absl::StatusOr<std::optional<JobResult>> result = runner.RunOne(engine, job, round);
        if (!result.ok()) {
          return Annotate(result.status(), absl::StrCat("job ", job.name, ", engine ", engine));
        }
        if (result->has_value()) results.push_back(std::move(**result));
      }
      FIRN_RETURN_IF_ERROR(runner.EndTurn(engine, round, round + 1 == rounds));
    }
  }
  return results;
}

Spread SpreadOf(std::vector<double> values) {
  Spread spread;
  if (values.empty()) return spread;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  spread.count = values.size();
  spread.min = values.front();
  spread.max = values.back();
  spread.median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return spread;
}

std::vector<Comparison> Compare(absl::Span<const Workload> jobs,
                                absl::Span<const std::string> engines,
                                absl::Span<const JobResult> results) {
  std::vector<Comparison> comparisons;
  const uint64_t rounds = RoundsOf(results);
  for (const Workload& job : jobs) {
    if (job.prepare) continue;
    for (const std::string& metric : job.compare) {
      Comparison comparison{job.name, job.row, job.description, metric, {}};
      for (const std::string& engine : engines) {
        std::vector<double> values, ratios;
        for (uint64_t round = 0; round < rounds; ++round) {
          const std::optional<double> value = ValueIn(results, engine, job.name, round, metric);
          if (!value.has_value()) continue;
          values.push_back(*value);
          const std::optional<double> first =
              ValueIn(results, engines[0], job.name, round, metric);
          if (engine != engines[0] && first.has_value() && *value != 0) {
            ratios.push_back(*first / *value);
          }
        }
        if (values.empty()) continue;
        comparison.engines.push_back({engine, SpreadOf(values), SpreadOf(ratios)});
      }
      comparisons.push_back(std::move(comparison));
    }
  }
  return comparisons;
}

Json ToJson(const Comparison& comparison) {
  const Metric* metric = FindMetric(comparison.metric);
  Json engines = Json::array();
  for (const EngineFigure& figure : comparison.engines) {
    Json engine = {{"engine", figure.engine}, {"value", ToJson(figure.value)}};
    if (figure.ratio.count > 0) engine["ratio"] = ToJson(figure.ratio);
    engines.push_back(std::move(engine));
  }
  return {{"job", comparison.job},
          {"row", comparison.row},
          {"description", comparison.description},
          {"metric", comparison.metric},
          {"unit", metric->unit},
          {"more_is_better", metric->more_is_better},
          {"engines", std::move(engines)}};
}

}  // namespace firn::bench
