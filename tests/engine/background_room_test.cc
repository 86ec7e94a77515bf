#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "engine/background_work.h"
#include "tests/engine/background_fixture.h"

namespace firn {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using BackgroundRoomTest = BackgroundWorkTest;

TEST_F(BackgroundRoomTest, AFailedFlushSticksAndReadsGoOn) {
  ASSERT_THAT(Fill(3), IsOk());
  faulty_.AddRule({.operation = FileOperation::kSync, .path_part = ".seg"});
  EXPECT_THAT(store_->Flush(store_.Open("notes")), HasReason(ErrorReason::kIo));
  EXPECT_THAT(store_.Put("notes", "more", "v"), HasReason(ErrorReason::kPoisoned));
  EXPECT_EQ(store_.Get("notes", "k1"), std::string(500, 'v'));
  static_cast<void>(store_.Close());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_EQ(store_.Get("notes", "k1"), std::string(500, 'v'));
  EXPECT_THAT(store_.Put("notes", "more", "v"), IsOk());
}

TEST_F(BackgroundRoomTest, AFullDiskIsReturnedWhileItLastsAndWritesThenResume) {
  ASSERT_THAT(Fill(3, Durability::kSynced), IsOk());
  faulty_.SetSpace(0);
  absl::Status status = absl::OkStatus();
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    status = Fill(1);
    static_cast<void>(store_.executor().Step());
  }
  EXPECT_THAT(status, HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Fill(1), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(store_->Flush(store_.Open("notes")), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(store_->WaitForBackgroundWork(), HasReason(ErrorReason::kDiskFull));
  EXPECT_EQ(store_.Get("notes", "k1"), std::string(500, 'v'));
  faulty_.ClearSpace();
  EXPECT_THAT(Fill(100), IsOk());
  EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  EXPECT_THAT(store_->WaitForBackgroundWork(), IsOk());
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_EQ(store_.Get("notes", "k99"), std::string(500, 'v'));
}

// A want of file handles is over some time. What was to be flushed is still there, and in the log.
TEST_F(BackgroundRoomTest, AWantOfFileHandlesInAFlushStopsNoWriteBeforeMemoryIsFull) {
  ASSERT_THAT(Fill(3, Durability::kSynced), IsOk());
  const size_t rule = faulty_.AddRule({.operation = FileOperation::kCreate,
                                       .path_part = ".seg",
                                       .count = FaultRule::kForever,
                                       .error_number = EMFILE});
  EXPECT_THAT(store_->Flush(store_.Open("notes")),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("errno 24")));
  EXPECT_THAT(Fill(8), IsOk());
  EXPECT_THAT(Fill(1000), HasReason(ErrorReason::kIo));  // memory is full
  EXPECT_GE(faulty_.hits(rule), 1u);
  faulty_.ClearRules();
  store_.clock().Advance(std::chrono::seconds(1));
  EXPECT_THAT(Fill(100), IsOk());
  EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_EQ(store_.Get("notes", "k99"), std::string(500, 'v'));
}

// The disk shows room, for it is the quota that is full.
TEST_F(BackgroundRoomTest, WhatFailsAgainAndAgainIsTriedLessAndLessOften) {
  const size_t rule = faulty_.AddRule({.operation = FileOperation::kCreate,
                                       .path_part = ".seg",
                                       .count = FaultRule::kForever,
                                       .error_number = EDQUOT});
  for (int i = 0; i < 2000; ++i) {
    static_cast<void>(Fill(1));
    while (store_.executor().Step()) {
    }
    store_.clock().Advance(std::chrono::milliseconds(5));
  }
  EXPECT_GE(faulty_.hits(rule), 10u);  // about one a second
  EXPECT_LE(faulty_.hits(rule), 30u);
  faulty_.ClearRules();
  store_.clock().Advance(std::chrono::seconds(1));
  EXPECT_THAT(Fill(20), IsOk());
  EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
}

// It is the client that asked who hears of it, and nobody else: the store has nothing to merge.
TEST_F(BackgroundRoomTest, ACompactionByHandWithoutRoomOnlyReturnsItsError) {
  ASSERT_THAT(Fill(60), IsOk());
  ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  constexpr uint64_t kFlushesOnly = (uint64_t{4} << 20) + 1024;
  faulty_.SetSpace(store_.options().free_space_min + kFlushesOnly);
  EXPECT_THAT(store_->Compact(store_.Open("notes"), "", ""), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(store_->WaitForBackgroundWork(), IsOk());
  EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  EXPECT_THAT(store_->WaitForBackgroundWork(), IsOk());
  faulty_.ClearSpace();
  EXPECT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
}

}  // namespace
}  // namespace firn
