#include "engine/commit_queue.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct TestRequest : CommitRequest {
  explicit TestRequest(std::string bytes, uint64_t entries = 1,
                       Durability wanted = Durability::kSynced)
      : storage(std::move(bytes)) {
    encoded = storage;
    count = entries;
    durability = wanted;
  }
  const std::string storage;
};

// One request, as the target saw it take effect.
struct Applied {
  std::string bytes;
  SequenceNumber first;
  uint64_t count = 0;
  friend bool operator==(const Applied&, const Applied&) = default;
};

// Checks the contract of CommitTarget from its own side, and misbehaves when told to. The hooks are
// set before the queue is used.
class FakeTarget : public CommitTarget {
 public:
  std::function<absl::StatusOr<Room>(const CommitBatch&)> prepare;
  std::function<absl::Status(const CommitBatch&)> make_room, reserve, write_log, settle;
  std::function<void(const CommitBatch&)> validate;
  std::function<void()> pause = [] {};  // within every call

  absl::StatusOr<Room> Prepare(const CommitBatch& batch) override {
    const Alone leader(leading_, "two leaders");
    pause();
    return prepare ? prepare(batch) : Room::kReady;
  }
  absl::Status MakeRoom(const CommitBatch& batch) override {
    const Alone leader(leading_, "two leaders");
    EXPECT_EQ(writing_.load(), 0) << "not alone";
    EXPECT_EQ(settling_.load(), 0) << "not alone";
    pause();
    EXPECT_EQ(writing_.load(), 0) << "not alone";
    return make_room ? make_room(batch) : absl::OkStatus();
  }
  void Validate(const CommitBatch& batch) override {
    const Alone leader(leading_, "two leaders");
    if (validate) validate(batch);
    pause();
  }
  absl::Status Reserve(CommitBatch& batch) override {
    const Alone leader(leading_, "two leaders");
    EXPECT_TRUE(batch.logged);
    EXPECT_GT(batch.first_sequence, last_reserved_) << "order in the log";
    last_reserved_ = batch.last_sequence;
    batch.place.offset = ++reserved_;
    return reserve ? reserve(batch) : absl::OkStatus();
  }
  absl::Status WriteLog(const CommitBatch& batch) override {
    EXPECT_LE(writing_.fetch_add(1) + 1, writing_max);
    uint64_t size = 0;
    for (const ByteSpan piece : batch.pieces) size += piece.size();
    EXPECT_EQ(size, batch.size);
    bool synced = false;
    for (const CommitRequest* request : batch.requests) {
      synced = synced || request->durability == Durability::kSynced;
      EXPECT_NE(request->durability, Durability::kVolatile);
    }
    EXPECT_EQ(batch.synced, synced);
    pause();
    const absl::Status status = write_log ? write_log(batch) : absl::OkStatus();
    writing_.fetch_sub(1);
    return status;
  }
  absl::Status Settle(const CommitBatch& batch) override {
    const Alone turn(settling_, "two groups take effect at once");
    pause();
    return settle ? settle(batch) : absl::OkStatus();
  }
  void Apply(const CommitRequest& request) override {
    const Alone turn(settling_, "two groups take effect at once");
    EXPECT_EQ(request.first_sequence.value, next_to_apply_) << "order of effects";
    next_to_apply_ = request.first_sequence.value + request.count;
    applied_.push_back({std::string(request.encoded), request.first_sequence, request.count});
    pause();
  }
  void Publish(SequenceNumber last_sequence) override {
    EXPECT_EQ(last_sequence.value + 1, next_to_apply_);
    published.store(last_sequence.value);
  }

  const std::vector<Applied>& applied() const { return applied_; }

  std::atomic<uint64_t> published{0};
  int writing_max = 1;

 private:
  class Alone {
   public:
    Alone(std::atomic<int>& inside, const char* what) : inside_(inside) {
      EXPECT_EQ(inside_.fetch_add(1), 0) << what;
    }
    ~Alone() { inside_.fetch_sub(1); }

   private:
    std::atomic<int>& inside_;
  };

  std::atomic<int> leading_{0};
  std::atomic<int> writing_{0};
  std::atomic<int> settling_{0};
  SequenceNumber last_reserved_;  // the leader's
  uint64_t reserved_ = 0;         // the leader's
  uint64_t next_to_apply_ = 1;    // of the group whose turn it is
  std::vector<Applied> applied_;  // the same
};

