#include "bench/report_text.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace firn::bench {
namespace {

struct TimeUnit {
  const char* name;
  double nanoseconds;
};

// As fio: the largest unit in which the mean is still some tens.
TimeUnit UnitOf(const LatencySummary& summary) {
  if (summary.mean >= 2e7) return {"msec", 1e6};
  if (summary.mean >= 2e4) return {"usec", 1e3};
  return {"nsec", 1};
}

std::string LatencyLine(const char* name, const LatencySummary& summary) {
  if (summary.count == 0) return "";
  const TimeUnit unit = UnitOf(summary);
  return absl::StrFormat("    %s (%s): min=%s, max=%s, avg=%.2f, stdev=%.2f\n", name, unit.name,
                         ShortNumber(static_cast<double>(summary.min) / unit.nanoseconds),
                         ShortNumber(static_cast<double>(summary.max) / unit.nanoseconds),
                         summary.mean / unit.nanoseconds, summary.deviation / unit.nanoseconds);
}

std::string PercentileLines(const char* name, const LatencySummary& summary) {
  if (summary.count == 0) return "";
  const TimeUnit unit = UnitOf(summary);
  const auto in_unit = [&unit](uint64_t value) {
    return absl::StrFormat("%5.0f", static_cast<double>(value) / unit.nanoseconds);
  };
  return absl::StrFormat(
      "    %s percentiles (%s):\n     | 50.00th=[%s], 90.00th=[%s], 99.00th=[%s],\n"
      "     | 99.90th=[%s], 99.99th=[%s]\n",
      name, unit.name, in_unit(summary.p50), in_unit(summary.p90), in_unit(summary.p99),
      in_unit(summary.p999), in_unit(summary.p9999));
}

std::string DirectionText(const char* name, const DirectionResult& direction, double seconds,
                          bool is_open_loop) {
  if (direction.calls == 0) return "";
  const double bandwidth = static_cast<double>(direction.bytes) / seconds;
  std::string text = absl::StrFormat(
      "  %s: IOPS=%s, BW=%s/s (%s/%.0fmsec), records=%s/s (%d)\n", name,
      ShortNumber(static_cast<double>(direction.calls) / seconds), ShortSize(bandwidth),
      ShortSize(static_cast<double>(direction.bytes)), seconds * 1e3,
      ShortNumber(static_cast<double>(direction.records) / seconds), direction.records);
  absl::StrAppend(&text, LatencyLine("slat", direction.slat), LatencyLine("clat", direction.clat),
                  LatencyLine(" lat", direction.lat));
  // Of an open loop the latency that counts includes the wait.
  absl::StrAppend(&text, is_open_loop ? PercentileLines(" lat", direction.lat)
                                      : PercentileLines("clat", direction.clat));
  return text;
}

double Milliseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

std::string ValueText(double value, const Metric& metric) {
  const absl::string_view unit = metric.unit;
  if (unit == "B" || unit == "B/s") {
    return absl::StrCat(ShortSize(value), unit == "B/s" ? "/s" : "");
  }
  if (unit == "us" && value >= 1e4) return absl::StrCat(ShortNumber(value / 1e3), " ms");
  return absl::StrCat(ShortNumber(value), unit == "/s" || unit.empty() ? "" : " ", unit);
}

}  // namespace

std::string ShortNumber(double value) {
  const double size = std::fabs(value);
  if (size >= 1e9) return absl::StrFormat("%.2fG", value / 1e9);
  if (size >= 1e6) return absl::StrFormat("%.2fM", value / 1e6);
  if (size >= 1e5) return absl::StrFormat("%.0fk", value / 1e3);
  if (size >= 1e4) return absl::StrFormat("%.1fk", value / 1e3);
  if (size >= 100 || value == std::floor(value)) return absl::StrFormat("%.0f", value);
  if (size >= 10) return absl::StrFormat("%.1f", value);
  return size >= 0.01 ? absl::StrFormat("%.3f", value) : absl::StrFormat("%.5f", value);
}

