// bench/report_text.h: figures as fio prints them, and tables of ratios.
#ifndef FIRN_BENCH_REPORT_TEXT_H_
#define FIRN_BENCH_REPORT_TEXT_H_

#include <string>

#include "absl/types/span.h"
#include "bench/harness.h"
#include "bench/metrics.h"
#include "bench/workload.h"

namespace firn::bench {

// "1.23M", "45.6k", "789": three or four digits.
std::string ShortNumber(double value);
// "12.3MiB".
std::string ShortSize(double bytes);

// One run of one job, some lines.
std::string JobText(const JobResult& result, const Workload& job, uint64_t rounds);

// All comparisons, one table a job.
std::string ComparisonText(absl::Span<const Comparison> comparisons);

}  // namespace firn::bench

#endif  // FIRN_BENCH_REPORT_TEXT_H_