CommitQueueOptions InFlight(size_t flushes) { return {.flushes_in_flight = flushes}; }

TEST(CommitQueueTest, AWriteIsNumberedLoggedAppliedAndPublished) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {});
  TestRequest first("one", 3);
  TestRequest second("two");
  ASSERT_OK(queue.Commit(first));
  ASSERT_OK(queue.Commit(second));
  EXPECT_THAT(target.applied(), ElementsAre(Applied{"one", {1}, 3}, Applied{"two", {4}, 1}));
  EXPECT_EQ(first.first_sequence, SequenceNumber{1});
  EXPECT_EQ(target.published.load(), 4u);
  EXPECT_EQ(queue.counters().groups, 2u);
}

// Holds the first flush back until `others` writers stand in line behind it, so that the next group
// is known.
void CommitTogether(CommitQueue& queue, FakeTarget& target, TestRequest& first,
                    std::vector<TestRequest*> others) {
  std::atomic<bool> go{false};
  std::atomic<int> writes{0};
  target.write_log = [&](const CommitBatch&) {
    if (writes.fetch_add(1) == 0) {
      while (!go.load()) std::this_thread::yield();
    }
    return absl::OkStatus();
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_OK(queue.Commit(first)); });
  while (writes.load() == 0) std::this_thread::yield();
  for (TestRequest* const other : others) {
    const size_t waiting = queue.waiting();
    threads.emplace_back([&queue, other] { queue.Commit(*other).IgnoreError(); });
    while (queue.waiting() == waiting) std::this_thread::yield();
  }
  go.store(true);
  for (std::thread& thread : threads) thread.join();
  target.write_log = nullptr;  // it knows this frame
}

TEST(CommitQueueTest, WhatWaitsBecomesOneGroupAndOneSync) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {});
  TestRequest first("first");
  TestRequest a("a", 2, Durability::kBuffered), b("b", 1, Durability::kSynced), c("c", 5);
  CommitTogether(queue, target, first, {&a, &b, &c});
  EXPECT_EQ(queue.counters().groups, 2u);
  EXPECT_EQ(queue.counters().requests, 4u);
  EXPECT_THAT(target.applied(), ElementsAre(Applied{"first", {1}, 1}, Applied{"a", {2}, 2},
                                            Applied{"b", {4}, 1}, Applied{"c", {5}, 5}));
}

TEST(CommitQueueTest, VolatileWritesTakeTheirPlaceInOrderAndNoneInTheLog) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {});
  TestRequest first("first");
  TestRequest a("a", 2, Durability::kVolatile), b("b", 1, Durability::kVolatile), c("c");
  CommitTogether(queue, target, first, {&a, &b, &c});
  EXPECT_EQ(queue.counters().groups, 3u);
  EXPECT_THAT(target.applied(), ElementsAre(Applied{"first", {1}, 1}, Applied{"a", {2}, 2},
                                            Applied{"b", {4}, 1}, Applied{"c", {5}, 1}));
}

TEST(CommitQueueTest, AGroupTakesAtMostItsSize) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {.group_size_max = 100});
  TestRequest first("first");
  TestRequest a(std::string(60, 'a')), b(std::string(40, 'b')), c("c"), d(std::string(200, 'd'));
  CommitTogether(queue, target, first, {&a, &b, &c, &d});
  EXPECT_EQ(queue.counters().groups, 4u) << "first, a b, c, d";
}

// Refuses the requests whose bytes are among `unwanted`.
std::function<void(const CommitBatch&)> Refusing(std::vector<std::string> unwanted) {
  return [unwanted = std::move(unwanted)](const CommitBatch& batch) {
    for (CommitRequest* const request : batch.requests) {
      if (std::count(unwanted.begin(), unwanted.end(), std::string(request->encoded)) > 0) {
        request->status = absl::AbortedError("lost");
      }
    }
  };
}

