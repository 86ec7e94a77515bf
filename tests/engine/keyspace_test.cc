#include "engine/keyspace.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class KeyspaceTest : public ::testing::Test {
 protected:
  KeyspaceTest()
      : cache_(file_system_, 16, nullptr, nullptr),
        context_{cache_, snapshots_, counters_, epochs_},
        keyspace_(context_, KeyspaceId{1},
                  {"notes", {}, std::make_shared<const Levels>(), SequenceNumber{0}, std::nullopt},
                  "s/notes") {}

  void Put(uint64_t sequence, absl::string_view key, absl::string_view value) {
    keyspace_.active().Add(SequenceNumber{sequence}, EntryKind::kPut, key, value);
    context_.published.store(sequence);
  }
  std::string Get(absl::string_view key, const Snapshot& snapshot = {}) {
    const auto value = keyspace_.Get(key, snapshot);
    return value.ok() ? value->ToString() : "-";
  }

  MemoryFileSystem file_system_;
  Epochs epochs_;
  SegmentCache cache_;
  SnapshotRegistry snapshots_;
  EngineCounters counters_;
  ReadContext context_;
  KeyspaceImpl keyspace_;
};

TEST_F(KeyspaceTest, WhatIsNotPublishedIsNotSeen) {
  Put(1, "k", "old");
  keyspace_.active().Add(SequenceNumber{2}, EntryKind::kPut, "k", "new");
  EXPECT_EQ(Get("k"), "old");
  context_.published.store(2);
  EXPECT_EQ(Get("k"), "new");
  EXPECT_EQ(counters_.gets.Total(), 2u);
}

TEST_F(KeyspaceTest, ASwitchedMemtableIsStillRead) {
  EXPECT_FALSE(keyspace_.SwitchMemtable(SequenceNumber{0}));
  Put(1, "k", "v");
  EXPECT_TRUE(keyspace_.SwitchMemtable(SequenceNumber{1}));
  EXPECT_EQ(Get("k"), "v");
  Put(2, "k", "w");
  EXPECT_EQ(Get("k"), "w");
  EXPECT_EQ(keyspace_.version()->immutables().size(), 1u);
  EXPECT_TRUE(keyspace_.SwitchMemtable(SequenceNumber{2}));
  EXPECT_EQ(keyspace_.version()->immutables().front().floor, SequenceNumber{2});
  EXPECT_EQ(keyspace_.statistics().entries_estimate, 2u);
}

TEST_F(KeyspaceTest, InstallingAFlushDropsOnlyFlushedMemtables) {
  Put(1, "k", "v");
  keyspace_.SwitchMemtable(SequenceNumber{1});
  Put(2, "l", "w");
  keyspace_.SwitchMemtable(SequenceNumber{2});
  keyspace_.Install(std::make_shared<const Levels>(), SequenceNumber{1});
  EXPECT_EQ(keyspace_.version()->immutables().size(), 1u);
  EXPECT_EQ(Get("k"), "-");
  EXPECT_EQ(Get("l"), "w");
}

TEST_F(KeyspaceTest, AnIteratorKeepsItsKeyspace) {
  // Dropped, and no handle left: but segments are still opened through its folder.
  auto dropped = std::make_shared<KeyspaceImpl>(
      context_, KeyspaceId{2},
      KeyspaceState{"gone", {}, std::make_shared<const Levels>(), SequenceNumber{0}, std::nullopt},
      "s/gone");
  const std::weak_ptr<KeyspaceImpl> watched = dropped;
  std::unique_ptr<Iterator> iterator = dropped->NewIterator({});
  dropped->MarkDropped();
  dropped = nullptr;
  EXPECT_FALSE(watched.expired());
  iterator = nullptr;
  EXPECT_TRUE(watched.expired());
}

TEST_F(KeyspaceTest, AnOldVersionKeepsItsMemtables) {
  Put(1, "k", "v");
  const auto iterator = keyspace_.NewIterator({});
  keyspace_.SwitchMemtable(SequenceNumber{1});
  keyspace_.Install(std::make_shared<const Levels>(), SequenceNumber{1});
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->value(), "v");
}

TEST_F(KeyspaceTest, DroppedAndClosedAreErrorsOfEveryCall) {
  keyspace_.MarkDropped();
  EXPECT_THAT(keyspace_.Get("k", {}), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(keyspace_.MultiGet({"k"}, {})[0], HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(keyspace_.NewIterator({})->status(), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(keyspace_.ApproximateSize("", ""), HasReason(ErrorReason::kKeyspaceDropped));
  context_.closed.store(true);
  EXPECT_THAT(keyspace_.Get("k", {}), HasReason(ErrorReason::kClosed));
}

TEST_F(KeyspaceTest, TheVolatileMarkStaysWhileAWriteIsInProgressOrUnflushed) {
  EXPECT_FALSE(keyspace_.volatile_marked());
  {
    const KeyspaceImpl::VolatileWrite write(&keyspace_);
    keyspace_.SetVolatileMarked();
    EXPECT_FALSE(keyspace_.TakeVolatileMark(SequenceNumber{100}));
    keyspace_.NoteVolatile(SequenceNumber{7});
  }
  EXPECT_FALSE(keyspace_.TakeVolatileMark(SequenceNumber{6}));
  EXPECT_TRUE(keyspace_.TakeVolatileMark(SequenceNumber{7}));
  EXPECT_FALSE(keyspace_.volatile_marked());
}

TEST_F(KeyspaceTest, AnEmptyHandleIsRefused) {
  const Keyspace empty;
  EXPECT_EQ(empty.id(), 0u);
  EXPECT_EQ(empty.name(), "");
  EXPECT_THAT(empty.Get("k"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(empty.MultiGet({"k"})[0], StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(empty.NewIterator()->status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(empty.ApproximateSize("", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(empty.options().block_size, KeyspaceOptions().block_size);
}

}  // namespace
}  // namespace firn
