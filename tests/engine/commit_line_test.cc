#include "engine/commit_line.h"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

// A model of the commit queue's threads: each is a program of the steps that CommitQueue makes under
// its lock, and waits for a signal in between. The explorer walks through every interleaving of the
// steps (states seen before are not walked again) and asks of each that the invariants hold, and of
// each end that all threads are done: a lost wake-up is a state in which nobody can move.
enum class Role : uint8_t {
  kCommit,     // a group member, or leader of a group that has room
  kRefused,    // its group is refused if it leads
  kNeedsRoom,  // must be alone before its group begins, if it leads
  kExclusive,
};

struct Setup {
  size_t slots = 1;
  std::vector<Role> threads;
  size_t rounds = 1;          // writes of each thread
  size_t group_size_max = 2;  // writers in a group
};

enum class At : uint8_t { kStart, kInLine, kTaken, kAwaitAlone, kBegun, kAwaitTurn, kMyTurn, kEnd };

struct Thread {
  Role role = Role::kCommit;
  uint8_t kind = 0;
  At at = At::kStart;
  size_t rounds_left = 0;
  std::unique_ptr<CommitWaiter> waiter;
  CommitGroup group;
};

class Model {
 public:
  explicit Model(const Setup& setup) : setup_(setup), line_(setup.slots, setup.group_size_max) {
    for (const Role role : setup.threads) {
      threads_.emplace_back();
      threads_.back().role = role;
      threads_.back().rounds_left = setup.rounds;
    }
    // The last of several committers is of another kind (kVolatile), and shares no group.
    if (setup.threads.size() > 2 && threads_.back().role == Role::kCommit) threads_.back().kind = 1;
  }

  size_t size() const { return threads_.size(); }

  bool CanMove(size_t index) const {
    const Thread& thread = threads_[index];
    switch (thread.at) {
      case At::kInLine:
      case At::kAwaitAlone:
      case At::kAwaitTurn:
        return thread.waiter->signal.load() != CommitSignal::kNone;
      case At::kEnd:
        return false;
      default:
        return true;
    }
  }

  void Move(size_t index) {
    Thread& thread = threads_[index];
    switch (thread.at) {
      case At::kStart:
        thread.waiter = std::make_unique<CommitWaiter>();
        thread.waiter->size = 1;
        thread.waiter->kind = thread.kind;
        thread.waiter->exclusive = thread.role == Role::kExclusive;
        thread.at = At::kInLine;
        line_order_.push_back(index);
        line_.Enter(*thread.waiter);
        break;
      case At::kInLine:
        MoveTold(index, thread);
        break;
      case At::kTaken:
        MoveLeader(index, thread);
        break;
      case At::kAwaitAlone:
        Expect(Take(thread) == CommitSignal::kAlone, "told something else than kAlone");
        FinishAlone(index, thread);
        break;
      case At::kBegun:
        thread.at = line_.EndWrite(thread.group) ? At::kMyTurn : At::kAwaitTurn;
        break;
      case At::kAwaitTurn:
        Expect(Take(thread) == CommitSignal::kTurn, "told something else than kTurn");
        thread.at = At::kMyTurn;
        break;
      case At::kMyTurn:
        Expect(!begun_.empty() && begun_.front() == index, "groups finish out of order");
        begun_.erase(begun_.begin());
        line_.Finish(thread.group);
        EndRound(thread);
        break;
      case At::kEnd:
        Expect(false, "moved after its end");
    }
    line_.CheckInvariants();
    CheckExclusion();
  }

  bool AllDone() const {
    return line_.idle() && std::all_of(threads_.begin(), threads_.end(),
                                       [](const Thread& thread) { return thread.at == At::kEnd; });
  }

  // All that the future depends on.
  std::string Fingerprint() const {
    std::string print;
    for (const Thread& thread : threads_) {
      absl::StrAppend(&print, static_cast<int>(thread.at), ".", thread.rounds_left, ".",
                      thread.waiter ? static_cast<int>(thread.waiter->signal.load()) : 9, "(");
      for (const CommitWaiter* member : thread.group.members) {
        absl::StrAppend(&print, IndexOf(member));
      }
      absl::StrAppend(&print, ")");
    }
    absl::StrAppend(&print, "line ");
    for (const size_t index : line_order_) absl::StrAppend(&print, index);
    absl::StrAppend(&print, " begun ");
    for (const size_t index : begun_) absl::StrAppend(&print, index);
    return print;
  }

