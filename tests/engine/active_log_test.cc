#include "engine/active_log.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class ActiveLogTest : public ::testing::Test {
 protected:
  ActiveLogTest()
      : faulty_(memory_), executor_(1), versions_(faulty_, "s", StoreState(), [] { return 5; }) {
    EXPECT_THAT(memory_.CreateDirectory("s"), IsOk());
    EXPECT_THAT(versions_.StartManifest(), IsOk());
    auto files = LogFiles::Open(faulty_, executor_, "s/wal",
                                {.slot_size_first = 32 << 10, .slot_size_max = 32 << 10});
    EXPECT_THAT(files, IsOk());
    log_ = std::make_unique<ActiveLog>(*std::move(files), versions_, std::deque<SealedLog>(),
                                       PreviousLog());
    EXPECT_THAT(log_->Switch(0, SequenceNumber{0}), IsOk());
  }
  ~ActiveLogTest() override { executor_.Drain(); }

  absl::Status Append(uint64_t sequence, LogSync sync = LogSync::kBuffered) {
    const std::string payload = "payload";
    const auto place =
        log_->Reserve(payload.size(), {SequenceNumber{sequence}, SequenceNumber{sequence}});
    if (!place.ok()) return place.status();
    return log_->Flush(*place, {AsBytes(payload)}, sync);
  }

  MemoryFileSystem memory_;
  FaultInjectingFileSystem faulty_;
  SteppedExecutor executor_;
  VersionSet versions_;
  std::unique_ptr<ActiveLog> log_;
};

TEST_F(ActiveLogTest, ASwitchSealsTheLogAndTheNextNamesItsEnd) {
  ASSERT_THAT(Append(1), IsOk());
  ASSERT_THAT(Append(2), IsOk());
  EXPECT_EQ(log_->oldest_sealed(), std::nullopt);
  ASSERT_THAT(log_->Switch(0, SequenceNumber{2}), IsOk());
  EXPECT_EQ(log_->oldest_sealed(), SequenceNumber{2});
  ASSERT_OK_AND_ASSIGN(auto files, LogFiles::Open(memory_, executor_, "s/wal", {}));
  ASSERT_OK_AND_ASSIGN(const std::vector<FoundLog> chain, files->ReadChain());
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[1].header.previous.number, chain[0].header.number);
  EXPECT_EQ(chain[1].header.previous.end.last_sequence, SequenceNumber{2});
  EXPECT_EQ(chain[1].header.manifest, versions_.manifest_position());
  EXPECT_EQ(log_->extents().size(), 2u);
}

TEST_F(ActiveLogTest, RetiresOnlyWhatNobodyNeeds) {
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    ASSERT_THAT(Append(sequence), IsOk());
    ASSERT_THAT(log_->Switch(0, SequenceNumber{sequence}), IsOk());
  }
  ASSERT_THAT(log_->Retire(SequenceNumber{1}), IsOk());
  EXPECT_EQ(log_->files().logs().size(), 4u);
  ASSERT_THAT(log_->Retire(SequenceNumber{3}), IsOk());
  EXPECT_EQ(log_->files().logs().size(), 2u);
  EXPECT_EQ(log_->oldest_sealed(), SequenceNumber{3});
  const uint64_t before = log_->total_bytes();
  ASSERT_THAT(log_->Retire(SequenceNumber{4}), IsOk());
  EXPECT_EQ(log_->files().logs().size(), 1u);
  EXPECT_LT(log_->total_bytes(), before);
}

TEST_F(ActiveLogTest, AFullDiskLeavesTheLogAsItIs) {
  ASSERT_THAT(Append(1), IsOk());
  executor_.Drain();
  ASSERT_THAT(log_->Switch(0, SequenceNumber{1}), IsOk());  // takes the spare
  ASSERT_THAT(Append(2), IsOk());
  faulty_.SetSpace(0);
  const absl::Status full = log_->Switch(1 << 20, SequenceNumber{2});
  EXPECT_THAT(full, HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(Append(3), IsOk());
  faulty_.ClearSpace();
  EXPECT_THAT(log_->Switch(1 << 20, SequenceNumber{3}), IsOk());
  EXPECT_TRUE(log_->Fits(1 << 20));
  EXPECT_THAT(Append(4, LogSync::kSynced), IsOk());
}

TEST_F(ActiveLogTest, SyncMakesEverythingWrittenDurable) {
  ASSERT_THAT(Append(1), IsOk());
  EXPECT_LT(log_->extents().back().end.last_sequence, SequenceNumber{1});
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->extents().back().end.last_sequence, SequenceNumber{1});
  EXPECT_EQ(log_->written_bytes(), 4096u);
}

