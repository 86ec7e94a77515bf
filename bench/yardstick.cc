#include "bench/yardstick.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace firn::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSecondsDefault = 5;

LatencySummary SummaryOf(const Json& json) {
  LatencySummary summary;
  summary.count = json.value("N", uint64_t{0});
  summary.mean = json.value("mean", 0.0);
  summary.deviation = json.value("stddev", 0.0);
  summary.min = json.value("min", uint64_t{0});
  summary.max = json.value("max", uint64_t{0});
  if (!json.contains("percentile")) return summary;
  const Json& percentile = json.at("percentile");
  summary.p50 = percentile.value("50.000000", uint64_t{0});
  summary.p90 = percentile.value("90.000000", uint64_t{0});
  summary.p99 = percentile.value("99.000000", uint64_t{0});
  summary.p999 = percentile.value("99.900000", uint64_t{0});
  summary.p9999 = percentile.value("99.990000", uint64_t{0});
  return summary;
}

DirectionResult DirectionOf(const Json& json) {
  DirectionResult direction;
  direction.calls = json.at("total_ios");
  direction.records = direction.calls;
  direction.bytes = json.at("io_bytes");
  direction.slat = SummaryOf(json.at("slat_ns"));
  direction.clat = SummaryOf(json.at("clat_ns"));
  direction.lat = SummaryOf(json.at("lat_ns"));
  return direction;
}

// fio counts a write as done before its fdatasync, and tells the time of that apart. What a commit is
// compared with is both: means add up, and so, as an estimate from above, do percentiles.
void AddSync(const Json& job, DirectionResult& write) {
  if (!job.contains("sync") || !job.at("sync").contains("lat_ns")) return;
  const LatencySummary sync = SummaryOf(job.at("sync").at("lat_ns"));
  if (sync.count == 0) return;
  for (LatencySummary* latency : {&write.clat, &write.lat}) {
    latency->mean += sync.mean;
    latency->min += sync.min;
    latency->p50 += sync.p50;
    latency->p90 += sync.p90;
    latency->p99 += sync.p99;
    latency->p999 += sync.p999;
    latency->p9999 += sync.p9999;
    latency->max += sync.max;
  }
}

absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, arguments[0].c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t got; error == 0 && (got = read(ends[0], buffer, sizeof(buffer))) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) output.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  if (error != 0) return ErrnoStatus(error, absl::StrCat("start ", arguments[0]));
  int wait_status = 0;
  while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
    return absl::InternalError(absl::StrCat(arguments[0], " failed: ", output.substr(0, 500)));
  }
  return output;
}

}  // namespace

absl::StatusOr<std::string> FindFio() {
  const char* path = std::getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    const std::string candidate = absl::StrCat(folder, "/fio");
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return absl::NotFoundError("fio is not installed (package fio)");
}

std::vector<std::string> FioArguments(const Workload& job, const std::string& folder) {
  const uint64_t seconds =
      job.runtime_us > 0 ? (job.runtime_us + 999'999) / 1'000'000 : kSecondsDefault;
  std::vector<std::string> arguments = {"--name=yardstick", "--output-format=json",
                                        "--directory=" + folder,
                                        absl::StrCat("--runtime=", seconds), "--time_based"};
  for (const absl::string_view word : absl::StrSplit(job.yardstick, ' ', absl::SkipEmpty())) {
    arguments.push_back(absl::StrCat("--", word));
  }
  return arguments;
}

absl::StatusOr<JobResult> FioResult(absl::string_view text, const Workload& job) {
  // fio may say something in front of its document.
  const size_t begin = text.find('{');
  if (begin == absl::string_view::npos) return InvalidArgument("fio printed no JSON");
  text.remove_prefix(begin);
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  try {
    const Json& fio_job = json.at("jobs").at(0);
    JobResult result;
    result.engine = kYardstickEngine;
    result.only_calls = true;
    result.job = job.name;
    result.read = DirectionOf(fio_job.at("read"));
    result.write = DirectionOf(fio_job.at("write"));
    AddSync(fio_job, result.write);
    const bool writes = result.write.calls >= result.read.calls;
    result.all_lat = writes ? result.write.lat : result.read.lat;
    const Json& direction = fio_job.at(writes ? "write" : "read");
    result.run_ns = direction.at("runtime").get<uint64_t>() * 1'000'000;
    const double seconds = result.seconds();
    result.cpu_user_s = fio_job.at("usr_cpu").get<double>() / 100 * seconds;
    result.cpu_system_s = fio_job.at("sys_cpu").get<double>() / 100 * seconds;
    result.context_switches = fio_job.at("ctx");
    return result;
  } catch (const Json::exception& error) {
    return InvalidArgument(absl::StrCat("not the JSON of fio: ", error.what()));
  }
}

absl::StatusOr<JobResult> RunFio(const std::string& fio, const Workload& job,
                                 const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return ErrnoStatus(error.value(), absl::StrCat("make folder ", folder));
  std::vector<std::string> arguments = FioArguments(job, folder);
  arguments.insert(arguments.begin(), fio);
  absl::StatusOr<std::string> output = OutputOf(arguments);
  fs::remove_all(folder, error);
  if (!output.ok()) return std::move(output).status();
  return FioResult(*output, job);
}

}  // namespace firn::bench
