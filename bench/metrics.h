// bench/metrics.h: what one run of one job by one engine gave, as plain numbers, and the names by
// which job files ask for some of them (`compare=`).
#ifndef FIRN_BENCH_METRICS_H_
#define FIRN_BENCH_METRICS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bench/latency_histogram.h"
#include "nlohmann/json.hpp"

namespace firn::bench {

using Json = nlohmann::ordered_json;

// Calls of one direction. Latencies are of calls: slat until the call is made (closed loop: making
// the records; open loop: also waiting, since the call was due), clat in the call, lat both.
struct DirectionResult {
  uint64_t calls = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;  // keys and values
  LatencySummary slat, clat, lat;
};

struct JobResult {
  std::string engine;
  std::string job;
  uint64_t round = 0;  // from 0

  DirectionResult read, write;
  uint64_t wrong_reads = 0;   // an unexpected value, or a key there or not there against expectation
  LatencySummary all_lat;     // of both directions
  uint64_t net_max_ns = 0;    // the longest lat less the pauses of the machine meanwhile
  LatencySummary hiccup;      // pauses of an idle thread; empty if not measured

  // Nanoseconds.
  uint64_t open_ns = 0, run_ns = 0, settle_ns = 0, close_ns = 0;
  bool settle_counts = false;

  bool only_calls = false;  // of fio: what stands below was not measured, but for CPU time

  // Of the whole process, from before the first call until settled.
  double cpu_user_s = 0, cpu_system_s = 0;
  uint64_t context_switches = 0, major_faults = 0, minor_faults = 0;
  uint64_t disk_written = 0, disk_read = 0;  // bytes, /proc/self/io
  bool has_device = false;                   // of the whole device, if the system tells
  std::string device;
  uint64_t device_reads = 0, device_writes = 0;
  uint64_t rss_peak = 0;      // bytes
  uint64_t memory_budget = 0;  // memtables and cache as configured
  uint64_t store_bytes = 0;
  bool limited_memory = false;
  std::string memory_note;    // why a memory limit was not applied
  std::vector<std::pair<std::string, double>> engine_figures;  // what the engine counted itself

  uint64_t calls() const { return read.calls + write.calls; }
  uint64_t records() const { return read.records + write.records; }
  // What rates are divided by; seconds.
  double seconds() const;
};

struct Metric {
  const char* name;
  const char* unit;
  bool more_is_better;
  const char* help;
};
absl::Span<const Metric> Metrics();
// Null if there is none of that name.
const Metric* FindMetric(absl::string_view name);
// Was it measured in that run? `name` must be of a metric, here and below.
bool IsMeasured(const JobResult& result, absl::string_view name);
double ValueOf(const JobResult& result, absl::string_view name);

Json ToJson(const JobResult& result);
// InvalidArgument if a field is missing or of another type.
absl::StatusOr<JobResult> JobResultFromJson(absl::string_view text);

}  // namespace firn::bench

#endif  // FIRN_BENCH_METRICS_H_