TEST_F(ActiveLogTest, AFailedRetirementSticks) {
  ASSERT_THAT(Append(1), IsOk());
  ASSERT_THAT(log_->Switch(0, SequenceNumber{1}), IsOk());
  faulty_.AddRule({.operation = FileOperation::kSyncDirectory, .path_part = "wal"});
  EXPECT_THAT(log_->Retire(SequenceNumber{2}), HasReason(ErrorReason::kIo));
  EXPECT_THAT(log_->Retire(SequenceNumber{2}), HasReason(ErrorReason::kIo));
  EXPECT_THAT(Append(2), IsOk());
}

TEST_F(ActiveLogTest, ARetirementThatTheDiskHadNoRoomForIsTriedAgain) {
  ASSERT_THAT(Append(1), IsOk());
  ASSERT_THAT(log_->Switch(0, SequenceNumber{1}), IsOk());
  faulty_.AddRule({.operation = FileOperation::kRename, .path_part = "wal", .error_number = ENOSPC});
  EXPECT_THAT(log_->Retire(SequenceNumber{2}), HasReason(ErrorReason::kDiskFull));
  EXPECT_EQ(log_->files().logs().size(), 2u);
  EXPECT_THAT(log_->Retire(SequenceNumber{2}), IsOk());
  EXPECT_EQ(log_->files().logs().size(), 1u);
  // Its name is gone by now, and perhaps not durably.
  ASSERT_THAT(Append(2), IsOk());
  ASSERT_THAT(log_->Switch(0, SequenceNumber{2}), IsOk());
  faulty_.AddRule(
      {.operation = FileOperation::kSyncDirectory, .path_part = "wal", .error_number = ENOSPC});
  EXPECT_THAT(log_->Retire(SequenceNumber{3}), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(log_->Retire(SequenceNumber{3}), HasReason(ErrorReason::kDiskFull));
}

// A bulk load that nobody syncs must not write its log twice: the next slots are only allocated.
TEST_F(ActiveLogTest, SlotsAreFilledWithZeroesWhileSomebodySyncs) {
  uint64_t sequence = 0;
  const auto allocations_of_a_round = [&](LogSync sync) {
    const uint64_t before = faulty_.count(FileOperation::kAllocate);
    EXPECT_THAT(Append(++sequence, sync), IsOk());
    EXPECT_THAT(log_->Switch(0, SequenceNumber{sequence}), IsOk());
    executor_.Drain();
    return faulty_.count(FileOperation::kAllocate) - before;
  };
  executor_.Drain();
  allocations_of_a_round(LogSync::kSynced);  // takes the slot that was filled at the start
  EXPECT_EQ(allocations_of_a_round(LogSync::kSynced), 0u);
  EXPECT_EQ(allocations_of_a_round(LogSync::kBuffered), 1u);
  EXPECT_EQ(allocations_of_a_round(LogSync::kBuffered), 1u);
  EXPECT_EQ(allocations_of_a_round(LogSync::kSynced), 0u);
}

TEST_F(ActiveLogTest, CloseWritesTheEnd) {
  ASSERT_THAT(Append(1), IsOk());
  ASSERT_THAT(log_->Close(SequenceNumber{1}), IsOk());
  const FileNumber number = log_->files().logs().back();
  ASSERT_OK_AND_ASSIGN(auto reader, LogReader::Open(memory_, log_->files().PathOf(number), {}));
  while (true) {
    ASSERT_OK_AND_ASSIGN(const auto record, reader->Next());
    if (!record.has_value()) break;
  }
  EXPECT_EQ(reader->ending(), LogEnding::kClosed);
}

}  // namespace
}  // namespace firn
