// bench/baseline.h: today's figures beside those of an earlier run, kept as the JSON document that
// `firn bench --output-format=json` printed then.
//
// What is compared: the median over the rounds of each metric that a job compares, of each engine; and,
// where both runs have it, the ratio to each peer within the run, which the machine's mood changes less.
#ifndef FIRN_BENCH_BASELINE_H_
#define FIRN_BENCH_BASELINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bench/harness.h"

namespace firn::bench {

struct BaselineRow {
  std::string job, metric, engine;
  bool is_ratio = false;  // of the first engine to `engine`
  double before = 0, now = 0;
  double loss_percent = 0;  // how much worse it is now; negative: better
  bool is_regression = false;
};

// One row for each figure that both have. InvalidArgument if `document` is no such document, or has no
// figure of these comparisons. `tolerance_percent`: a greater loss is a regression.
absl::StatusOr<std::vector<BaselineRow>> CompareWithBaseline(
    absl::string_view document, absl::Span<const Comparison> comparisons,
    double tolerance_percent);

// A table.
std::string BaselineText(absl::Span<const BaselineRow> rows, double tolerance_percent);
Json ToJson(const BaselineRow& row);

}  // namespace firn::bench

#endif  // FIRN_BENCH_BASELINE_H_
