#include "engine/commit_line.h"

#include "base/check.h"

namespace firn {

void CommitLine::Tell(CommitWaiter& waiter, CommitSignal what) {
  std::atomic<CommitSignal>* const signal = &waiter.signal;
  const CommitSignal before = signal->exchange(what, std::memory_order_acq_rel);
  if (before == CommitSignal::kAsleep) to_wake_.push_back(signal);
}

void CommitLine::Enter(CommitWaiter& waiter) {
  waiting_.push_back(&waiter);
  PassOn();
}

void CommitLine::PassOn() {
  if (led_ || waiting_.empty() || writing_ >= slots_) return;
  led_ = true;
  Tell(*waiting_.front(), CommitSignal::kLead);
}

void CommitLine::TakeGroup(CommitWaiter& leader, CommitGroup& group) {
  FIRN_CHECK(led_ && !waiting_.empty() && waiting_.front() == &leader);
  group.members.clear();
  group.size = 0;
  group.written = false;
  do {
    CommitWaiter* const next = waiting_.front();
    group.members.push_back(next);
    group.size += next->size;
    waiting_.pop_front();
  } while (!leader.exclusive && !waiting_.empty() && !waiting_.front()->exclusive &&
           waiting_.front()->kind == leader.kind && group.size < group_size_max_ &&
           waiting_.front()->size <= group_size_max_ - group.size);
}

bool CommitLine::AwaitAlone(CommitWaiter& leader) {
  FIRN_CHECK(led_ && alone_ == nullptr);
  if (unfinished_.empty()) return true;
  alone_ = &leader;
  return false;
}

void CommitLine::Refuse(CommitGroup& group) {
  FIRN_CHECK(led_ && alone_ == nullptr);
  Dismiss(group);
  led_ = false;
  PassOn();
}

void CommitLine::Begin(CommitGroup& group) {
  FIRN_CHECK(led_ && alone_ == nullptr && writing_ < slots_);
  unfinished_.push_back(&group);
  ++writing_;
  led_ = false;
  PassOn();
}

bool CommitLine::EndWrite(CommitGroup& group) {
  FIRN_CHECK(writing_ > 0 && !group.written);
  group.written = true;
  --writing_;
  PassOn();
  return unfinished_.front() == &group;
}

void CommitLine::Finish(CommitGroup& group) {
  FIRN_CHECK(!unfinished_.empty() && unfinished_.front() == &group && group.written);
  unfinished_.pop_front();
  Dismiss(group);
  if (!unfinished_.empty()) {
    CommitGroup& next = *unfinished_.front();
    if (next.written) Tell(*next.members.front(), CommitSignal::kTurn);
  } else if (alone_ != nullptr) {
    CommitWaiter* const leader = alone_;
    alone_ = nullptr;
    Tell(*leader, CommitSignal::kAlone);
  }
}

// The members may be gone as soon as they are told.
void CommitLine::Dismiss(CommitGroup& group) {
  for (size_t i = 1; i < group.members.size(); ++i) Tell(*group.members[i], CommitSignal::kDone);
  group.members.clear();
}

void CommitLine::CheckInvariants() const {
  FIRN_CHECK(writing_ <= slots_);
  FIRN_CHECK(led_ || waiting_.empty() || writing_ == slots_);
  FIRN_CHECK(alone_ == nullptr || (led_ && !unfinished_.empty()));
  size_t unwritten = 0;
  for (const CommitGroup* group : unfinished_) unwritten += group->written ? 0 : 1;
  FIRN_CHECK(unwritten == writing_);
}

}  // namespace firn
