// bench/yardstick.h: what the bare device does, by fio itself: run as one more engine, in turn with the
// others, for the jobs that name it (`yardstick=`). "90 % of fio" is then a ratio within one run.
#ifndef FIRN_BENCH_YARDSTICK_H_
#define FIRN_BENCH_YARDSTICK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/metrics.h"
#include "bench/workload.h"

namespace firn::bench {

inline constexpr char kYardstickEngine[] = "fio";

// The path of fio, or NotFound.
absl::StatusOr<std::string> FindFio();

// The arguments for fio of a job: its yardstick's words, the job's runtime, the folder.
std::vector<std::string> FioArguments(const Workload& job, const std::string& folder);

// What fio's JSON says of its first job, as if an engine had done it.
absl::StatusOr<JobResult> FioResult(absl::string_view json, const Workload& job);

// Runs fio in `folder` and removes its files.
absl::StatusOr<JobResult> RunFio(const std::string& fio, const Workload& job,
                                 const std::string& folder);

}  // namespace firn::bench

#endif  // FIRN_BENCH_YARDSTICK_H_