  const std::string& complaint() const { return complaint_; }

 private:
  CommitSignal Take(Thread& thread) { return thread.waiter->signal.exchange(CommitSignal::kNone); }

  void Expect(bool holds, const char* what) {
    if (!holds && complaint_.empty()) complaint_ = what;
  }

  void MoveTold(size_t index, Thread& thread) {
    const CommitSignal told = Take(thread);
    if (told == CommitSignal::kDone) {
      EndRound(thread);
      return;
    }
    Expect(told == CommitSignal::kLead, "told something else than kLead or kDone");
    line_.TakeGroup(*thread.waiter, thread.group);
    Expect(thread.group.members.front() == thread.waiter.get(), "the leader is not in its group");
    Expect(thread.group.members.size() <= setup_.group_size_max, "the group is too large");
    for (const CommitWaiter* member : thread.group.members) {
      Expect(member->kind == thread.kind, "a group of two kinds");
      Expect(!member->exclusive || thread.group.members.size() == 1, "exclusive in a group");
      const size_t first = line_order_.front();
      Expect(IndexOf(member) == first, "taken out of order");
      line_order_.erase(line_order_.begin());
    }
    thread.at = At::kTaken;
    leader_ = index;
  }

  void MoveLeader(size_t index, Thread& thread) {
    switch (thread.role) {
      case Role::kCommit:
        Begin(index, thread);
        break;
      case Role::kRefused:
        line_.Refuse(thread.group);
        leader_ = kNobody;
        EndRound(thread);
        break;
      case Role::kNeedsRoom:
      case Role::kExclusive:
        if (line_.AwaitAlone(*thread.waiter)) {
          FinishAlone(index, thread);
        } else {
          thread.at = At::kAwaitAlone;
        }
        break;
    }
  }

  void FinishAlone(size_t index, Thread& thread) {
    Expect(begun_.empty(), "not alone");
    if (thread.role == Role::kNeedsRoom) {
      Begin(index, thread);
      return;
    }
    line_.Refuse(thread.group);
    leader_ = kNobody;
    EndRound(thread);
  }

  void Begin(size_t index, Thread& thread) {
    Expect(leader_ == index, "begins without leading");
    leader_ = kNobody;
    begun_.push_back(index);
    line_.Begin(thread.group);
    thread.at = At::kBegun;
  }

  void EndRound(Thread& thread) {
    thread.waiter.reset();
    thread.group = CommitGroup();
    --thread.rounds_left;
    thread.at = thread.rounds_left == 0 ? At::kEnd : At::kStart;
  }

  void CheckExclusion() {
    size_t leading = 0;
    size_t writing = 0;
    for (const Thread& thread : threads_) {
      leading += thread.at == At::kTaken || thread.at == At::kAwaitAlone ? 1 : 0;
      writing += thread.at == At::kBegun ? 1 : 0;
    }
    Expect(leading <= 1, "two leaders");
    Expect(writing <= setup_.slots, "more groups in flight than slots");
  }

  size_t IndexOf(const CommitWaiter* waiter) const {
    for (size_t i = 0; i < threads_.size(); ++i) {
      if (threads_[i].waiter.get() == waiter) return i;
    }
    return threads_.size();
  }

  static constexpr size_t kNobody = SIZE_MAX;

  const Setup setup_;
  CommitLine line_;
  std::vector<Thread> threads_;
  std::vector<size_t> line_order_;  // who stands in line
  std::vector<size_t> begun_;       // leaders of unfinished groups
  size_t leader_ = kNobody;
  std::string complaint_;
};

struct Explored {
  size_t states = 0;
  size_t ends = 0;
  std::string complaint;  // with the path that leads to it
};

std::string PathText(const std::vector<size_t>& path) {
  std::string text;
  for (const size_t index : path) absl::StrAppend(&text, index, " ");
  return text;
}

