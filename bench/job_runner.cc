#include "bench/job_runner.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "bench/hiccup.h"
#include "bench/process_figures.h"
#include "bench/worker.h"

namespace firn::bench {
namespace {

constexpr size_t kWarmKeys = 100;  // a read call while warming up

PeerOptions OptionsOf(const Workload& job, const std::string& path) {
  PeerOptions options;
  options.path = path;
  options.layout = job.layout;
  options.ascending_keys =
      job.shape.key == KeyKind::kSequence && job.access == Access::kWrite && job.jobs == 1;
  options.compress = job.compress;
  options.filter_bits = job.filter_bits;
  options.cache = job.cache;
  options.memtable = job.memtable;
  options.memtables = job.memtables;
  options.log_size = job.log_size;
  options.memory_budget = job.memory_budget;
  options.threads = job.jobs;
  options.synced = job.sync_every != 0;
  options.data_size =
      static_cast<uint64_t>(static_cast<double>(job.record_count()) * job.shape.average_size());
  return options;
}

// Reads every record once, so that what fits into the caches is there.
absl::Status Warm(const Workload& job, Peer& peer) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, peer.NewSession());
  Generator generator(job.shape);
  std::vector<std::string> keys;
  std::vector<absl::string_view> views;
  std::vector<ReadResult> results(kWarmKeys);
  const uint64_t count = job.record_count();
  for (uint64_t first = 0; first < count; first += kWarmKeys) {
    keys.clear();
    for (uint64_t i = first; i < std::min(first + kWarmKeys, count); ++i) {
      keys.emplace_back(generator.Key(i));
    }
    views.assign(keys.begin(), keys.end());
    FIRN_RETURN_IF_ERROR(
        session->MultiGet(views, absl::MakeSpan(results).subspan(0, views.size())));
  }
  return absl::OkStatus();
}

class Running {
 public:
  Running(const Workload& job, const JobSetting& setting, BenchClock& clock, Peer& peer)
      : job_(job), setting_(setting), clock_(clock), peer_(peer), progress_(job) {}

  absl::Status Run(JobResult& result) {
    for (uint64_t i = 0; i < job_.jobs; ++i) {
      FIRN_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, peer_.NewSession());
      workers_.push_back(
          std::make_unique<Worker>(job_, i, setting_.rate, *session, progress_, clock_));
      sessions_.push_back(std::move(session));
    }
    if (job_.hiccup || setting_.rate > 0) hiccup_ = std::make_unique<HiccupMeter>(clock_);
    FIRN_RETURN_IF_ERROR(RunThreads(result));
    if (job_.settle) {
      const uint64_t begin = clock_.Now();
      FIRN_RETURN_IF_ERROR(peer_.Settle());
      result.settle_ns = clock_.Now() - begin;
    }
    TakeFigures(result);
    if (hiccup_ != nullptr) hiccup_->Stop();
    Merge(result);
    return absl::OkStatus();
  }

 private:
  absl::Status RunThreads(JobResult& result) {
    JobTimes times;
    times.start = clock_.Now();
    times.count_from = times.start + job_.ramp_us * 1000;
    if (job_.runtime_us > 0) times.end = times.count_from + job_.runtime_us * 1000;
    StartFigures();
    std::vector<absl::Status> statuses(workers_.size());
    std::vector<std::thread> threads;
    for (size_t i = 1; i < workers_.size(); ++i) {
      threads.emplace_back([&, i] { statuses[i] = workers_[i]->Run(times); });
    }
    // A job of one thread runs on this one; a job with a ramp leaves it free to watch the time.
    if (job_.ramp_us > 0) {
      threads.emplace_back([&] { statuses[0] = workers_[0]->Run(times); });
      clock_.SleepUntil(times.count_from);
      StartFigures();
    } else {
      statuses[0] = workers_[0]->Run(times);
    }
    for (std::thread& thread : threads) thread.join();
    uint64_t end = times.count_from;
    for (const auto& worker : workers_) end = std::max(end, worker->end_time());
    result.run_ns = end - times.count_from;
    for (const absl::Status& status : statuses) FIRN_RETURN_IF_ERROR(status);
    return absl::OkStatus();
  }

  void StartFigures() {
    process_ = ReadProcessFigures();
    device_ = ReadDeviceFigures(setting_.path);
  }

  void TakeFigures(JobResult& result) const {
    const ProcessFigures process = ReadProcessFigures();
    result.cpu_user_s = process.cpu_user_s - process_.cpu_user_s;
    result.cpu_system_s = process.cpu_system_s - process_.cpu_system_s;
    result.context_switches = process.context_switches - process_.context_switches;
    result.major_faults = process.major_faults - process_.major_faults;
    result.minor_faults = process.minor_faults - process_.minor_faults;
    result.disk_written = process.disk_written - process_.disk_written;
    result.disk_read = process.disk_read - process_.disk_read;
    const DeviceFigures device = ReadDeviceFigures(setting_.path);
    result.has_device = device.known && device_.known;
    result.device = device.name;
    result.device_reads = device.reads - device_.reads;
    result.device_writes = device.writes - device_.writes;
  }

  static void Store(const Tally& tally, DirectionResult& result) {
    result.calls = tally.calls;
    result.records = tally.records;
    result.bytes = tally.bytes;
    result.slat = tally.slat.Summary();
    result.clat = tally.clat.Summary();
    result.lat = tally.lat.Summary();
  }

  void Merge(JobResult& result) const {
    Tally read, write;
    LatencyHistogram all_lat;
    std::vector<TimeSpan> slow_calls;
    for (const auto& worker : workers_) {
      read.Merge(worker->read());
      write.Merge(worker->write());
      all_lat.Merge(worker->all_lat());
      result.wrong_reads += worker->wrong_reads();
      slow_calls.insert(slow_calls.end(), worker->slow_calls().begin(),
                        worker->slow_calls().end());
    }
    Store(read, result.read);
    Store(write, result.write);
    result.all_lat = all_lat.Summary();
    if (hiccup_ == nullptr) return;
    result.hiccup = hiccup_->histogram().Summary();
    result.net_max_ns = LongestNetOf(slow_calls, hiccup_->pauses());
  }

  const Workload& job_;
  const JobSetting& setting_;
  BenchClock& clock_;
  Peer& peer_;
  JobProgress progress_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Worker>> workers_;  // go before their sessions
  std::unique_ptr<HiccupMeter> hiccup_;
  ProcessFigures process_;
  DeviceFigures device_;
};

