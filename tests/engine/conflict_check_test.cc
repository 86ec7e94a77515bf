#include "engine/conflict_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/batch_format.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

constexpr KeyspaceId kA{1}, kB{2};

std::string Puts(KeyspaceId keyspace, const std::vector<std::string>& keys) {
  std::string encoded;
  for (const std::string& key : keys) AppendPut(encoded, keyspace, key, "v");
  return encoded;
}

// Plays the leader of the commit queue and its numbers.
class ConflictCheckTest : public ::testing::Test {
 protected:
  // A write that everybody sees at once, unless it stays in flight.
  bool Write(KeyspaceId keyspace, const std::vector<std::string>& keys, bool in_flight = false) {
    const bool noticed =
        conflicts_.BeginGroup({last_}, SequenceNumber{published_.load()}, keys.size());
    if (noticed) conflicts_.Record(Puts(keyspace, keys), {last_ + 1});
    last_ += keys.size();
    if (!in_flight) published_.store(last_);
    return noticed;
  }
  ConflictQuery Ask(uint64_t after, const std::string& encoded, const ReadSet* reads = nullptr) {
    EXPECT_TRUE(conflicts_.BeginGroup({last_}, SequenceNumber{published_.load()}, 1));
    ConflictQuery query;
    query.after = {after};
    query.reads = reads;
    const bool clear = conflicts_.Check(encoded, query);
    EXPECT_EQ(clear, query.verdict == ConflictVerdict::kClear);
    return query;
  }

  std::atomic<uint64_t> published_{0};
  ConflictCheck conflicts_{published_, 64 << 10};
  uint64_t last_ = 0;
};

TEST_F(ConflictCheckTest, NothingIsRememberedWhileNoTransactionIsOpen) {
  EXPECT_FALSE(Write(kA, {"k"}));
  const SequenceNumber entered = conflicts_.Enter();
  EXPECT_EQ(entered, SequenceNumber{1});
  EXPECT_EQ(conflicts_.open(), 1u);
  EXPECT_TRUE(Write(kA, {"k"}));
  conflicts_.Leave(entered);
  uint64_t lingering = 0;
  while (Write(kA, {"k"})) ++lingering;
  EXPECT_EQ(lingering, ConflictCheck::kLingerEntries);
}

TEST_F(ConflictCheckTest, AWriteAboveTheSnapshotIsAConflictNamedByItsKey) {
  Write(kA, {"k"});
  conflicts_.Enter();
  Write(kA, {"x", "k"});
  ConflictQuery query = Ask(1, Puts(kA, {"a", "k"}));
  EXPECT_EQ(query.verdict, ConflictVerdict::kConflict);
  EXPECT_EQ(query.keyspace, kA);
  EXPECT_EQ(query.key, "k");
  EXPECT_EQ(Ask(3, Puts(kA, {"k"})).verdict, ConflictVerdict::kClear);
  EXPECT_EQ(Ask(1, Puts(kB, {"k"})).verdict, ConflictVerdict::kClear) << "another keyspace";
  EXPECT_EQ(Ask(1, Puts(kA, {"l"})).verdict, ConflictVerdict::kClear) << "another key";
}

TEST_F(ConflictCheckTest, KeysAndRangesThatWereReadAreAsked) {
  conflicts_.Enter();
  Write(kA, {"k"});
  ReadSet point, range, beside;
  point.AddPoint(kA, "k");
  range.AddRange({kA, "j", "l"});
  beside.AddPoint(kA, "j");
  beside.AddRange({kA, "l", std::nullopt});
  beside.AddRange({kA, "", "k"});
  const std::string own = Puts(kB, {"own"});
  EXPECT_EQ(Ask(0, own, &point).verdict, ConflictVerdict::kConflict);
  EXPECT_EQ(Ask(0, own, &range).key, "k");
  EXPECT_EQ(Ask(0, own, &beside).verdict, ConflictVerdict::kClear);
}

