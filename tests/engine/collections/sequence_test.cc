#include "firn/sequence.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "firn/composite_key.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

class SequenceTest : public ::testing::Test {
 protected:
  SequenceTest() { Reopen(); }
  void Reopen() {
    database_.reset();
    database_ = Database::Open(folder_.File("store"), {}).value();
    counters_ = database_->OpenOrCreateKeyspace("sequences", {}).value();
  }
  std::unique_ptr<Sequence> Open(absl::string_view name, uint64_t block = 1) {
    return Sequence::Open(*database_, counters_, name,
                          {.block = block, .durability = Durability::kBuffered}).value();
  }

  TemporaryDirectory folder_;
  std::unique_ptr<Database> database_;
  Keyspace counters_;
};

TEST_F(SequenceTest, ADenseOneGoesOnWithoutAGapAfterReopening) {
  auto sequence = Open("invoices");
  for (uint64_t i = 1; i <= 5; ++i) EXPECT_THAT(sequence->Next(), IsOkAndHolds(i));
  sequence.reset();
  Reopen();
  EXPECT_THAT(Open("invoices")->Next(), IsOkAndHolds(6u));
  EXPECT_THAT(Open("drafts")->Next(), IsOkAndHolds(1u)) << "each name for itself";
}

TEST_F(SequenceTest, ABlockIsOneWriteAndItsRestIsAGapAfterReopening) {
  auto sequence = Open("invoices", 100);
  const uint64_t before = database_->last_sequence();
  for (uint64_t i = 1; i <= 100; ++i) EXPECT_THAT(sequence->Next(), IsOkAndHolds(i));
  EXPECT_EQ(database_->last_sequence(), before + 1);
  EXPECT_THAT(sequence->Next(), IsOkAndHolds(101u));
  sequence.reset();
  Reopen();
  EXPECT_THAT(Open("invoices", 100)->Next(), IsOkAndHolds(201u));
}

TEST_F(SequenceTest, EightThreadsAndTwoObjectsGetEachNumberOnce) {
  for (const uint64_t block : {uint64_t{1}, uint64_t{10}}) {
    const std::string name = block == 1 ? "dense" : "blocks";
    const auto first = Open(name, block), second = Open(name, block);
    std::mutex mutex;
    std::vector<uint64_t> all;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        uint64_t last = 0;
        for (int n = 0; n < 100; ++n) {
          const auto number = (i % 2 == 0 ? first : second)->Next();
          ASSERT_OK(number);
          EXPECT_GT(*number, last);
          last = *number;
          const std::lock_guard<std::mutex> lock(mutex);
          all.push_back(*number);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "none twice";
    if (block == 1) {
      EXPECT_EQ(all.back(), 800u) << "no gap";
    }
  }
}

TEST_F(SequenceTest, ANumberOfATransactionIsGivenOnlyIfItCommits) {
  for (const bool commits : {false, true}) {
    const auto transaction = database_->BeginTransaction({}).value();
    EXPECT_THAT(NextInTransaction(*transaction, counters_, "invoices"), IsOkAndHolds(1u));
    EXPECT_THAT(NextInTransaction(*transaction, counters_, "invoices"), IsOkAndHolds(2u));
    ASSERT_OK(commits ? transaction->Commit(Durability::kBuffered) : transaction->Rollback());
  }
  EXPECT_THAT(Open("invoices")->Next(), IsOkAndHolds(3u));
}

TEST_F(SequenceTest, AStoredValueThatIsNoNumberIsAnErrorUntilItIsReset) {
  const auto open = Open("invoices");
  WriteBatch batch;
  batch.Put(counters_, "invoices", "12");
  ASSERT_OK(database_->Write(batch, Durability::kBuffered));
  EXPECT_THAT(open->Next(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("invoices")));
  EXPECT_THAT(Sequence::Open(*database_, counters_, "invoices", {}).status(),
              HasReason(ErrorReason::kCorruption));
  EXPECT_THAT(ListSequences(counters_), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK(ResetSequence(*database_, counters_, "invoices", 41));
  EXPECT_THAT(open->Next(), IsOkAndHolds(42u));
  const auto listed = ListSequences(counters_).value();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].name, "invoices");
  EXPECT_EQ(listed[0].last_reserved, 42u);
}

TEST_F(SequenceTest, TheLastBlockIsAsLargeAsThereAreNumbers) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  ASSERT_OK(ResetSequence(*database_, counters_, "invoices", kLast - 3));
  const auto sequence = Sequence::Open(*database_, counters_, "invoices", {.block = 10}).value();
  for (uint64_t number = kLast - 2; number != 0; ++number) {
    EXPECT_THAT(sequence->Next(), IsOkAndHolds(number));
  }
  EXPECT_THAT(sequence->Next().status(), HasReason(ErrorReason::kOverflow));
}

TEST_F(SequenceTest, EndsBehindTheLastNumberAndRefusesWrongOptions) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  ASSERT_OK(ResetSequence(*database_, counters_, "invoices", kLast - 1));
  const auto sequence = Open("invoices");
  EXPECT_THAT(sequence->Next(), IsOkAndHolds(kLast));
  EXPECT_THAT(sequence->Next().status(), HasReason(ErrorReason::kOverflow));
  EXPECT_THAT(Sequence::Open(*database_, counters_, "", {}).status(),
              HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(Sequence::Open(*database_, counters_, "n", {.block = 0}).status(),
              HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(Sequence::Open(*database_, counters_, "n", {.durability = Durability::kVolatile})
                  .status(),
              HasReason(ErrorReason::kInvalidOption));
}

}  // namespace
}  // namespace firn
