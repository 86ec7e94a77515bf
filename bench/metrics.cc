#include "bench/metrics.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace firn::bench {
namespace {

double Ratio(double a, double b) { return b == 0 ? 0 : a / b; }
double Microseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }
double Milliseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

const LatencySummary& ClatOf(const JobResult& result) {
  return result.write.calls >= result.read.calls ? result.write.clat : result.read.clat;
}

struct Entry {
  Metric metric;
  double (*value)(const JobResult&);
};

#define FIRN_VALUE [](const JobResult& r) -> double

constexpr Entry kEntries[] = {
    {{"iops", "/s", true, "calls a second"},
     FIRN_VALUE { return Ratio(static_cast<double>(r.calls()), r.seconds()); }},
    {{"records", "/s", true, "records a second"},
     FIRN_VALUE { return Ratio(static_cast<double>(r.records()), r.seconds()); }},
    {{"bw", "B/s", true, "bytes of keys and values a second"},
     FIRN_VALUE {
       return Ratio(static_cast<double>(r.read.bytes + r.write.bytes), r.seconds());
     }},
    {{"clat_p50", "us", false, "median time in a call"},
     FIRN_VALUE { return Microseconds(ClatOf(r).p50); }},
    {{"clat_p99", "us", false, "99 % of calls are no longer"},
     FIRN_VALUE { return Microseconds(ClatOf(r).p99); }},
    {{"clat_p999", "us", false, "99.9 % of calls are no longer"},
     FIRN_VALUE { return Microseconds(ClatOf(r).p999); }},
    {{"clat_max", "us", false, "the longest call"},
     FIRN_VALUE { return Microseconds(ClatOf(r).max); }},
    {{"lat_p50", "us", false, "median latency, from when a call was due"},
     FIRN_VALUE { return Microseconds(r.all_lat.p50); }},
    {{"lat_p99", "us", false, "99 % of latencies are no longer"},
     FIRN_VALUE { return Microseconds(r.all_lat.p99); }},
    {{"lat_p999", "us", false, "99.9 % of latencies are no longer"},
     FIRN_VALUE { return Microseconds(r.all_lat.p999); }},
    {{"lat_max", "us", false, "the longest latency"},
     FIRN_VALUE { return Microseconds(r.all_lat.max); }},
    {{"net_max", "us", false, "the longest latency less the machine's own pauses"},
     FIRN_VALUE { return Microseconds(r.net_max_ns); }},
    {{"open", "ms", false, "time to open the store"},
     FIRN_VALUE { return Milliseconds(r.open_ns); }},
    {{"bytes_per_put", "", false, "bytes written to disk for each byte put"},
     FIRN_VALUE {
       return Ratio(static_cast<double>(r.disk_written), static_cast<double>(r.write.bytes));
     }},
    {{"reads_per_key", "", false, "reads of the device for each key read"},
     FIRN_VALUE {
       return Ratio(static_cast<double>(r.device_reads), static_cast<double>(r.read.records));
     }},
    {{"cpu_per_record", "us", false, "CPU time of the process for each record"},
     FIRN_VALUE {
       return Ratio((r.cpu_user_s + r.cpu_system_s) * 1e6, static_cast<double>(r.records()));
     }},
    {{"rss", "B", false, "peak of resident memory"},
     FIRN_VALUE { return static_cast<double>(r.rss_peak); }},
    {{"rss_per_budget", "", false, "peak of resident memory by configured buffers and cache"},
     FIRN_VALUE {
       return Ratio(static_cast<double>(r.rss_peak), static_cast<double>(r.memory_budget));
     }},
    {{"space", "B", false, "bytes of the store's files"},
     FIRN_VALUE { return static_cast<double>(r.store_bytes); }},
};
#undef FIRN_VALUE

Json ToJson(const LatencySummary& summary) {
  return {{"N", summary.count},   {"min", summary.min},   {"max", summary.max},
          {"mean", summary.mean}, {"stddev", summary.deviation},
          {"percentile",
           {{"50.000000", summary.p50},
            {"90.000000", summary.p90},
            {"99.000000", summary.p99},
            {"99.900000", summary.p999},
            {"99.990000", summary.p9999}}}};
}

LatencySummary LatencyFromJson(const Json& json) {
  const Json& percentile = json.at("percentile");
  return {.count = json.at("N"),
          .mean = json.at("mean"),
          .deviation = json.at("stddev"),
          .min = json.at("min"),
          .p50 = percentile.at("50.000000"),
          .p90 = percentile.at("90.000000"),
          .p99 = percentile.at("99.000000"),
          .p999 = percentile.at("99.900000"),
          .p9999 = percentile.at("99.990000"),
          .max = json.at("max")};
}

Json ToJson(const DirectionResult& direction, double seconds) {
  return {{"total_ios", direction.calls},
          {"records", direction.records},
          {"io_bytes", direction.bytes},
          {"iops", Ratio(static_cast<double>(direction.calls), seconds)},
          {"records_per_second", Ratio(static_cast<double>(direction.records), seconds)},
          {"bw_bytes", Ratio(static_cast<double>(direction.bytes), seconds)},
          {"slat_ns", ToJson(direction.slat)},
          {"clat_ns", ToJson(direction.clat)},
          {"lat_ns", ToJson(direction.lat)}};
}