TEST(CommitQueueTest, ARefusedMemberTakesNoNumberAndTheOthersGoOn) {
  // The leader of the group, one in its middle, its last; all but one.
  for (const std::vector<std::string>& unwanted :
       {std::vector<std::string>{"a"}, {"b"}, {"c"}, {"a", "b"}, {"b", "c"}}) {
    FakeTarget target;
    target.validate = Refusing(unwanted);
    SystemClock clock;
    CommitQueue queue(target, clock, {0}, {});
    TestRequest first("first");
    TestRequest a("a", 2, Durability::kBuffered), b("b", 3), c("c", 5, Durability::kBuffered);
    CommitTogether(queue, target, first, {&a, &b, &c});
    std::vector<Applied> expected = {{"first", {1}, 1}};
    uint64_t next = 2;
    for (const TestRequest* const request : {&a, &b, &c}) {
      const bool refused = std::count(unwanted.begin(), unwanted.end(), request->storage) > 0;
      EXPECT_EQ(absl::IsAborted(request->status), refused) << request->storage;
      if (refused) continue;
      EXPECT_OK(request->status);
      expected.push_back({request->storage, {next}, request->count});
      next += request->count;
    }
    EXPECT_EQ(target.applied(), expected);
    EXPECT_EQ(queue.counters().groups, 2u);
    EXPECT_OK(queue.error());
  }
}

TEST(CommitQueueTest, AGroupWhoseMembersAreAllRefusedWritesNothingAndMayComeAgain) {
  FakeTarget target;
  target.validate = Refusing({"a", "b"});
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {});
  TestRequest first("first"), a("a"), b("b");
  CommitTogether(queue, target, first, {&a, &b});
  EXPECT_THAT(a.status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(b.status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(queue.counters().groups, 1u);
  target.validate = nullptr;
  ASSERT_OK(queue.Commit(a));
  EXPECT_THAT(target.applied(), ElementsAre(Applied{"first", {1}, 1}, Applied{"a", {2}, 1}));
}

TEST(CommitQueueTest, AnIoErrorFailsItsGroupAndAllLaterOnes) {
  for (const int where : {0, 1, 2}) {
    FakeTarget target;
    SystemClock clock;
    CommitQueue queue(target, clock, {0}, {});
    TestRequest good("good");
    ASSERT_OK(queue.Commit(good));
    const auto fail = [](const CommitBatch&) { return ErrnoStatus(EIO, "scripted"); };
    (where == 0 ? target.reserve : where == 1 ? target.write_log : target.settle) = fail;
    TestRequest bad("bad");
    const absl::Status failed = queue.Commit(bad);
    EXPECT_THAT(failed, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("scripted")));
    EXPECT_THAT(failed, HasReason(ErrorReason::kIo));
    target.reserve = target.write_log = target.settle = nullptr;
    TestRequest later("later");
    const absl::Status poisoned = queue.Commit(later);
    EXPECT_THAT(poisoned, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("scripted")));
    EXPECT_THAT(poisoned, HasReason(ErrorReason::kPoisoned));
    EXPECT_EQ(queue.error(), poisoned);
    EXPECT_THAT(target.applied(), ElementsAre(Applied{"good", {1}, 1}));
    EXPECT_EQ(target.published.load(), 1u);
    bool ran = false;
    EXPECT_OK(queue.Exclusive([&](SequenceNumber) {
      ran = true;
      return absl::OkStatus();
    }));
    EXPECT_TRUE(ran) << "closing works";
  }
}

TEST(CommitQueueTest, AFullDiskFailsOneGroupAndTakesNoNumber) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {});
  target.prepare = [](const CommitBatch&) { return ErrnoStatus(ENOSPC, "scripted"); };
  TestRequest refused("refused");
  EXPECT_THAT(queue.Commit(refused), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK(queue.error());
  target.prepare = [](const CommitBatch&) { return CommitTarget::Room::kAlone; };
  target.make_room = [](const CommitBatch&) { return ErrnoStatus(ENOSPC, "scripted"); };
  TestRequest again("again");
  EXPECT_THAT(queue.Commit(again), StatusIs(absl::StatusCode::kResourceExhausted));
  target.make_room = nullptr;
  TestRequest good("good");
  ASSERT_OK(queue.Commit(good));
  EXPECT_THAT(target.applied(), ElementsAre(Applied{"good", {1}, 1}));
  target.make_room = [](const CommitBatch&) { return ErrnoStatus(EIO, "scripted"); };
  TestRequest broken("broken");
  EXPECT_THAT(queue.Commit(broken), HasReason(ErrorReason::kIo));
  EXPECT_THAT(queue.error(), HasReason(ErrorReason::kPoisoned));
}

