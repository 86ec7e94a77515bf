#include "tests/support/transaction_history.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kX = 1, kY = 2;

// A committed transaction in a thread of its own.
RecordedTransaction Committed(uint64_t id, std::map<int, uint64_t> reads,
                              std::map<int, uint64_t> writes) {
  return {id, id, Outcome::kCommitted, std::move(reads), std::move(writes)};
}

void ExpectBoth(const TransactionHistory& history, const char* words) {
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSnapshot), HasSubstr(words));
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSerializable), HasSubstr(words));
}

TEST(TransactionHistoryTest, OneAfterTheOtherIsFine) {
  const TransactionHistory history = {
      {{kX, 9}},
      {{kX, 2}, {kY, 3}},
      {Committed(1, {{kX, 9}}, {{kX, 9}}), Committed(2, {{kX, 1}}, {{kX, 1}}),
       Committed(3, {{kX, 2}, {kY, 0}}, {{kY, 0}})}};
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSnapshot), IsEmpty());
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSerializable), IsEmpty());
}

TEST(TransactionHistoryTest, ALostUpdateIsFound) {
  ExpectBoth({{}, {{kX, 2}}, {Committed(1, {}, {{kX, 0}}), Committed(2, {}, {{kX, 0}})}},
             "lost update");
}

TEST(TransactionHistoryTest, ALostCommitIsFound) {
  ExpectBoth({{}, {{kX, 0}}, {Committed(1, {}, {{kX, 0}})}}, "at the end");
  ExpectBoth({{}, {{kX, 2}}, {Committed(1, {}, {{kY, 0}}), Committed(2, {}, {{kX, 1}})}}, "key");
}

TEST(TransactionHistoryTest, AReadOfAnAbortedWriteIsFound) {
  RecordedTransaction aborted = Committed(1, {}, {{kX, 0}});
  aborted.outcome = Outcome::kAborted;
  ExpectBoth({{}, {}, {aborted, Committed(2, {{kX, 1}}, {})}}, "never committed");
  ExpectBoth({{}, {{kX, 1}}, {aborted}}, "never committed");
}

TEST(TransactionHistoryTest, WriteSkewIsSnapshotButNotSerializable) {
  const TransactionHistory history = {
      {},
      {{kX, 1}, {kY, 2}},
      {Committed(1, {{kY, 0}}, {{kX, 0}}), Committed(2, {{kX, 0}}, {{kY, 0}})}};
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSnapshot), IsEmpty());
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSerializable), HasSubstr("-rw"));
}

TEST(TransactionHistoryTest, AReadOfHalfATransactionIsFound) {
  ExpectBoth({{},
              {{kX, 1}, {kY, 1}},
              {Committed(1, {}, {{kX, 0}, {kY, 0}}), Committed(2, {{kX, 1}, {kY, 0}}, {})}},
             "cycle");
}

// Two readers that see two writers in different orders.
TEST(TransactionHistoryTest, ALongForkIsFound) {
  ExpectBoth({{},
              {{kX, 1}, {kY, 2}},
              {Committed(1, {}, {{kX, 0}}), Committed(2, {}, {{kY, 0}}),
               Committed(3, {{kX, 1}, {kY, 0}}, {}), Committed(4, {{kX, 0}, {kY, 2}}, {})}},
             "cycle");
}

// The read-only transaction that sees what no order explains, though each snapshot is consistent.
TEST(TransactionHistoryTest, TheReadOnlyAnomalyIsSnapshotButNotSerializable) {
  const TransactionHistory history = {
      {},
      {{kX, 1}, {kY, 2}},
      {Committed(1, {{kX, 0}, {kY, 0}}, {{kX, 0}}), Committed(2, {{kY, 0}}, {{kY, 0}}),
       Committed(3, {{kX, 0}, {kY, 2}}, {})}};
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSnapshot), IsEmpty());
  EXPECT_THAT(CheckHistory(history, HistoryLevel::kSerializable), HasSubstr("cycle"));
}

TEST(TransactionHistoryTest, AThreadSeesWhatItCommitted) {
  RecordedTransaction later = Committed(2, {{kX, 0}}, {});
  later.thread = 1;
  ExpectBoth({{}, {{kX, 1}}, {Committed(1, {}, {{kX, 0}}), later}}, "-so");
}

TEST(TransactionHistoryTest, AnUnknownOneHappenedWholeOrNotAtAll) {
  RecordedTransaction unknown = Committed(1, {}, {{kX, 0}, {kY, 0}});
  unknown.outcome = Outcome::kUnknown;
  EXPECT_THAT(CheckHistory({{}, {}, {unknown}}, HistoryLevel::kSnapshot), IsEmpty());
  EXPECT_THAT(CheckHistory({{}, {{kX, 1}, {kY, 1}}, {unknown}}, HistoryLevel::kSnapshot), IsEmpty());
  ExpectBoth({{}, {{kX, 1}}, {unknown}}, "at the end");
}

}  // namespace
}  // namespace firn
