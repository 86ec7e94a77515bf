// bench/isolated_run.h: runs a job in a process of its own, so that memory, CPU time and disk bytes are
// that engine's alone, a memory limit holds for it alone, and it can be killed.
//
// The caller must have no other threads: the child is a fork.
#ifndef FIRN_BENCH_ISOLATED_RUN_H_
#define FIRN_BENCH_ISOLATED_RUN_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "bench/metrics.h"

namespace firn::bench {

// What the child runs: it calls `before_close` with what is known so far, closes, and returns all.
using BeforeClose = absl::FunctionRef<void(const JobResult&)>;
using ChildRun = absl::FunctionRef<absl::StatusOr<JobResult>(BeforeClose before_close)>;

// Runs `run` in a child, and gives what it returned. With `kill_at_end` the child is killed with SIGKILL when it
// calls `before_close`, and what it gave then is the result. A child that dies is an Internal error.
absl::StatusOr<JobResult> RunInChild(bool kill_at_end, ChildRun run);

}  // namespace firn::bench

#endif  // FIRN_BENCH_ISOLATED_RUN_H_
