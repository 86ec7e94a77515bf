#include "bench/bench_run.h"

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "bench/bench_clock.h"
#include "bench/isolated_run.h"
#include "bench/job_runner.h"
#include "bench/memory_cgroup.h"
#include "bench/peer.h"
#include "bench/yardstick.h"

namespace firn::bench {
namespace {

constexpr char kCgroupRoot[] = "/sys/fs/cgroup";
constexpr uint64_t kSpaceFactor = 4;  // a store may for a while take so many times its records

uint64_t LargestStore(absl::Span<const Workload> jobs) {
  double largest = 0;
  for (const Workload& job : jobs) {
    largest = std::max(largest,
                       static_cast<double>(job.record_count()) * job.shape.average_size());
  }
  return static_cast<uint64_t>(largest);
}

}  // namespace

BenchRun::BenchRun(absl::Span<const Workload> jobs, StoreFolders& folders, size_t engine_count,
                   ResultSink sink)
    : jobs_(jobs), folders_(folders), engine_count_(engine_count), sink_(std::move(sink)) {}

absl::StatusOr<double> BenchRun::RateOf(const std::string& engine, const Workload& job) const {
  if (job.rate_share_percent == 0) return job.rate;
  const auto last = last_iops_.find(engine);
  if (last == last_iops_.end()) {
    return InvalidArgument("rate_share= is a share of what the job before this one reached, and "
                           "there is none");
  }
  const double rate =
      last->second * job.rate_share_percent / 100 / static_cast<double>(job.jobs);
  if (rate <= 0) return absl::FailedPreconditionError("the job before this one made no calls");
  return rate;
}

absl::StatusOr<JobResult> BenchRun::RunEngine(const std::string& engine, const Workload& job,
                                              uint64_t round, const std::string& path) {
  JobSetting setting;
  setting.path = path;
  setting.round = round;
  FIRN_ASSIGN_OR_RETURN(setting.rate, RateOf(engine, job));
  std::unique_ptr<MemoryCgroup> group;
  if (job.memory_limit > 0) {
    absl::StatusOr<std::unique_ptr<MemoryCgroup>> made =
        MemoryCgroup::Create(job.memory_limit, kCgroupRoot);
    if (made.ok()) {
      group = std::move(*made);
    } else {
      setting.memory_note = std::string(made.status().message());
    }
  }
  const EngineEntry& entry = *FindEngine(engine);
  const absl::StatusOr<JobResult> result =
      RunInChild(job.ending == Ending::kKill,
                 [&](BeforeClose before_close) -> absl::StatusOr<JobResult> {
                   if (group != nullptr) {
                     const absl::Status joined = group->Join();
                     setting.limited_memory = joined.ok();
                     setting.memory_note = std::string(joined.message());
                   }
                   SystemBenchClock clock;
                   return RunJob(job, entry, setting, clock, before_close);
                 });
  if (absl::IsInternal(result.status()) && group != nullptr) {
    return Annotate(result.status(), "memory_limit= may be too small for its buffers");
  }
  return result;
}

absl::StatusOr<std::optional<JobResult>> BenchRun::RunOne(const std::string& engine,
                                                          const Workload& job, uint64_t round) {
  if (engine == kYardstickEngine) {
    if (job.yardstick.empty()) return std::nullopt;
    FIRN_ASSIGN_OR_RETURN(const std::string fio, FindFio());
    FIRN_ASSIGN_OR_RETURN(JobResult result, RunFio(fio, job, folders_.directory() + "/fio"));
    result.round = round;
    sink_(result, job);
    return result;
  }
  FIRN_ASSIGN_OR_RETURN(const StoreFolders::Readiness readiness, folders_.Begin(engine, job));
  if (readiness == StoreFolders::Readiness::kSkip) return std::nullopt;
  FIRN_ASSIGN_OR_RETURN(JobResult result,
                        RunEngine(engine, job, round, folders_.Path(engine, job)));
  FIRN_RETURN_IF_ERROR(folders_.End(engine, job));
  last_iops_[engine] = ValueOf(result, "iops");
  sink_(result, job);
  return result;
}

absl::Status BenchRun::EndTurn(const std::string& engine, uint64_t /*round*/, bool is_last_round) {
  if (engine == kYardstickEngine) return absl::OkStatus();
  const bool is_short_of_space =
      folders_.FreeSpace() / kSpaceFactor / engine_count_ < LargestStore(jobs_);
  std::map<std::string, bool> stays;  // store -> may it?
  std::map<std::string, const Workload*> one_job;
  for (const Workload& job : jobs_) {
    const bool is_kept = is_last_round ? (job.keep || job.prepare) && !folders_.is_scratch()
                                       : job.prepare && !is_short_of_space;
    stays[job.store] = stays[job.store] || is_kept;
    one_job[job.store] = &job;
  }
  for (const auto& [store, may_stay] : stays) {
    if (!may_stay) FIRN_RETURN_IF_ERROR(folders_.Remove(engine, *one_job[store]));
  }
  return absl::OkStatus();
}

absl::StatusOr<EngineChoice> ChooseEngines(const std::string& engine, const std::string& peers,
                                           absl::Span<const Workload> jobs) {
  std::vector<std::string> known;
  for (const EngineEntry& entry : Engines()) known.emplace_back(entry.name);
  EngineChoice choice;
  std::vector<std::string> wanted = {engine};
  for (const absl::string_view part : absl::StrSplit(peers, ',', absl::SkipWhitespace())) {
    std::string name(absl::StripAsciiWhitespace(part));
    if (std::count(wanted.begin(), wanted.end(), name) == 0) wanted.push_back(std::move(name));
  }
  for (const std::string& name : wanted) {
    const EngineEntry* entry = FindEngine(name);
    if (entry == nullptr) {
      const std::string nearest = Nearest(name, known);
      return InvalidArgument(absl::StrCat(
          "no engine is called \"", name, "\"; ",
          nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(known, ", "))
                          : absl::StrCat("the nearest is ", nearest)));
    }
    if (entry->open != nullptr) {
      choice.engines.push_back(name);
    } else if (name == engine) {
      return absl::UnimplementedError(absl::StrCat(name, ": ", entry->why_absent));
    } else {
      choice.skipped.emplace_back(name, entry->why_absent);
    }
  }
  const bool has_yardstick = std::any_of(
      jobs.begin(), jobs.end(), [](const Workload& job) { return !job.yardstick.empty(); });
  if (!has_yardstick) return choice;
  const absl::StatusOr<std::string> fio = FindFio();
  if (fio.ok()) {
    choice.engines.emplace_back(kYardstickEngine);
  } else {
    choice.skipped.emplace_back(kYardstickEngine, std::string(fio.status().message()));
  }
  return choice;
}

}  // namespace firn::bench
