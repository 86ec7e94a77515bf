#include "io/fault_injecting_file_system.h"

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/aligned_buffer.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

class FaultInjectingFileSystemTest : public ::testing::Test {
 protected:
  void Fill(absl::string_view path, absl::string_view content) {
    ASSERT_OK_AND_ASSIGN(auto file, memory_.Create(path));
    ASSERT_THAT(file->WriteAndSync(0, {AsBytes(content)}), IsOk());
  }
  // Past the faults.
  std::string Content(absl::string_view path) {
    auto content = ReadWholeFile(memory_, path, 1 << 20);
    return content.ok() ? *content : std::string(content.status().ToString());
  }
  absl::Status ReadAll(absl::string_view path, std::string& target) {
    auto file = fs_.OpenForRead(path);
    if (!file.ok()) return file.status();
    return (*file)->Read(0,
                         absl::MakeSpan(reinterpret_cast<uint8_t*>(target.data()), target.size()));
  }

  MemoryFileSystem memory_;
  ManualClock clock_;
  FaultInjectingFileSystem fs_{memory_, clock_};
};

TEST_F(FaultInjectingFileSystemTest, WithoutRulesItOnlyCounts) {
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("a"));
  ASSERT_THAT(file->Append(AsBytes("x")), IsOk());
  ASSERT_THAT(file->WriteAndSync(1, {AsBytes("y")}), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  std::string target(2, '?');
  ASSERT_THAT(ReadAll("a", target), IsOk());
  EXPECT_EQ(target, "xy");
  EXPECT_EQ(fs_.count(FileOperation::kCreate), 1u);
  EXPECT_EQ(fs_.count(FileOperation::kWrite), 2u);
  EXPECT_EQ(fs_.count(FileOperation::kSync), 2u);
  EXPECT_EQ(fs_.count(FileOperation::kRead), 1u);
  EXPECT_EQ(fs_.operations(), 7u);
  EXPECT_EQ(fs_.name(), "memory");
}

TEST_F(FaultInjectingFileSystemTest, ARuleHitsByKindPathAndCount) {
  const size_t rule = fs_.AddRule({.operation = FileOperation::kWrite,
                                   .path_part = "wal",
                                   .skip = 1,
                                   .count = 2,
                                   .error_number = EIO});
  ASSERT_OK_AND_ASSIGN(auto log, fs_.Create("000001.wal"));
  ASSERT_OK_AND_ASSIGN(auto other, fs_.Create("000002.seg"));
  EXPECT_THAT(log->Append(AsBytes("1")), IsOk());
  EXPECT_THAT(other->Append(AsBytes("x")), IsOk());
  const absl::Status failure = log->Append(AsBytes("2"));
  EXPECT_EQ(failure.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(failure, HasReason(ErrorReason::kIo));
  EXPECT_THAT(std::string(failure.message()), HasSubstr("injected fault: write 000001.wal"));
  EXPECT_FALSE(log->WriteAndSync(1, {AsBytes("2")}).ok());
  EXPECT_THAT(log->Append(AsBytes("2")), IsOk());
  EXPECT_EQ(fs_.hits(rule), 2u);
  EXPECT_EQ(Content("000001.wal"), "12");
  fs_.ClearRules();
}

TEST_F(FaultInjectingFileSystemTest, EveryKindOfOperationCanFail) {
  Fill("a", "0123");
  ASSERT_OK_AND_ASSIGN(auto writer, fs_.OpenForWrite("a"));
  ASSERT_OK_AND_ASSIGN(auto reader, fs_.OpenForRead("a"));
  fs_.AddRule({.count = FaultRule::kForever, .error_number = ENOSPC});
  uint8_t byte = 0;
  for (const absl::Status& status :
       {fs_.OpenForRead("a").status(), reader->Read(0, absl::MakeSpan(&byte, 1)),
        fs_.Create("b").status(), fs_.OpenForWrite("a").status(), writer->Append(AsBytes("x")),
        writer->WriteAndSync(0, {AsBytes("x")}), writer->Sync(), writer->Truncate(0),
        writer->Allocate(9), writer->Close(), fs_.Stat("a").status(), fs_.List("/").status(), fs_.CreateDirectory("d"),
        fs_.RemoveFile("a"), fs_.RemoveDirectory("d"), fs_.Rename("a", "b"), fs_.Link("a", "b"),
        fs_.SyncDirectory("/"), fs_.Lock("LOCK").status(), fs_.FreeSpace("/").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_THAT(status, HasReason(ErrorReason::kDiskFull));
  }
  for (size_t kind = 0; kind < kFileOperations; ++kind) {
    EXPECT_GE(fs_.count(static_cast<FileOperation>(kind)), 1u) << kind;
  }
  EXPECT_EQ(Content("a"), "0123") << "nothing was done";
}

TEST_F(FaultInjectingFileSystemTest, AShortenedWriteDoesHalfAndAShortenedReadFillsHalf) {
  fs_.AddRule({.operation = FileOperation::kWrite, .effect = FaultEffect::kShorten});
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("a"));
  EXPECT_FALSE(file->Write(0, {AsBytes("abc"), AsBytes("defgh")}).ok());
  EXPECT_EQ(Content("a"), "abcd");
  fs_.AddRule({.operation = FileOperation::kRead, .effect = FaultEffect::kShorten});
  std::string target(4, '?');
  EXPECT_FALSE(ReadAll("a", target).ok());
  EXPECT_EQ(target, "ab??");
}

TEST_F(FaultInjectingFileSystemTest, AShortenedDirectWriteStaysAligned) {
  fs_.AddRule({.operation = FileOperation::kWrite, .effect = FaultEffect::kShorten});
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("a", FileAccess::kDirect));
  AlignedBuffer buffer(3 * kDirectAlignment);
  EXPECT_THAT(file->Write(0, {buffer.span()}), HasReason(ErrorReason::kIo));
  EXPECT_EQ(memory_.Stat("a")->size, kDirectAlignment);
}