std::string ShortSize(double bytes) {
  constexpr double kKi = 1024;
  if (bytes >= kKi * kKi * kKi) return absl::StrFormat("%.2fGiB", bytes / (kKi * kKi * kKi));
  if (bytes >= kKi * kKi) return absl::StrFormat("%.1fMiB", bytes / (kKi * kKi));
  if (bytes >= kKi) return absl::StrFormat("%.1fKiB", bytes / kKi);
  return absl::StrFormat("%.0fB", bytes);
}

std::string JobText(const JobResult& result, const Workload& job, uint64_t rounds) {
  std::string text =
      absl::StrFormat("%s: (jobs=%d, round %d/%d): engine=%s: err=%d\n", result.job, job.jobs,
                      result.round + 1, rounds, result.engine, result.wrong_reads);
  const bool is_open_loop = job.rate > 0 || job.rate_share_percent > 0;
  const double seconds = result.seconds();
  absl::StrAppend(&text, DirectionText("read", result.read, seconds, is_open_loop),
                  DirectionText("write", result.write, seconds, is_open_loop));
  const double all_time = seconds > 0 ? seconds : 1;
  absl::StrAppendFormat(&text, "  cpu          : usr=%.2f%%, sys=%.2f%%, ctx=%d, majf=%d, minf=%d\n",
                        result.cpu_user_s / all_time * 100, result.cpu_system_s / all_time * 100,
                        result.context_switches, result.major_faults, result.minor_faults);
  if (result.only_calls) return text;
  absl::StrAppendFormat(&text, "  disk bytes   : written=%s, read=%s",
                        ShortSize(static_cast<double>(result.disk_written)),
                        ShortSize(static_cast<double>(result.disk_read)));
  if (result.write.bytes > 0) {
    absl::StrAppendFormat(&text, ", written/put=%.2f", ValueOf(result, "bytes_per_put"));
  }
  absl::StrAppendFormat(&text, "\n  store        : open=%.1fmsec, settle=%.1fmsec, close=%.1fmsec, "
                               "size=%s, rss=%s\n",
                        Milliseconds(result.open_ns), Milliseconds(result.settle_ns),
                        Milliseconds(result.close_ns),
                        ShortSize(static_cast<double>(result.store_bytes)),
                        ShortSize(static_cast<double>(result.rss_peak)));
  if (result.hiccup.count > 0) {
    absl::StrAppendFormat(&text, "  machine      : pauses p99.9=%.2fmsec, max=%.2fmsec; longest "
                                 "latency net of them=%.2fmsec\n",
                          Milliseconds(result.hiccup.p999), Milliseconds(result.hiccup.max),
                          Milliseconds(result.net_max_ns));
  }
  if (job.memory_limit > 0) {
    absl::StrAppend(&text, "  memory limit : ",
                    result.limited_memory ? ShortSize(static_cast<double>(job.memory_limit))
                                          : absl::StrCat("NOT applied: ", result.memory_note),
                    "\n");
  }
  if (result.has_device) {
    absl::StrAppendFormat(&text, "Disk stats (read/write), all programs:\n  %s: ios=%d/%d\n",
                          result.device, result.device_reads, result.device_writes);
  }
  return text;
}

std::string ComparisonText(absl::Span<const Comparison> comparisons) {
  std::string text;
  for (const Comparison& comparison : comparisons) {
    const Metric& metric = *FindMetric(comparison.metric);
    absl::StrAppend(&text, comparison.job, comparison.row.empty() ? "" : " (", comparison.row,
                    comparison.row.empty() ? "" : ")", ": ", comparison.metric, " (", metric.help,
                    metric.more_is_better ? "; more is better" : "; less is better", ")\n");
    for (const EngineFigure& figure : comparison.engines) {
      absl::StrAppendFormat(&text, "  %-8s %14s  (%s .. %s)", figure.engine,
                            ValueText(figure.value.median, metric),
                            ValueText(figure.value.min, metric),
                            ValueText(figure.value.max, metric));
      if (figure.ratio.count > 0) {
        absl::StrAppendFormat(&text, "   %s/%s %.2fx  (%.2f .. %.2f)",
                              comparison.engines[0].engine, figure.engine, figure.ratio.median,
                              figure.ratio.min, figure.ratio.max);
      }
      text += '\n';
    }
  }
  return text;
}

}  // namespace firn::bench