DirectionResult DirectionFromJson(const Json& json) {
  return {.calls = json.at("total_ios"),
          .records = json.at("records"),
          .bytes = json.at("io_bytes"),
          .slat = LatencyFromJson(json.at("slat_ns")),
          .clat = LatencyFromJson(json.at("clat_ns")),
          .lat = LatencyFromJson(json.at("lat_ns"))};
}

void ReadProcessFigures(const Json& json, JobResult& result) {
  result.cpu_user_s = json.at("usr_cpu_s");
  result.cpu_system_s = json.at("sys_cpu_s");
  result.context_switches = json.at("ctx");
  result.major_faults = json.at("majf");
  result.minor_faults = json.at("minf");
  result.disk_written = json.at("disk_written_bytes");
  result.disk_read = json.at("disk_read_bytes");
  result.has_device = json.contains("device");
  if (result.has_device) {
    result.device = json.at("device");
    result.device_reads = json.at("device_reads");
    result.device_writes = json.at("device_writes");
  }
  result.rss_peak = json.at("rss_peak_bytes");
  result.memory_budget = json.at("memory_budget_bytes");
  result.store_bytes = json.at("store_bytes");
  result.limited_memory = json.at("memory_limited");
  result.memory_note = json.at("memory_note");
}

}  // namespace

double JobResult::seconds() const {
  return static_cast<double>(run_ns + (settle_counts ? settle_ns : 0)) / 1e9;
}

absl::Span<const Metric> Metrics() {
  static const auto* metrics = [] {
    auto* list = new std::vector<Metric>;
    for (const Entry& entry : kEntries) list->push_back(entry.metric);
    return list;
  }();
  return *metrics;
}

const Metric* FindMetric(absl::string_view name) {
  for (const Entry& entry : kEntries) {
    if (name == entry.metric.name) return &entry.metric;
  }
  return nullptr;
}

bool IsMeasured(const JobResult& result, absl::string_view name) {
  if (!result.only_calls) return true;
  return name == "iops" || name == "records" || name == "bw" || name == "cpu_per_record" ||
         absl::StartsWith(name, "clat_") || absl::StartsWith(name, "lat_");
}

double ValueOf(const JobResult& result, absl::string_view name) {
  for (const Entry& entry : kEntries) {
    if (name == entry.metric.name) return entry.value(result);
  }
  CheckFailed("the metric exists", __FILE__, __LINE__);
}

Json ToJson(const JobResult& result) {
  Json json = {{"engine", result.engine},
               {"jobname", result.job},
               {"round", result.round},
               {"read", ToJson(result.read, result.seconds())},
               {"write", ToJson(result.write, result.seconds())},
               {"lat_ns", ToJson(result.all_lat)},
               {"net_max_ns", result.net_max_ns},
               {"hiccup_ns", ToJson(result.hiccup)},
               {"wrong_reads", result.wrong_reads},
               {"open_ns", result.open_ns},
               {"run_ns", result.run_ns},
               {"settle_ns", result.settle_ns},
               {"close_ns", result.close_ns},
               {"settle_counts", result.settle_counts},
               {"only_calls", result.only_calls},
               {"usr_cpu_s", result.cpu_user_s},
               {"sys_cpu_s", result.cpu_system_s},
               {"ctx", result.context_switches},
               {"majf", result.major_faults},
               {"minf", result.minor_faults},
               {"disk_written_bytes", result.disk_written},
               {"disk_read_bytes", result.disk_read}};
  if (result.has_device) {
    json["device"] = result.device;
    json["device_reads"] = result.device_reads;
    json["device_writes"] = result.device_writes;
  }
  json["rss_peak_bytes"] = result.rss_peak;
  json["memory_budget_bytes"] = result.memory_budget;
  json["store_bytes"] = result.store_bytes;
  json["memory_limited"] = result.limited_memory;
  json["memory_note"] = result.memory_note;
  Json figures = Json::object();
  for (const auto& [name, value] : result.engine_figures) figures[name] = value;
  json["engine_figures"] = figures;
  return json;
}

absl::StatusOr<JobResult> JobResultFromJson(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  try {
    JobResult result;
    result.engine = json.at("engine");
    result.job = json.at("jobname");
    result.round = json.at("round");
    result.read = DirectionFromJson(json.at("read"));
    result.write = DirectionFromJson(json.at("write"));
    result.all_lat = LatencyFromJson(json.at("lat_ns"));
    result.net_max_ns = json.at("net_max_ns");
    result.hiccup = LatencyFromJson(json.at("hiccup_ns"));
    result.wrong_reads = json.at("wrong_reads");
    result.open_ns = json.at("open_ns");
    result.run_ns = json.at("run_ns");
    result.settle_ns = json.at("settle_ns");
    result.close_ns = json.at("close_ns");
    result.settle_counts = json.at("settle_counts");
    result.only_calls = json.at("only_calls");
    ReadProcessFigures(json, result);
    for (const auto& [name, value] : json.at("engine_figures").items()) {
      result.engine_figures.emplace_back(name, value.get<double>());
    }
    return result;
  } catch (const Json::exception& error) {
    return InvalidArgument(absl::StrCat("not a result of a job: ", error.what()));
  }
}

}  // namespace firn::bench