TEST_F(FaultInjectingFileSystemTest, CorruptionFlipsOneBitAndSaysNothing) {
  const std::string content(1000, '\0');
  Fill("a", content);
  fs_.AddRule({.operation = FileOperation::kRead, .count = 5, .effect = FaultEffect::kCorrupt});
  for (int i = 0; i < 6; ++i) {
    std::string target(1000, '?');
    ASSERT_THAT(ReadAll("a", target), IsOk());
    int bits = 0;
    for (const char byte : target) bits += __builtin_popcount(static_cast<uint8_t>(byte));
    EXPECT_EQ(bits, i < 5 ? 1 : 0);
  }
  EXPECT_EQ(Content("a"), content);
  fs_.AddRule({.operation = FileOperation::kWrite, .effect = FaultEffect::kCorrupt});
  ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForWrite("a"));
  ASSERT_THAT(file->WriteAndSync(0, {AsBytes(content)}), IsOk());
  EXPECT_NE(Content("a"), content);
}

TEST_F(FaultInjectingFileSystemTest, ADelayTakesTimeOfTheClockAndThenGoesOn) {
  fs_.AddRule({.operation = FileOperation::kSync,
               .effect = FaultEffect::kDelay,
               .delay = std::chrono::milliseconds(250)});
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("a"));
  const uint64_t before = clock_.MonotonicMicroseconds();
  EXPECT_THAT(file->WriteAndSync(0, {AsBytes("x")}), IsOk());
  EXPECT_EQ(clock_.MonotonicMicroseconds() - before, 250'000u);
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(clock_.MonotonicMicroseconds() - before, 250'000u);
}

TEST_F(FaultInjectingFileSystemTest, OneRequestOfABatchMayFailAlone) {
  Fill("a", "0123456789");
  ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForRead("a"));
  fs_.AddRule({.operation = FileOperation::kRead, .skip = 1});
  std::vector<std::string> targets(3, "??");
  std::vector<ReadRequest> requests(3);
  for (size_t i = 0; i < 3; ++i) {
    requests[i].offset = i * 2;
    requests[i].target =
        absl::MakeSpan(reinterpret_cast<uint8_t*>(targets[i].data()), targets[i].size());
  }
  EXPECT_THAT(file->ReadMany(absl::MakeSpan(requests)), HasReason(ErrorReason::kIo));
  EXPECT_THAT(requests[0].status, IsOk());
  EXPECT_FALSE(requests[1].status.ok());
  EXPECT_THAT(requests[2].status, IsOk());
  EXPECT_THAT(targets, ::testing::ElementsAre("01", "??", "45"));
}