TEST_F(ConflictCheckTest, WhatWasInFlightWhenTheFirstTransactionBeganIsUnknown) {
  Write(kA, {"k"}, /*in_flight=*/true);
  const SequenceNumber entered = conflicts_.Enter();
  EXPECT_EQ(entered, SequenceNumber{0});
  ConflictQuery query = Ask(entered.value, Puts(kA, {"k"}));
  EXPECT_EQ(query.verdict, ConflictVerdict::kUnknown);
  EXPECT_EQ(query.keyspace, kA);
  EXPECT_EQ(query.floor, SequenceNumber{1});
  EXPECT_EQ(Ask(1, Puts(kA, {"k"})).verdict, ConflictVerdict::kClear);
}

TEST_F(ConflictCheckTest, WhatIsInFlightWhileATransactionIsOpenIsKnown) {
  conflicts_.Enter();
  Write(kA, {"k"}, /*in_flight=*/true);
  EXPECT_EQ(Ask(0, Puts(kA, {"k"})).verdict, ConflictVerdict::kConflict);
}

TEST_F(ConflictCheckTest, WhatWasForgottenForWantOfMemoryIsUnknown) {
  conflicts_.Enter();
  for (int i = 0; i < 2000; ++i) Write(kA, {absl::StrCat("k", i)});
  EXPECT_EQ(Ask(0, Puts(kA, {"other"})).verdict, ConflictVerdict::kUnknown);
  EXPECT_EQ(Ask(0, Puts(kB, {"other"})).verdict, ConflictVerdict::kClear);
  EXPECT_EQ(Ask(last_ - 1, Puts(kA, {"other"})).verdict, ConflictVerdict::kClear);
}

TEST_F(ConflictCheckTest, TheOldestOpenTransactionIsWhatIsRememberedFor) {
  const SequenceNumber first = conflicts_.Enter();
  Write(kA, {"k"});
  const SequenceNumber second = conflicts_.Enter();
  Write(kA, {"l"});
  EXPECT_EQ(Ask(0, Puts(kA, {"k"})).verdict, ConflictVerdict::kConflict);
  conflicts_.Leave(first);
  Write(kA, {"m"});
  Write(kA, {"m"});
  EXPECT_EQ(Ask(second.value, Puts(kA, {"l"})).verdict, ConflictVerdict::kConflict);
  EXPECT_EQ(Ask(0, Puts(kA, {"k"})).verdict, ConflictVerdict::kUnknown);
}

// FindNewerWrite: in memory, in segments, after merges; tombstones too.
TEST(FindNewerWriteTest, FindsAVersionAboveTheSnapshotWhereverItStands) {
  MemoryFileSystem memory;
  SteppedStore store(memory, 1);
  ASSERT_OK(store.Open());
  const Keyspace notes = store.Open("notes");
  ASSERT_OK(store.Put("notes", "b", "old"));
  ASSERT_OK(store.Put("notes", "d", "old"));
  const Snapshot snapshot = store->TakeSnapshot();
  const auto find = [&](const std::string& begin, const std::optional<std::string>& limit) {
    return FindNewerWrite(*notes.impl(), begin, limit, SequenceNumber{snapshot.sequence()});
  };
  EXPECT_THAT(find("", std::nullopt), IsOkAndHolds(std::nullopt));
  WriteBatch removal;
  removal.Remove(notes, "d");
  ASSERT_OK(store->Write(removal, Durability::kBuffered));
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    EXPECT_THAT(find("", std::nullopt), IsOkAndHolds("d"));
    EXPECT_THAT(find("c", "e"), IsOkAndHolds("d"));
    EXPECT_THAT(find("d", "d"), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(find("a", "d"), IsOkAndHolds(std::nullopt));
    EXPECT_THAT(find("e", std::nullopt), IsOkAndHolds(std::nullopt));
    if (round == 0) {
      ASSERT_OK(store->Flush(notes));
    }
    if (round == 1) {
      ASSERT_OK(store->Compact(notes, "", ""));
    }
  }
  // Without the snapshot the tombstone goes, and the versions with it.
  ASSERT_OK(store.Put("notes", "z", "v"));
  EXPECT_THAT(find("e", std::nullopt), IsOkAndHolds("z"));
  ASSERT_OK(store->DropKeyspace("notes"));
  EXPECT_THAT(find("", std::nullopt).status(), HasReason(ErrorReason::kKeyspaceDropped));
}

}  // namespace
}  // namespace firn
