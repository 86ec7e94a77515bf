// engine/commit_line.h: who leads, which group is next, whose turn it is. The protocol of the commit
// queue without its threads, so that a test can walk through every interleaving of its steps.
//
// Writers stand in line. A group is a run of them from the front. Its leader passes four steps; each
// is one call here, under the queue's lock:
//
//     Enter        joins the line; leads at once if nobody leads and a flush slot is free
//     TakeGroup    closes the group (then, without the lock: room is made, the place reserved)
//     Begin        numbers are given, in order; the leadership passes on if a slot is free
//                  (then, without the lock: the log is written)
//     EndWrite     the flush slot is free again; true: it is this group's turn to take effect
//                  (if not, kTurn is signalled later; then, without the lock: applied, published)
//     Finish       the members are done; the next group's turn comes
//
// A group that is refused between TakeGroup and Begin leaves by Refuse. An exclusive writer is a
// group of its own that waits (AwaitAlone) until no group is unfinished, and leaves by Refuse too;
// a leader that needs to be alone to make room does the same between TakeGroup and Begin.
// Invariants (FIRN_CHECK):
//   1. At most one leader; at most `slots` groups between Begin and EndWrite.
//   2. Groups finish in the order in which they began.
//   3. No lost wake-up: after every step, if nobody leads, the line is not empty and a slot is free,
//      then its front has been told to lead; the oldest unfinished group, once written, has the
//      turn; a leader that waits to be alone is told when the last group finishes.
#ifndef FIRN_ENGINE_COMMIT_LINE_H_
#define FIRN_ENGINE_COMMIT_LINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace firn {

struct CommitRequest;

// What a waiting writer is told. Each is told at most one thing at a time.
enum class CommitSignal : uint32_t {
  kNone = 0,
  kLead = 1,    // you lead: TakeGroup
  kTurn = 2,    // your group takes effect now
  kAlone = 3,   // no other group is unfinished
  kDone = 4,    // your write is over; its status is set
  kAsleep = 5,  // the writer's own, in place of kNone: it sleeps until the signal changes
};

// One writer; lives on its thread's stack. The line touches it for the last time when it tells kDone.
struct CommitWaiter {
  size_t size = 0;                   // bytes that it adds to its group
  uint8_t kind = 0;                  // only writers of one kind share a group
  bool exclusive = false;            // its own group, while no other is unfinished
  CommitRequest* request = nullptr;  // the queue's; the line does not look at it

  // kNone or kAsleep while the writer has to wait. Told under the queue's lock, read without it.
  std::atomic<CommitSignal> signal{CommitSignal::kNone};
};

// Belongs to the leader, on its stack.
struct CommitGroup {
  std::vector<CommitWaiter*> members;  // the leader first
  size_t size = 0;
  bool written = false;  // EndWrite has been called
};

// Externally locked.
class CommitLine {
 public:
  CommitLine(size_t slots, size_t group_size_max)
      : slots_(slots), group_size_max_(group_size_max) {}

  void Enter(CommitWaiter& waiter);
  // `leader` is at the front of the line and was told kLead.
  void TakeGroup(CommitWaiter& leader, CommitGroup& group);
  // True: no group is unfinished. False: `leader` will be told kAlone.
  bool AwaitAlone(CommitWaiter& leader);
  // The group leaves without taking effect; tells all members but the leader kDone.
  void Refuse(CommitGroup& group);
  void Begin(CommitGroup& group);
  // True: it is this group's turn. False: its leader will be told kTurn.
  bool EndWrite(CommitGroup& group);
  // Tells all members but the leader kDone.
  void Finish(CommitGroup& group);

  // The signals of those that were told something while they slept, the most urgent one last: whoever
  // holds the lock takes them, and wakes them without it. They are addresses to wake, no more: who has
  // been told that it is done may be gone.
  std::vector<std::atomic<CommitSignal>*>& to_wake() { return to_wake_; }

  size_t waiting() const { return waiting_.size(); }
  bool idle() const { return waiting_.empty() && !led_ && unfinished_.empty(); }
  // Invariant 3, and the counts.
  void CheckInvariants() const;

 private:
  // Lets the front of the line lead, if it may.
  void PassOn();
  void Dismiss(CommitGroup& group);
  void Tell(CommitWaiter& waiter, CommitSignal what);

  const size_t slots_;
  const size_t group_size_max_;
  std::deque<CommitWaiter*> waiting_;    // not yet in a group
  std::deque<CommitGroup*> unfinished_;  // begun, in order
  size_t writing_ = 0;                   // of those, not yet written
  bool led_ = false;                     // somebody leads, from kLead to Begin or Refuse
  CommitWaiter* alone_ = nullptr;        // the leader that waits to be alone
  std::vector<std::atomic<CommitSignal>*> to_wake_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_COMMIT_LINE_H_