// One record, to show that the store serves.
absl::Status ReadOne(const Workload& job, Peer& peer, JobResult& result) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, peer.NewSession());
  Generator generator(job.shape);
  ReadResult read;
  const uint64_t last = job.record_count() - 1;
  FIRN_RETURN_IF_ERROR(session->Get(generator.Key(last), read));
  if (!read.found || !generator.IsValueOf(last, read.value)) ++result.wrong_reads;
  ++result.read.calls;
  ++result.read.records;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JobResult> RunJob(const Workload& job, const EngineEntry& engine,
                                 const JobSetting& setting, BenchClock& clock,
                                 absl::FunctionRef<void(const JobResult&)> before_close) {
  JobResult result;
  result.engine = engine.name;
  result.job = job.name;
  result.round = setting.round;
  result.settle_counts = job.settle;
  result.limited_memory = setting.limited_memory;
  result.memory_note = setting.memory_note;
  const uint64_t parts = job.memtable * job.memtables + job.cache;
  result.memory_budget = job.memory_budget > 0 ? job.memory_budget : parts;
  if (job.invalidate) DropFromPageCache(setting.path);
  ResetPeakMemory();

  const uint64_t begin = clock.Now();
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Peer> peer,
                        engine.open(OptionsOf(job, setting.path)));
  if (job.access == Access::kOpen) FIRN_RETURN_IF_ERROR(ReadOne(job, *peer, result));
  result.open_ns = clock.Now() - begin;
  if (job.access == Access::kOpen) {
    result.run_ns = result.open_ns;
  } else {
    if (job.warm) FIRN_RETURN_IF_ERROR(Warm(job, *peer));
    FIRN_RETURN_IF_ERROR(Running(job, setting, clock, *peer).Run(result));
  }
  result.engine_figures = peer->Figures();
  result.rss_peak = PeakMemory();
  result.store_bytes = SpaceOf(setting.path);
  before_close(result);
  const uint64_t closing = clock.Now();
  FIRN_RETURN_IF_ERROR(peer->Close());
  result.close_ns = clock.Now() - closing;
  return result;
}

}  // namespace firn::bench
