#include "engine/run_in_transaction.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "firn/database.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TEST(BackoffTest, IsDrawnBelowALimitThatDoublesUpToItsMaximum) {
  Random random(1);
  const RunOptions options{.backoff_us_min = 100, .backoff_us_max = 1000};
  for (const auto& [attempt, limit] :
       std::vector<std::pair<uint32_t, int64_t>>{{2, 100}, {3, 200}, {5, 800}, {6, 1000}, {99, 1000}}) {
    int64_t greatest = 0;
    for (int i = 0; i < 1000; ++i) {
      greatest = std::max(greatest, BackoffBefore(attempt, options, random).count());
    }
    EXPECT_LE(greatest, limit);
    EXPECT_GT(greatest, limit * 9 / 10);
  }
  EXPECT_EQ(BackoffBefore(2, {.backoff_us_min = 0, .backoff_us_max = 0}, random).count(), 0);
}

class RunInTransactionTest : public ::testing::Test {
 protected:
  RunInTransactionTest() : store_(memory_, 1) {
    EXPECT_OK(store_.Open());
    notes_ = store_.Open("notes");
  }

  MemoryFileSystem memory_;
  SteppedStore store_;
  Keyspace notes_;
};

TEST_F(RunInTransactionTest, CommitsWhatTheWorkWrote) {
  ASSERT_OK(store_->RunInTransaction(
      [&](Transaction& transaction) { return transaction.Put(notes_, "k", "v"); }, {}));
  EXPECT_EQ(store_.Get("notes", "k"), "v");
}

TEST_F(RunInTransactionTest, RunsAgainAfterAConflictWithANewSnapshot) {
  int runs = 0;
  ASSERT_OK(store_->RunInTransaction(
      [&](Transaction& transaction) -> absl::Status {
        const auto seen = transaction.Get(notes_, "k");
        // Somebody else comes first, twice.
        if (++runs <= 2) FIRN_RETURN_IF_ERROR(store_.Put("notes", "k", absl::StrCat("other", runs)));
        return transaction.Put(notes_, "k", seen.ok() ? seen->ToString() + "+1" : "+1");
      },
      {}));
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(store_.Get("notes", "k"), "other2+1");
  EXPECT_EQ(store_->statistics().transactions_conflicted, 2u);
  EXPECT_EQ(store_->statistics().transactions_open, 0u);
}

TEST_F(RunInTransactionTest, GivesUpAfterItsAttemptsAndSaysSo) {
  int runs = 0;
  const absl::Status status = store_->RunInTransaction(
      [&](Transaction& transaction) -> absl::Status {
        FIRN_RETURN_IF_ERROR(store_.Put("notes", "k", absl::StrCat(++runs)));
        return transaction.Put(notes_, "k", "mine");
      },
      {.attempts_max = 4});
  EXPECT_EQ(runs, 4);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, HasSubstr("4 attempts")));
  EXPECT_THAT(status, HasReason(ErrorReason::kConflict));
  EXPECT_EQ(store_.Get("notes", "k"), "4");
}

TEST_F(RunInTransactionTest, AnErrorOfTheWorkRollsBackAndIsReturned) {
  const absl::Status status = store_->RunInTransaction(
      [&](Transaction& transaction) -> absl::Status {
        FIRN_RETURN_IF_ERROR(transaction.Put(notes_, "k", "v"));
        return absl::OutOfRangeError("not enough money");
      },
      {});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("money")));
  EXPECT_EQ(store_.Get("notes", "k"), "(absent)");
}

TEST_F(RunInTransactionTest, WorkThatRollsBackIsDone) {
  ASSERT_OK(store_->RunInTransaction(
      [&](Transaction& transaction) -> absl::Status {
        FIRN_RETURN_IF_ERROR(transaction.Put(notes_, "k", "v"));
        return transaction.Rollback();
      },
      {}));
  EXPECT_EQ(store_.Get("notes", "k"), "(absent)");
}

TEST_F(RunInTransactionTest, OptionsOutOfRangeAreNamed) {
  const auto nothing = [](Transaction&) { return absl::OkStatus(); };
  EXPECT_THAT(store_->RunInTransaction(nothing, {.attempts_max = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attempts_max")));
  EXPECT_THAT(store_->RunInTransaction(nothing, {.backoff_us_min = 2, .backoff_us_max = 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("backoff_us_min")));
  EXPECT_THAT(store_->RunInTransaction(nothing, {.durability = Durability::kVolatile}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("durability")));
  EXPECT_THAT(store_->RunInTransaction(nothing, {.transaction = {.write_bytes_max = 1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("write_bytes_max")));
  ASSERT_OK(store_->Close());
  EXPECT_THAT(store_->RunInTransaction(nothing, {}), HasReason(ErrorReason::kClosed));
}

TEST(RunInTransactionThreads, EightThreadsCountToTheirSum) {
  Options options;
  options.storage = Storage::kMemory;
  const auto database = Database::Open("store", options).value();
  const Keyspace counters = database->CreateKeyspace("counters", {}).value();
  constexpr int kThreads = 8, kIncrements = 250;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kIncrements; ++n) {
        EXPECT_OK(database->RunInTransaction(
            [&](Transaction& transaction) -> absl::Status {
              int value = 0;
              const auto now = transaction.Get(counters, "n");
              if (now.ok() && !absl::SimpleAtoi(now->view(), &value)) return absl::DataLossError("");
              return transaction.Put(counters, "n", absl::StrCat(value + 1));
            },
            {.durability = Durability::kBuffered, .attempts_max = 10'000}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counters.Get("n")->view(), absl::StrCat(kThreads * kIncrements));
  EXPECT_EQ(database->statistics().transactions_committed, uint64_t{kThreads * kIncrements});
}

}  // namespace
}  // namespace firn
