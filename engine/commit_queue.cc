#include "engine/commit_queue.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/detached_status.h"
#include "base/futex.h"
#include "base/status.h"

namespace firn {
namespace {

// So many waiting followers count as full load. Fewer than kLeastLoad sleep while their group is synced:
// the processors have nothing better to do, but the machine may.
constexpr uint32_t kFullLoad = 64;
constexpr uint32_t kLeastLoad = 8;
// A write that waits for no sync is over in 1-3 us: less than a yield, which gives the processor away,
// may cost. So its writer looks so many times first (about 40 ns each).
constexpr int kSpins = 100;
// With a clock that stands still, yielding must end too.
constexpr int kYieldsMax = 4096;

// Tells the processor that this is a loop that waits.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Errors of Prepare and MakeRoom that leave the log and the memtables as they were.
bool HarmsOneGroupOnly(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return true;
    default:
      return false;
  }
}

}  // namespace

// Holds the lock for a scope in which the line is moved on; whom that woke is woken behind it.
class ABSL_SCOPED_LOCKABLE CommitQueue::Step {
 public:
  explicit Step(CommitQueue& queue) ABSL_EXCLUSIVE_LOCK_FUNCTION(queue.mutex_) : queue_(queue) {
    queue_.mutex_.Lock();
  }
  ~Step() ABSL_UNLOCK_FUNCTION() {
    queue_.mutex_.AssertHeld();
    std::vector<std::atomic<CommitSignal>*>& to_wake = queue_.line_.to_wake();
    const absl::InlinedVector<std::atomic<CommitSignal>*, 64> woken(to_wake.rbegin(), to_wake.rend());
    to_wake.clear();
    queue_.mutex_.Unlock();
    for (std::atomic<CommitSignal>* const signal : woken) FutexWake(signal);
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  CommitQueue& queue_;
};

struct CommitQueue::Group {
  CommitGroup line;
  CommitBatch batch;
  std::vector<CommitRequest*> requests;
  std::vector<ByteSpan> pieces;
  SequenceNumber last_before;  // the last number given out before this group
  uint64_t ticket = 0;
  absl::Status error;  // what stuck when the group was taken
};

CommitQueue::CommitQueue(CommitTarget& target, Clock& clock, SequenceNumber last_sequence,
                         const CommitQueueOptions& options)
    : target_(target),
      clock_(clock),
      options_(options),
      line_(options.flushes_in_flight, options.group_size_max),
      last_sequence_(last_sequence) {
  FIRN_CHECK(options.flushes_in_flight >= 1 && options.flushes_in_flight <= 8);
  FIRN_CHECK(options.yield_us_min <= options.yield_us_max);
}

CommitQueue::~CommitQueue() {
  MutexLock lock(mutex_);
  FIRN_CHECK(line_.idle());
}

absl::Status CommitQueue::Commit(CommitRequest& request) {
  FIRN_CHECK(request.count >= 1);
  request.status = absl::OkStatus();
  request.waiter.request = &request;
  request.waiter.size = request.encoded.size();
  request.waiter.kind = request.durability == Durability::kVolatile ? 1 : 0;
  {
    const Step step(*this);
    line_.Enter(request.waiter);
  }
  const CommitSignal told = Await(request.waiter);
  if (told == CommitSignal::kLead) {
    Lead(request);
  } else {
    FIRN_CHECK(told == CommitSignal::kDone);
  }
  return request.status;
}

CommitSignal CommitQueue::AwaitYielding(const CommitWaiter& waiter) {
  CommitSignal told = waiter.signal.load(std::memory_order_acquire);
  if (told != CommitSignal::kNone) return told;
  const CommitRequest* const request = waiter.request;  // none: exclusive
  if (request != nullptr && request->durability != Durability::kSynced) {
    for (int i = 0; i < kSpins; ++i) {
      Pause();
      told = waiter.signal.load(std::memory_order_acquire);
      if (told != CommitSignal::kNone) return told;
    }
  }
  const uint32_t load = waiting_.fetch_add(1, std::memory_order_relaxed) + 1;
  told = YieldForAWhile(waiter, load);
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  return told;
}

CommitSignal CommitQueue::YieldForAWhile(const CommitWaiter& waiter, uint32_t load) {
  const CommitRequest* const request = waiter.request;
  const bool waits_for_sync = request == nullptr || request->durability == Durability::kSynced;
  if (waits_for_sync && load < kLeastLoad) return CommitSignal::kNone;
  uint64_t now = clock_.MonotonicMicroseconds();
  const YieldGate::Pass pass = yield_gate_.Enter(now);
  if (pass == YieldGate::Pass::kNo) return CommitSignal::kNone;
  const uint64_t limit =
      now + options_.yield_us_min +
      (options_.yield_us_max - options_.yield_us_min) * std::min(load, kFullLoad) / kFullLoad;
  for (int i = 0; i < kYieldsMax && now < limit; ++i) {
    std::this_thread::yield();
    const uint64_t before = std::exchange(now, clock_.MonotonicMicroseconds());
    const CommitSignal told = waiter.signal.load(std::memory_order_acquire);
    if (!yield_gate_.Took(pass, now - before, now)) return told;
    if (told != CommitSignal::kNone) {
      yield_gate_.Leave(pass, now);
      return told;
    }
  }
  return CommitSignal::kNone;
}

CommitSignal CommitQueue::Await(CommitWaiter& waiter) {
  CommitSignal told = AwaitYielding(waiter);
  if (told == CommitSignal::kNone &&
      waiter.signal.compare_exchange_strong(told, CommitSignal::kAsleep, std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
    sleeps_.fetch_add(1, std::memory_order_relaxed);
    do {
      FutexWait(waiter.signal, CommitSignal::kAsleep);
      told = waiter.signal.load(std::memory_order_acquire);
    } while (told == CommitSignal::kAsleep);
  }
  // Nobody tells a writer anything again before its own next step under the lock.
  waiter.signal.store(CommitSignal::kNone, std::memory_order_relaxed);
  return told;
}

void CommitQueue::Lead(CommitRequest& leader) {
  std::unique_ptr<Group> group = TakeGroup(leader);
  absl::Status status = group->error;
  if (status.ok()) status = PrepareGroup(*group);
  if (!status.ok()) {
    Refuse(std::move(group), status);
    return;
  }
  if (!ValidateGroup(group)) return;
  status = Begin(*group);
  if (status.ok() && group->batch.logged) status = target_.WriteLog(group->batch);
  TakeEffect(std::move(group), status);
}

std::unique_ptr<CommitQueue::Group> CommitQueue::TakeGroup(CommitRequest& leader) {
  std::unique_ptr<Group> group;
  {
    const Step step(*this);
    if (free_groups_.empty()) {
      group = std::make_unique<Group>();
    } else {
      group = std::move(free_groups_.back());
      free_groups_.pop_back();
    }
    line_.TakeGroup(leader.waiter, group->line);
    group->last_before = last_sequence_;
    group->error = DetachedCopy(error_);
  }
  group->requests.clear();
  for (CommitWaiter* const member : group->line.members) {
    group->requests.push_back(member->request);
  }
  DescribeBatch(*group);
  return group;
}

// What the group's requests add up to.
void CommitQueue::DescribeBatch(Group& group) {
  group.pieces.clear();
  CommitBatch& batch = group.batch;
  batch = CommitBatch();
  batch.logged = group.line.members.front()->request->durability != Durability::kVolatile;
  batch.synced = false;
  batch.first_sequence = {group.last_before.value + 1};
  for (const CommitRequest* const request : group.requests) {
    if (!request->encoded.empty()) group.pieces.push_back(AsBytes(request->encoded));
    batch.size += request->encoded.size();
    batch.count += request->count;
    batch.synced = batch.synced || request->durability == Durability::kSynced;
  }
  batch.requests = group.requests;
  batch.pieces = group.pieces;
}

absl::Status CommitQueue::PrepareGroup(Group& group) {
  if (group.batch.count > kMaxSequenceNumber.value - group.last_before.value) {
    return absl::ResourceExhaustedError("all sequence numbers are used up");
  }
  FIRN_ASSIGN_OR_RETURN(const CommitTarget::Room room, target_.Prepare(group.batch));
  if (room == CommitTarget::Room::kReady) return absl::OkStatus();
  AwaitAlone(*group.line.members.front());
  FIRN_RETURN_IF_ERROR(error());  // a group before this one has failed meanwhile
  return target_.MakeRoom(group.batch);
}

void CommitQueue::AwaitAlone(CommitWaiter& leader) {
  bool alone = false;
  {
    const Step step(*this);
    alone = line_.AwaitAlone(leader);
  }
  if (!alone) FIRN_CHECK(Await(leader) == CommitSignal::kAlone);
}

void CommitQueue::Refuse(std::unique_ptr<Group> group, const absl::Status& status) {
  for (CommitRequest* const request : group->requests) request->status = DetachedCopy(status);
  const Step step(*this);
  if (!HarmsOneGroupOnly(status)) Stick(next_ticket_, status);
  line_.Refuse(group->line);
  free_groups_.push_back(std::move(group));
}

bool CommitQueue::ValidateGroup(std::unique_ptr<Group>& group) {
  target_.Validate(group->batch);
  std::vector<CommitRequest*>& requests = group->requests;
  const auto refused = std::remove_if(requests.begin(), requests.end(), [](const auto* request) {
    return !request->status.ok();
  });
  if (refused == requests.end()) return true;
  requests.erase(refused, requests.end());
  if (!requests.empty()) {
    DescribeBatch(*group);
    return true;
  }
  const Step step(*this);
  line_.Refuse(group->line);
  free_groups_.push_back(std::move(group));
  return false;
}

absl::Status CommitQueue::Begin(Group& group) {
  CommitBatch& batch = group.batch;
  SequenceNumber next = batch.first_sequence;
  for (CommitRequest* const request : group.requests) {
    request->first_sequence = next;
    next.value += request->count;
  }
  batch.last_sequence = {next.value - 1};
  absl::Status status;
  if (batch.logged) status = target_.Reserve(batch);
  const Step step(*this);
  group.ticket = next_ticket_++;
  last_sequence_ = batch.last_sequence;
  if (!status.ok()) Stick(group.ticket, status);
  if (status.ok()) status = DetachedCopy(error_);  // known to be in vain: not written
  line_.Begin(group.line);
  return status;
}

void CommitQueue::TakeEffect(std::unique_ptr<Group> group, const absl::Status& written) {
  CommitWaiter& leader = *group->line.members.front();
  bool turn = false;
  {
    const Step step(*this);
    if (!written.ok()) Stick(group->ticket, written);
    turn = line_.EndWrite(group->line);
  }
  if (!turn) FIRN_CHECK(Await(leader) == CommitSignal::kTurn);
  const absl::Status status = SettleAndApply(*group, written);
  for (CommitRequest* const request : group->requests) request->status = DetachedCopy(status);
  const Step step(*this);
  if (!status.ok()) Stick(group->ticket, status);
  ++counters_.groups;
  counters_.requests += group->requests.size();
  line_.Finish(group->line);
  free_groups_.push_back(std::move(group));
}

absl::Status CommitQueue::SettleAndApply(Group& group, const absl::Status& written) {
  FIRN_RETURN_IF_ERROR(written);
  {
    MutexLock lock(mutex_);
    if (group.ticket >= error_ticket_) {
      return DetachedCopy(error_);  // a group before this one failed
    }
  }
  if (group.batch.logged) FIRN_RETURN_IF_ERROR(target_.Settle(group.batch));
  for (const CommitRequest* const request : group.requests) target_.Apply(*request);
  target_.Publish(group.batch.last_sequence);
  return absl::OkStatus();
}

absl::Status CommitQueue::Exclusive(
    const std::function<absl::Status(SequenceNumber last_sequence)>& action) {
  CommitWaiter waiter;
  waiter.exclusive = true;
  CommitGroup group;
  {
    const Step step(*this);
    line_.Enter(waiter);
  }
  FIRN_CHECK(Await(waiter) == CommitSignal::kLead);
  SequenceNumber last_sequence;
  {
    const Step step(*this);
    line_.TakeGroup(waiter, group);
    last_sequence = last_sequence_;
  }
  AwaitAlone(waiter);
  const absl::Status status = action(last_sequence);
  const Step step(*this);
  line_.Refuse(group);
  return status;
}

absl::Status CommitQueue::ExclusiveWithNumbers(
    uint64_t count, const std::function<absl::Status(SequenceNumber first)>& action) {
  FIRN_CHECK(count > 0);
  return Exclusive([&](SequenceNumber last_sequence) -> absl::Status {
    FIRN_RETURN_IF_ERROR(error());
    FIRN_RETURN_IF_ERROR(action({last_sequence.value + 1}));
    MutexLock lock(mutex_);
    last_sequence_.value += count;
    return absl::OkStatus();
  });
}

void CommitQueue::Stick(uint64_t ticket, const absl::Status& status) {
  error_ticket_ = std::min(error_ticket_, ticket);
  if (!error_.ok()) return;
  error_ = MakeError(
      status.code(), ErrorReason::kPoisoned,
      absl::StrCat("an earlier write failed; reopen the store to go on: ", status.message()));
}

void CommitQueue::Poison(const absl::Status& status) {
  FIRN_CHECK(!status.ok());
  MutexLock lock(mutex_);
  Stick(next_ticket_, status);
}

absl::Status CommitQueue::error() const {
  MutexLock lock(mutex_);
  return DetachedCopy(error_);
}

size_t CommitQueue::waiting() const {
  MutexLock lock(mutex_);
  return line_.waiting();
}

CommitQueue::Counters CommitQueue::counters() const {
  MutexLock lock(mutex_);
  Counters counters = counters_;
  counters.sleeps = sleeps_.load(std::memory_order_relaxed);
  return counters;
}

}  // namespace firn