TEST(CommitQueueTest, AnErrorFromElsewherePoisonsLaterWrites) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {0}, {});
  queue.Poison(ErrnoStatus(EIO, "the manifest"));
  queue.Poison(ErrnoStatus(ENOSPC, "something later"));
  TestRequest request("request");
  EXPECT_THAT(queue.Commit(request),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the manifest")));
  EXPECT_TRUE(target.applied().empty());
}

TEST(CommitQueueTest, ExclusiveGetsTheLastNumberAndItsErrorDoesNotStick) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {41}, {});
  SequenceNumber seen;
  EXPECT_THAT(queue.Exclusive([&](SequenceNumber last) {
    seen = last;
    return absl::AbortedError("no");
  }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(seen, SequenceNumber{41});
  EXPECT_OK(queue.error());
}

TEST(CommitQueueTest, NumbersOfAnExclusiveActionAreUsedIfItSucceeds) {
  FakeTarget target;
  SystemClock clock;
  CommitQueue queue(target, clock, {41}, {});
  std::vector<uint64_t> firsts;
  const auto refuse = [&](SequenceNumber first) {
    firsts.push_back(first.value);
    return absl::AbortedError("no");
  };
  EXPECT_THAT(queue.ExclusiveWithNumbers(3, refuse), StatusIs(absl::StatusCode::kAborted));
  EXPECT_OK(queue.ExclusiveWithNumbers(3, [&](SequenceNumber first) {
    firsts.push_back(first.value);
    return absl::OkStatus();
  }));
  EXPECT_THAT(firsts, ElementsAre(42, 42));
  EXPECT_THAT(queue.ExclusiveWithNumbers(1, refuse), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(firsts, ElementsAre(42, 42, 45));
  queue.Poison(absl::UnavailableError("broken"));
  EXPECT_THAT(queue.ExclusiveWithNumbers(1, refuse), HasReason(ErrorReason::kPoisoned));
  EXPECT_EQ(firsts.size(), 3u) << "it was not run";
}

// The earlier of two groups in flight fails after the later one has been written: the later one must
// not take effect. The other way round, the earlier one does.
TEST(CommitQueueTest, GroupsInFlightTakeEffectInOrderOrNotAtAll) {
  for (const size_t failing : {size_t{1}, size_t{2}, size_t{3}}) {
    FakeTarget target;
    target.writing_max = 2;
    SystemClock clock;
    CommitQueue queue(target, clock, {0}, InFlight(2));
    std::atomic<int> writing{0};
    std::atomic<bool> second_written{false};
    target.write_log = [&](const CommitBatch& batch) {
      writing.fetch_add(1);
      const bool is_first = batch.place.offset == 1;
      // The first waits for the second to be written.
      while (is_first && !second_written.load()) std::this_thread::yield();
      if (!is_first) second_written.store(true);
      return batch.place.offset == failing ? ErrnoStatus(EIO, "scripted") : absl::OkStatus();
    };
    TestRequest first("first"), second("second");
    absl::Status first_status;
    std::thread thread([&] { first_status = queue.Commit(first); });
    while (writing.load() == 0) std::this_thread::yield();
    const absl::Status second_status = queue.Commit(second);
    thread.join();
    EXPECT_EQ(first_status.ok(), failing != 1);
    EXPECT_EQ(second_status.ok(), failing == 3);
    EXPECT_EQ(target.applied().size(), failing == 1 ? 0u : failing == 2 ? 1u : 2u);
    if (failing == 1) {
      EXPECT_THAT(second_status, HasReason(ErrorReason::kPoisoned));
    }
  }
}

// Random stops inside the target's calls: nothing, a yield, or a short sleep.
void PauseAtRandom(uint64_t seed) {
  static std::atomic<uint64_t> calls{0};
  Random random(seed + calls.fetch_add(1, std::memory_order_relaxed));
  const uint64_t choice = random.Uniform(16);
  if (choice == 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(300)));
  } else if (choice < 6) {
    std::this_thread::yield();
  }
}

struct Crowd {
  size_t threads = 64;
  int writes = 16;
  size_t flushes_in_flight = 1;
  uint64_t fail_at_write = UINT64_MAX;  // number of the flush that fails
};