// Depth first. The line holds pointers to its waiters, so a state is reached by its path.
Explored Explore(const Setup& setup) {
  Explored explored;
  std::unordered_set<std::string> seen;
  std::vector<std::vector<size_t>> open = {{}};
  while (!open.empty() && explored.complaint.empty()) {
    const std::vector<size_t> path = std::move(open.back());
    open.pop_back();
    Model model(setup);
    for (const size_t index : path) model.Move(index);
    if (!seen.insert(model.Fingerprint()).second) continue;
    ++explored.states;
    bool moves = false;
    for (size_t index = 0; index < model.size(); ++index) {
      if (!model.CanMove(index)) continue;
      moves = true;
      open.push_back(path);
      open.back().push_back(index);
    }
    if (!model.complaint().empty()) explored.complaint = model.complaint();
    if (!moves) {
      ++explored.ends;
      if (!model.AllDone()) explored.complaint = "nobody can move, and not all are done";
    }
    if (!explored.complaint.empty()) {
      absl::StrAppend(&explored.complaint, "; steps of threads: ", PathText(path));
    }
  }
  return explored;
}

void ExpectSound(const Setup& setup) {
  const Explored explored = Explore(setup);
  EXPECT_EQ(explored.complaint, "")
      << setup.slots << " slots, " << setup.threads.size() << " threads";
  EXPECT_GE(explored.ends, 1u);
  EXPECT_GT(explored.states, 50u);
}

constexpr Role C = Role::kCommit;
constexpr Role R = Role::kRefused;
constexpr Role N = Role::kNeedsRoom;
constexpr Role X = Role::kExclusive;

TEST(CommitLineTest, NoInterleavingOfCommitsLosesAWakeUp) {
  for (const size_t slots : {1u, 2u, 3u}) {
    ExpectSound({.slots = slots, .threads = {C, C}, .rounds = 3});
    ExpectSound({.slots = slots, .threads = {C, C, C}, .rounds = 2});
    ExpectSound({.slots = slots, .threads = {C, C, C, C}, .rounds = 1});
    ExpectSound({.slots = slots, .threads = {C, C, C, C}, .rounds = 1, .group_size_max = 1});
  }
}

TEST(CommitLineTest, NoInterleavingWithRefusalsLosesAWakeUp) {
  for (const size_t slots : {1u, 2u}) {
    ExpectSound({.slots = slots, .threads = {C, R, C}, .rounds = 2});
    ExpectSound({.slots = slots, .threads = {R, R, C, C}, .rounds = 1});
  }
}

TEST(CommitLineTest, NoInterleavingWithLeadersThatNeedToBeAloneLosesAWakeUp) {
  for (const size_t slots : {1u, 2u, 3u}) {
    ExpectSound({.slots = slots, .threads = {N, C, C}, .rounds = 2});
    ExpectSound({.slots = slots, .threads = {N, C, N, C}, .rounds = 1});
    ExpectSound({.slots = slots, .threads = {X, C, C}, .rounds = 2});
    ExpectSound({.slots = slots, .threads = {X, N, R, C}, .rounds = 1});
    ExpectSound({.slots = slots, .threads = {X, X, C, C}, .rounds = 1, .group_size_max = 1});
  }
}

TEST(CommitLineTest, AGroupEndsBeforeItsSizeAnotherKindOrAnExclusiveWriter) {
  CommitLine line(1, 10);
  std::vector<CommitWaiter> waiters(7);
  const size_t sizes[] = {25, 4, 6, 1, 1, 1, 1};
  for (size_t i = 0; i < waiters.size(); ++i) waiters[i].size = sizes[i];
  waiters[4].kind = 1;
  waiters[5].exclusive = true;
  for (CommitWaiter& waiter : waiters) line.Enter(waiter);
  std::vector<size_t> groups;
  size_t front = 0;
  while (front < waiters.size()) {
    ASSERT_EQ(waiters[front].signal.load(), CommitSignal::kLead) << front;
    CommitGroup group;
    line.TakeGroup(waiters[front], group);
    groups.push_back(group.members.size());
    front += group.members.size();
    line.Refuse(group);
  }
  // 25 alone is larger than a group; 4 + 6 fill one; then one before the other kind.
  EXPECT_EQ(groups, (std::vector<size_t>{1, 2, 1, 1, 1, 1}));
  EXPECT_TRUE(line.idle());
}

}  // namespace
}  // namespace firn
