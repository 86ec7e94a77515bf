#include "bench/worker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/hash.h"
#include "base/status.h"

namespace firn::bench {
namespace {

constexpr uint64_t kTimedOneIn = 64;
constexpr size_t kSlowCallsMax = 1000;

// Among equals the shortest is at the front of the heap.
bool IsLonger(const TimeSpan& a, const TimeSpan& b) { return a.end - a.begin > b.end - b.begin; }

uint64_t FirstNewOrdinal(const Workload& job) {
  return job.access == Access::kWrite ? job.offset : job.record_count();
}

uint64_t CallsOf(const Workload& job) {
  if (job.calls != 0) return job.calls;
  // Reading everything is done once a thread, unless time says otherwise.
  const bool once = job.access == Access::kRead && !job.time_based;
  return once ? job.jobs : UINT64_MAX;
}

uint64_t OrdinalOf(absl::string_view key) {
  uint64_t ordinal = 0;
  for (const char byte : key) ordinal = ordinal << 8 | static_cast<uint8_t>(byte);
  return ordinal;
}

}  // namespace

JobProgress::JobProgress(const Workload& job)
    : distribution(job.record_count(), job.zipf),
      next_ordinal(FirstNewOrdinal(job)),
      ordinals_end(job.time_based ? UINT64_MAX : job.offset + job.record_count()),
      calls_left(CallsOf(job)) {}

void Tally::Merge(const Tally& other) {
  calls += other.calls;
  records += other.records;
  bytes += other.bytes;
  slat.Merge(other.slat);
  clat.Merge(other.clat);
  lat.Merge(other.lat);
}

Worker::Worker(const Workload& job, uint64_t index, double rate, Session& session,
               JobProgress& progress, BenchClock& clock)
    : job_(job),
      rate_interval_(rate > 0 ? std::max<uint64_t>(1, static_cast<uint64_t>(1e9 / rate)) : 0),
      session_(session),
      progress_(progress),
      clock_(clock),
      generator_(job.shape),
      random_(HashInteger(job.shape.seed * 1000 + index)),
      version_base_((index + 1) << 40) {}

absl::Status Worker::Run(const JobTimes& times) {
  uint64_t due = times.start;
  uint64_t returned = times.start;
  for (uint64_t number = 0; !progress_.failed.load(std::memory_order_relaxed); ++number) {
    const bool is_timed = rate_interval_ > 0 || !job_.less_clock || number % kTimedOneIn == 0;
    if (rate_interval_ > 0) {
      due = NextDue(due);
      if (due >= times.end) break;
      clock_.SleepUntil(due);
    } else if (is_timed) {
      if (job_.less_clock) returned = clock_.Now();
      if (returned >= times.end) break;
      due = returned;
    }
    const Kind kind = ChooseKind();
    if (!TakeCall() || !PrepareCall(kind)) break;
    const uint64_t called = is_timed ? clock_.Now() : 0;
    absl::StatusOr<Done> done = Call(kind);
    if (!done.ok()) {
      progress_.failed = true;
      return std::move(done).status();
    }
    if (is_timed) returned = clock_.Now();
    if (due < times.count_from) continue;
    Tally& tally = TallyOf(kind);
    ++tally.calls;
    tally.records += done->records;
    tally.bytes += done->bytes;
    if (is_timed) AddLatency(tally, {called, returned}, due);
  }
  end_time_ = clock_.Now();
  return absl::OkStatus();
}

uint64_t Worker::NextDue(uint64_t due) {
  if (job_.rate_process == RateProcess::kLinear) return due + rate_interval_;
  const double uniform = static_cast<double>((random_.Next() >> 11) + 1) * 0x1p-53;
  return due + static_cast<uint64_t>(-std::log(uniform) * static_cast<double>(rate_interval_));
}

bool Worker::TakeCall() {
  uint64_t left = progress_.calls_left.load(std::memory_order_relaxed);
  if (left == UINT64_MAX) return true;  // no limit: no shared counter
  while (left > 0) {
    if (progress_.calls_left.compare_exchange_weak(left, left - 1)) return true;
  }
  return false;
}

Worker::Kind Worker::ChooseKind() {
  const Kind read = job_.scan_max > 0 ? Kind::kScan : Kind::kGet;
  switch (job_.access) {
    case Access::kWrite:
      return Kind::kWrite;
    case Access::kRandWrite:
      return Kind::kUpdate;
    case Access::kRead:
      return Kind::kReplay;
    case Access::kRandRead:
    case Access::kOpen:
      return read;
    case Access::kRandMix:
      break;
  }
  if (random_.Uniform(100) < job_.read_percent) return read;
  if (job_.mixed_write == MixedWrite::kInsert) return Kind::kWrite;
  return job_.mixed_write == MixedWrite::kModify ? Kind::kModify : Kind::kUpdate;
}

void Worker::StagePut(uint64_t ordinal, uint64_t version) {
  const absl::string_view key = generator_.Key(ordinal);
  const absl::string_view value = generator_.Value(ordinal, version);
  session_.Put(key, value);
  ++staged_.records;
  staged_.bytes += key.size() + value.size();
}

bool Worker::PrepareCall(Kind kind) {
  staged_ = {};
  if (kind == Kind::kReplay) return true;
  if (kind == Kind::kWrite) {
    const uint64_t first = progress_.next_ordinal.fetch_add(job_.batch);
    uint64_t end = first + job_.batch;
    if (job_.access == Access::kWrite) end = std::min(end, progress_.ordinals_end);
    for (uint64_t ordinal = first; ordinal < end; ++ordinal) StagePut(ordinal, 0);
    return staged_.records > 0;
  }
  if (kind == Kind::kUpdate) {
    for (uint64_t i = 0; i < job_.batch; ++i) {
      StagePut(progress_.distribution.Draw(random_), version_base_ + ++updates_);
    }
    return true;
  }
  const uint64_t count = kind == Kind::kGet ? job_.multiget : 1;
  ordinals_.resize(count);
  absent_.assign(count, false);
  results_.resize(count);
  key_bytes_.clear();
  for (uint64_t i = 0; i < count; ++i) {
    ordinals_[i] = progress_.distribution.Draw(random_);
    if (kind == Kind::kGet && job_.absent_percent > 0) {
      absent_[i] = random_.Uniform(100) < job_.absent_percent;
    }
    const absl::string_view key = absent_[i] ? generator_.AbsentKey(ordinals_[i])
                                             : generator_.Key(ordinals_[i]);
    key_bytes_.append(key.data(), key.size());
  }
  const size_t key_size = job_.shape.key_size();
  keys_.clear();
  for (uint64_t i = 0; i < count; ++i) {
    keys_.emplace_back(key_bytes_.data() + i * key_size, key_size);
  }
  if (kind == Kind::kScan) scan_length_ = 1 + random_.Uniform(job_.scan_max);
  return true;
}

absl::StatusOr<Worker::Done> Worker::Call(Kind kind) {
  switch (kind) {
    case Kind::kWrite:
    case Kind::kUpdate:
      return Commit();
    case Kind::kModify: {
      FIRN_RETURN_IF_ERROR(CallGet().status());
      StagePut(ordinals_[0], version_base_ + ++updates_);
      return Commit();
    }
    case Kind::kGet:
      return CallGet();
    case Kind::kScan:
    case Kind::kReplay:
      break;
  }
  return CallScan(kind);
}

absl::StatusOr<Worker::Done> Worker::Commit() {
  const bool is_synced = job_.sync_every != 0 && ++commits_ % job_.sync_every == 0;
  FIRN_RETURN_IF_ERROR(session_.Commit(is_synced ? Sync::kSynced : Sync::kBuffered));
  return staged_;
}

void Worker::CheckRead(size_t index) {
  const ReadResult& result = results_[index];
  const bool is_right = result.found == !absent_[index] &&
                        (!result.found || generator_.IsValueOf(ordinals_[index], result.value));
  if (!is_right) ++wrong_reads_;
}

absl::StatusOr<Worker::Done> Worker::CallGet() {
  if (keys_.size() == 1) {
    FIRN_RETURN_IF_ERROR(session_.Get(keys_[0], results_[0]));
  } else {
    FIRN_RETURN_IF_ERROR(session_.MultiGet(keys_, absl::MakeSpan(results_)));
  }
  Done done;
  for (size_t i = 0; i < keys_.size(); ++i) {
    ++done.records;
    done.bytes += keys_[i].size() + (results_[i].found ? results_[i].value.size() : 0);
    if (job_.verify) CheckRead(i);
  }
  return done;
}

absl::StatusOr<Worker::Done> Worker::CallScan(Kind kind) {
  Done done;
  const bool is_replay = kind == Kind::kReplay;
  const bool checks = job_.verify && job_.shape.key == KeyKind::kSequence;
  FIRN_ASSIGN_OR_RETURN(
      done.records,
      session_.Scan(is_replay ? absl::string_view() : keys_[0],
                    is_replay ? UINT64_MAX : scan_length_,
                    [&](absl::string_view key, absl::string_view value) {
                      done.bytes += key.size() + value.size();
                      // As a point read: the caller has the bytes in memory of its own. (An engine that
                      // maps its file would otherwise not even touch them.)
                      scanned_key_.assign(key.data(), key.size());
                      scanned_value_.assign(value.data(), value.size());
                      if (checks && !generator_.IsValueOf(OrdinalOf(key), value)) ++wrong_reads_;
                    }));
  if (job_.verify && is_replay && done.records < job_.record_count()) {
    wrong_reads_ += job_.record_count() - done.records;
  }
  return done;
}

Tally& Worker::TallyOf(Kind kind) {
  const bool is_read = kind == Kind::kGet || kind == Kind::kScan || kind == Kind::kReplay;
  return is_read ? read_ : write_;
}

void Worker::AddLatency(Tally& tally, const TimeSpan& call, uint64_t due) {
  const uint64_t slat = call.begin - std::min(due, call.begin);
  const uint64_t clat = call.end - call.begin;
  tally.slat.Add(slat);
  tally.clat.Add(clat);
  tally.lat.Add(slat + clat);
  all_lat_.Add(slat + clat);
  if (rate_interval_ > 0) KeepSlow({due, call.end});
}

void Worker::KeepSlow(const TimeSpan& call) {
  if (slow_calls_.size() < kSlowCallsMax) {
    slow_calls_.push_back(call);
    std::push_heap(slow_calls_.begin(), slow_calls_.end(), IsLonger);
    return;
  }
  if (!IsLonger(call, slow_calls_.front())) return;
  std::pop_heap(slow_calls_.begin(), slow_calls_.end(), IsLonger);
  slow_calls_.back() = call;
  std::push_heap(slow_calls_.begin(), slow_calls_.end(), IsLonger);
}

}  // namespace firn::bench