TEST_F(FaultInjectingFileSystemTest, AFailedSyncLeavesTheWriteUnsyncedOrTakesItBack) {
  Fill("a", "durable");
  ASSERT_THAT(memory_.SyncDirectory("/"), IsOk());
  fs_.KeepOldBytes();
  ASSERT_OK_AND_ASSIGN(auto file, fs_.OpenForWrite("a"));
  fs_.AddRule({.operation = FileOperation::kSync});
  EXPECT_FALSE(file->WriteAndSync(0, {AsBytes("CHANGED!")}).ok());
  EXPECT_EQ(Content("a"), "CHANGED!");
  fs_.AddRule({.operation = FileOperation::kSync, .effect = FaultEffect::kLoseUnsynced});
  ASSERT_THAT(file->Write(2, {AsBytes("again")}), IsOk());
  ASSERT_THAT(file->Truncate(3), IsOk());
  EXPECT_FALSE(file->Sync().ok());
  // The page cache says clean, the data is gone, and the next sync succeeds: who retries is wrong.
  EXPECT_EQ(Content("a"), "durable");
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(Content("a"), "durable");
  // What was synced before is not taken back.
  ASSERT_THAT(file->WriteAndSync(0, {AsBytes("D")}), IsOk());
  ASSERT_THAT(file->Append(AsBytes("tail")), IsOk());
  fs_.AddRule({.operation = FileOperation::kSync, .effect = FaultEffect::kLoseUnsynced});
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_EQ(Content("a"), "Durable");
}

TEST_F(FaultInjectingFileSystemTest, AFullDiskTakesWhatFitsAndHasRoomAgainAfterRemovals) {
  Fill("old", std::string(100, 'o'));
  fs_.SetSpace(50);
  EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(50u));
  ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("a"));
  ASSERT_THAT(file->Append(AsBytes(std::string(30, 'a'))), IsOk());
  const absl::Status full = file->WriteAndSync(30, {AsBytes(std::string(30, 'b'))});
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(full, HasReason(ErrorReason::kDiskFull));
  EXPECT_EQ(Content("a"), std::string(30, 'a') + std::string(20, 'b'));
  EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(0u));
  EXPECT_THAT(file->Write(0, {AsBytes("overwriting needs no room")}), IsOk());
  EXPECT_FALSE(file->Append(AsBytes("x")).ok());
  EXPECT_FALSE(file->Truncate(51).ok());
  EXPECT_FALSE(file->Allocate(51).ok());
  ASSERT_THAT(file->Truncate(40), IsOk());
  EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(10u));
  ASSERT_THAT(fs_.RemoveFile("old"), IsOk());
  EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(110u));
  ASSERT_THAT(file->Append(AsBytes(std::string(100, 'c'))), IsOk());
  fs_.ClearSpace();
  EXPECT_THAT(file->Append(AsBytes(std::string(1000, 'd'))), IsOk());
}

TEST_F(FaultInjectingFileSystemTest, RoomIsFreeWhenTheLastNameAndHandleAreGone) {
  fs_.SetSpace(100);
  {
    ASSERT_OK_AND_ASSIGN(auto file, fs_.Create("a"));
    ASSERT_THAT(file->Append(AsBytes(std::string(60, 'a'))), IsOk());
    ASSERT_THAT(fs_.Link("a", "b"), IsOk());
    ASSERT_THAT(fs_.RemoveFile("a"), IsOk());
    ASSERT_THAT(fs_.Rename("b", "c"), IsOk());
    EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(40u));
    ASSERT_THAT(fs_.RemoveFile("c"), IsOk());
    EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(40u)) << "still open";
  }
  EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(100u));
  ASSERT_OK_AND_ASSIGN(auto first, fs_.Create("x"));
  ASSERT_THAT(first->Append(AsBytes(std::string(30, 'x'))), IsOk());
  ASSERT_OK_AND_ASSIGN(auto second, fs_.Create("y"));
  ASSERT_THAT(second->Append(AsBytes(std::string(20, 'y'))), IsOk());
  second.reset();
  ASSERT_THAT(fs_.Rename("x", "y"), IsOk());
  EXPECT_THAT(fs_.FreeSpace("/"), IsOkAndHolds(70u)) << "the replaced file gave its room back";
}

}  // namespace
}  // namespace firn
