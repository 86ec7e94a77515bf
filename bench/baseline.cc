#include "bench/baseline.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "bench/metrics.h"
#include "bench/report_text.h"

namespace firn::bench {
namespace {

// How much worse `now` is, in percent of `before`.
double Loss(double before, double now, bool more_is_better) {
  if (before == 0) return 0;
  const double change = 100 * (now - before) / before;
  return more_is_better ? -change : change;
}

// The median under `name` of an engine's figure in the document; none if it is not there.
const Json* MedianOf(const Json& engine, const char* name) {
  if (!engine.is_object() || !engine.contains(name)) return nullptr;
  const Json& spread = engine.at(name);
  if (!spread.is_object() || !spread.contains("median")) return nullptr;
  return spread.at("median").is_number() ? &spread.at("median") : nullptr;
}

const Json* Find(const Json& list, const char* member, const std::string& value) {
  if (!list.is_array()) return nullptr;
  for (const Json& one : list) {
    if (one.is_object() && one.value(member, Json()) == Json(value)) return &one;
  }
  return nullptr;
}

// The comparison of `job` by `metric`.
const Json* FindComparison(const Json& comparisons, const Comparison& wanted) {
  for (const Json& one : comparisons) {
    if (!one.is_object()) continue;
    if (one.value("job", Json()) == Json(wanted.job) &&
        one.value("metric", Json()) == Json(wanted.metric)) {
      return &one;
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::vector<BaselineRow>> CompareWithBaseline(
    absl::string_view document, absl::Span<const Comparison> comparisons,
    double tolerance_percent) {
  const Json parsed = Json::parse(document.begin(), document.end(), nullptr, false);
  if (!parsed.is_object() || !parsed.contains("comparisons") ||
      !parsed.at("comparisons").is_array()) {
    return InvalidArgument("the baseline is no document of firn bench --output-format=json");
  }
  std::vector<BaselineRow> rows;
  for (const Comparison& comparison : comparisons) {
    const Json* const then = FindComparison(parsed.at("comparisons"), comparison);
    if (then == nullptr || !then->contains("engines")) continue;
    const bool more_is_better = FindMetric(comparison.metric)->more_is_better;
    for (const EngineFigure& figure : comparison.engines) {
      const Json* const engine = Find(then->at("engines"), "engine", figure.engine);
      if (engine == nullptr) continue;
      const auto add = [&](const char* name, double now, bool is_ratio) {
        const Json* const median = MedianOf(*engine, name);
        if (median == nullptr) return;
        BaselineRow row{.job = comparison.job, .metric = comparison.metric,
                        .engine = figure.engine, .is_ratio = is_ratio,
                        .before = median->get<double>(), .now = now};
        row.loss_percent = Loss(row.before, row.now, more_is_better);
        // What a peer alone does is no loss of ours.
        const bool is_ours = is_ratio || figure.engine == comparison.engines.front().engine;
        row.is_regression = is_ours && row.loss_percent > tolerance_percent;
        rows.push_back(std::move(row));
      };
      add("value", figure.value.median, false);
      if (figure.ratio.count > 0) add("ratio", figure.ratio.median, true);
    }
  }
  if (rows.empty()) return InvalidArgument("the baseline has no figure of these jobs");
  return rows;
}

std::string BaselineText(absl::Span<const BaselineRow> rows, double tolerance_percent) {
  std::string text = absl::StrFormat("\nagainst the baseline (a loss of more than %g %% counts)\n",
                                     tolerance_percent);
  for (const BaselineRow& row : rows) {
    absl::StrAppendFormat(&text, "  %-16s %-14s %-18s %10s -> %-10s %+7.1f %%%s\n", row.job,
                          row.metric, row.is_ratio ? absl::StrCat("ratio to ", row.engine)
                                                   : row.engine,
                          row.is_ratio ? absl::StrFormat("%.2f", row.before) : ShortNumber(row.before),
                          row.is_ratio ? absl::StrFormat("%.2f", row.now) : ShortNumber(row.now),
                          -row.loss_percent, row.is_regression ? "  WORSE" : "");
  }
  return text;
}

Json ToJson(const BaselineRow& row) {
  return {{"job", row.job},       {"metric", row.metric}, {"engine", row.engine},
          {"ratio", row.is_ratio}, {"before", row.before}, {"now", row.now},
          {"loss_percent", row.loss_percent}, {"regression", row.is_regression}};
}

}  // namespace firn::bench
