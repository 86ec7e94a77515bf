// Sixty-four writers with a transaction open each, at the same moment: nothing waits for anything while
// they are built, and what they commit adds up.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "firn/database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

constexpr uint64_t kThreads = 64;

std::unique_ptr<Database> OpenInMemory() {
  Options options;
  options.storage = Storage::kMemory;
  return Database::Open("store", options).value();
}

// Runs `work(i)` on 64 threads.
template <typename Work>
void OnManyThreads(Work work) {
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST(ManyTransactionsTest, SixtyFourAreBuiltAtTheSameMoment) {
  const std::unique_ptr<Database> database = OpenInMemory();
  const Keyspace keyspace = database->CreateKeyspace("entries", {}).value();
  std::atomic<uint64_t> built = 0, committed = 0, conflicted = 0;
  OnManyThreads([&](uint64_t i) {
    const auto transaction = database->BeginTransaction({}).value();
    ASSERT_THAT(transaction->Put(keyspace, absl::StrCat("own", i), "x"), IsOk());
    ASSERT_THAT(transaction->Put(keyspace, absl::StrCat("shared", i % 8), absl::StrCat(i)), IsOk());
    // None commits before all are there: were any to wait for another, this would never end.
    ++built;
    while (built.load() < kThreads) std::this_thread::yield();
    const absl::Status status = transaction->Commit(Durability::kBuffered);
    if (status.ok()) {
      ++committed;
    } else {
      EXPECT_THAT(status, HasReason(ErrorReason::kConflict));
      ++conflicted;
    }
  });
  // One for each shared key: the first committer wins.
  EXPECT_EQ(committed, 8u);
  EXPECT_EQ(conflicted, kThreads - 8);
  EXPECT_EQ(database->statistics().transactions_open, 0u);
  uint64_t entries = 0;
  const auto iterator = keyspace.NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++entries;
  EXPECT_EQ(entries, 16u);  // the winners' own keys and the shared ones: nothing of the others
}

TEST(ManyTransactionsTest, WhatSixtyFourThreadsAddUpIsTheSum) {
  const std::unique_ptr<Database> database = OpenInMemory();
  const Keyspace keyspace = database->CreateKeyspace("counters", {}).value();
  constexpr uint64_t kRounds = 20;
  OnManyThreads([&](uint64_t i) {
    RunOptions options;
    options.durability = Durability::kBuffered;
    options.attempts_max = 100'000;
    for (uint64_t round = 0; round < kRounds; ++round) {
      const std::string key = absl::StrCat("counter", i % 4);
      ASSERT_THAT(database->RunInTransaction(
                      [&](Transaction& transaction) -> absl::Status {
                        const auto found = transaction.Get(keyspace, key);
                        const uint64_t count = found.ok() ? std::stoull(found->ToString()) : 0;
                        return transaction.Put(keyspace, key, absl::StrCat(count + 1));
                      },
                      options),
                  IsOk());
    }
  });
  for (int counter = 0; counter < 4; ++counter) {
    EXPECT_EQ(keyspace.Get(absl::StrCat("counter", counter)).value().view(),
              absl::StrCat(kThreads / 4 * kRounds));
  }
}

}  // namespace
}  // namespace firn
