#include "firn/operation_buffer.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"

namespace firn {
namespace {

std::string KeyOf(int number) {
  std::string key = std::to_string(number);
  key.insert(0, 32 - key.size(), '.');
  return key;
}

class OperationBufferTest : public ::testing::Test {
 protected:
  OperationBufferTest()
      : database_(OpenMemoryDatabase()),
        tree_(AuthenticatedTree::Open(*database_, {}).value()) {}

  OperationBuffer Buffer(OperationBufferOptions options) {
    options.now_milliseconds = [this] { return clock_.MonotonicMicroseconds() / 1000; };
    return OperationBuffer(*tree_, std::move(options));
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<AuthenticatedTree> tree_;
  ManualClock clock_;
};

TEST_F(OperationBufferTest, CommitsByNumber) {
  OperationBuffer buffer = Buffer({.operations = 10});
  for (int i = 0; i < 25; ++i) {
    ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(i), "v")));
    EXPECT_EQ(buffer.acknowledged(), static_cast<uint64_t>((i + 1) / 10 * 10));
    EXPECT_EQ(tree_->view()->key_count(), buffer.acknowledged()) << "only what is committed is seen";
  }
  EXPECT_EQ(buffer.buffered(), 5u);
  ASSERT_OK(buffer.Flush());
  EXPECT_EQ(buffer.acknowledged(), 25u);
  EXPECT_EQ(buffer.commits(), 3u);
  EXPECT_EQ(tree_->view()->key_count(), 25u);
  ASSERT_OK(buffer.Flush());
  EXPECT_EQ(buffer.commits(), 3u) << "nothing to commit";
}

TEST_F(OperationBufferTest, CommitsByBytes) {
  OperationBuffer buffer = Buffer({.operations = 1000, .bytes = 1000});
  for (int i = 0; i < 9; ++i) {
    ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(i), std::string(68, 'v'))));
  }
  EXPECT_EQ(buffer.buffered_bytes(), 900u);
  EXPECT_EQ(buffer.acknowledged(), 0u);
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(9), std::string(68, 'v'))));
  EXPECT_EQ(buffer.acknowledged(), 10u);
}

TEST_F(OperationBufferTest, CommitsByTimeToTheTick) {
  OperationBuffer buffer = Buffer({.operations = 1000, .milliseconds = 50});
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(1), "v")));
  clock_.Advance(std::chrono::milliseconds(49));
  ASSERT_OK(buffer.FlushIfDue());
  EXPECT_EQ(buffer.acknowledged(), 0u);
  clock_.Advance(std::chrono::milliseconds(1));
  ASSERT_OK(buffer.FlushIfDue());
  EXPECT_EQ(buffer.acknowledged(), 1u);
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(2), "v")));
  clock_.Advance(std::chrono::milliseconds(80));
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(3), "v")));
  EXPECT_EQ(buffer.acknowledged(), 3u) << "the second waited for 80 ms";
  clock_.Advance(std::chrono::hours(1));
  ASSERT_OK(buffer.FlushIfDue());
  EXPECT_EQ(buffer.commits(), 2u);
}

TEST_F(OperationBufferTest, AnOperationThatFailsHasNoEffectOnTheOthers) {
  OperationBuffer buffer = Buffer({.operations = 3});
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(1), "v")));
  EXPECT_THAT(buffer.Add(Operation::Insert(KeyOf(1), "v")), HasReason(ErrorReason::kKeyExists));
  EXPECT_THAT(buffer.Add(Operation::Insert("short", "v")), HasReason(ErrorReason::kIllegalKey));
  EXPECT_EQ(buffer.buffered(), 1u);
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(2), "v")));
  ASSERT_OK(buffer.Add(Operation::Insert(KeyOf(3), "v")));
  EXPECT_EQ(buffer.acknowledged(), 3u);
}

// Each operation of the disk is the last one once: what was acknowledged is there afterwards, and
// nothing but whole prefixes of what was added.
TEST(OperationBufferCrashTest, WhatIsAcknowledgedSurvivesTheLossOfPower) {
  int crashes = 0;
  for (uint64_t crash_at = 1;; crash_at += 3) {
    SteppedMachine machine(std::make_unique<MemoryFileSystem>(MemoryFileSystemOptions{
                               .seed = crash_at, .crash_at_operation = crash_at}),
                           crash_at);
    uint64_t acknowledged = 0;
    uint64_t added = 0;
    if (absl::StatusOr<std::unique_ptr<Database>> database = machine.Open(); database.ok()) {
      if (auto tree = AuthenticatedTree::Open(**database, {}); tree.ok()) {
        OperationBuffer buffer(**tree, {.operations = 4, .milliseconds = 0});
        for (int i = 0; i < 20; ++i) {
          const bool done = buffer.Add(Operation::Insert(KeyOf(i), "v")).ok();
          acknowledged = buffer.acknowledged();
          if (!done) break;
          ++added;
        }
      }
    }
    const bool crashed = machine.file_system().crashed();
    machine.file_system().LoseUnsyncedData();
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, machine.Open());
    ASSERT_OK_AND_ASSIGN(const auto tree, AuthenticatedTree::Open(*database, {}));
    const uint64_t there = tree->view()->key_count();
    EXPECT_GE(there, acknowledged) << "crash at " << crash_at;
    EXPECT_LE(there, added + 4);
    EXPECT_EQ(there % 4, 0u) << "a commit is whole";
    if (!crashed) {
      EXPECT_EQ(there, 20u);
      break;
    }
    ++crashes;
  }
  EXPECT_GT(crashes, 5);
}

}  // namespace
}  // namespace firn