// Writers of all durabilities, exclusive actions, groups that need to be alone, refusals.
void RunCrowd(const Crowd& crowd, uint64_t seed) {
  FakeTarget target;
  target.writing_max = static_cast<int>(crowd.flushes_in_flight);
  target.pause = [seed] { PauseAtRandom(seed); };
  Random leader_random(seed);  // used by the one leader alone
  target.prepare = [&](const CommitBatch&) -> absl::StatusOr<CommitTarget::Room> {
    if (leader_random.OneIn(20)) return absl::ResourceExhaustedError("scripted: full");
    return leader_random.OneIn(10) ? CommitTarget::Room::kAlone : CommitTarget::Room::kReady;
  };
  target.write_log = [&](const CommitBatch& batch) {
    return batch.place.offset == crowd.fail_at_write ? ErrnoStatus(EIO, "scripted")
                                                     : absl::OkStatus();
  };
  // Short yields, so that followers sleep and have to be woken.
  SystemClock clock;
  CommitQueue queue(target, clock, {0},
                    {.flushes_in_flight = crowd.flushes_in_flight,
                     .group_size_max = 200,
                     .yield_us_min = static_cast<uint32_t>(seed % 3 * 20),
                     .yield_us_max = static_cast<uint32_t>(seed % 3 * 100)});
  std::vector<std::vector<Applied>> succeeded(crowd.threads);
  std::atomic<uint64_t> exclusives{0};
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < crowd.threads; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(seed * 1000 + thread);
      for (int i = 0; i < crowd.writes; ++i) {
        if (random.OneIn(16)) {
          EXPECT_OK(queue.Exclusive([&](SequenceNumber last) {
            exclusives.fetch_add(1);
            EXPECT_LE(target.published.load(), last.value);
            return absl::OkStatus();
          }));
          continue;
        }
        const auto durability = static_cast<Durability>(1 + random.Uniform(3));
        TestRequest request(absl::StrCat(thread, ".", i, std::string(random.Uniform(60), 'x')),
                            1 + random.Uniform(4), durability);
        const absl::Status status = queue.Commit(request);
        if (!status.ok()) continue;
        EXPECT_GE(target.published.load(), request.first_sequence.value + request.count - 1);
        succeeded[thread].push_back({request.storage, request.first_sequence, request.count});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // What succeeded is what took effect.
  std::vector<Applied> all;
  for (const auto& of_thread : succeeded) all.insert(all.end(), of_thread.begin(), of_thread.end());
  std::sort(all.begin(), all.end(),
            [](const Applied& a, const Applied& b) { return a.first < b.first; });
  EXPECT_EQ(all, target.applied());
  EXPECT_EQ(queue.error().ok(), crowd.fail_at_write == UINT64_MAX);
  EXPECT_GT(exclusives.load(), 0u);
  EXPECT_FALSE(all.empty());
}

TEST(CommitQueueTest, ACrowdIsServedInOneOrderAndNobodyIsForgotten) {
  for (const size_t in_flight : {size_t{1}, size_t{2}, size_t{4}}) {
    for (uint64_t seed = 1; seed <= 2; ++seed) RunCrowd({.flushes_in_flight = in_flight}, seed);
  }
}

TEST(CommitQueueTest, ACrowdOfFewMeetsAtEveryStep) {
  for (const size_t in_flight : {size_t{1}, size_t{2}, size_t{4}}) {
    for (const size_t threads : {size_t{2}, size_t{5}}) {
      RunCrowd({.threads = threads, .writes = 50, .flushes_in_flight = in_flight}, threads);
    }
  }
}

TEST(CommitQueueTest, ACrowdWhoseLogBreaksGetsExactlyWhatCameBefore) {
  for (const size_t in_flight : {size_t{1}, size_t{2}, size_t{4}}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      RunCrowd(
          {.threads = 16, .writes = 30, .flushes_in_flight = in_flight, .fail_at_write = 10 + seed},
          seed);
    }
  }
}

TEST(CommitQueueTest, YieldingEndsThoughTheClockStandsStill) {
  FakeTarget target;
  target.pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(3)); };
  ManualClock clock;
  CommitQueue queue(target, clock, {0}, {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      TestRequest request("request");
      EXPECT_OK(queue.Commit(request));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(target.published.load(), 4u);
}

}  // namespace
}  // namespace firn
