#include "base/status.h"

#include <cerrno>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusTest, CorruptionNamesFileOffsetExpectedAndFound) {
  const absl::Status status =
      CorruptionAt("wal/000007.wal", 4096, "record checksum", {.expected = 0xab, .actual = 0xcd});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                               Eq("wal/000007.wal: offset 4096: record checksum: expected 0xab, "
                                  "found 0xcd")));
  EXPECT_THAT(status, HasReason(ErrorReason::kCorruption));
  EXPECT_THAT(CorruptionAt("f", 1, "bad magic"),
              StatusIs(absl::StatusCode::kDataLoss, Eq("f: offset 1: bad magic")));
}

TEST(StatusTest, ErrnoMapsToWhatTheCallerCanDo) {
  EXPECT_THAT(ErrnoStatus(ENOSPC, "write"),
              AllOf(StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("make room")),
                    HasReason(ErrorReason::kDiskFull)));
  EXPECT_THAT(ErrnoStatus(EDQUOT, "write"), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(ErrnoStatus(ENOENT, "open"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ErrnoStatus(EEXIST, "open"), StatusIs(absl::StatusCode::kAlreadyExists));
  for (const int error : {EACCES, EPERM, EROFS}) {
    EXPECT_THAT(ErrnoStatus(error, "open"), StatusIs(absl::StatusCode::kPermissionDenied));
  }
  for (const int error : {EMFILE, ENFILE, ENOMEM}) {
    EXPECT_THAT(ErrnoStatus(error, "open"),
                AllOf(StatusIs(absl::StatusCode::kResourceExhausted),
                      Not(HasReason(ErrorReason::kDiskFull))));
  }
  EXPECT_THAT(ErrnoStatus(EIO, "a.seg: read at offset 5"),
              AllOf(StatusIs(absl::StatusCode::kUnavailable,
                             Eq("a.seg: read at offset 5: Input/output error (errno 5)")),
                    HasReason(ErrorReason::kIo)));
}

TEST(StatusTest, AReasonIsAttachedOnceAndSurvivesAnnotation) {
  const absl::Status first = MakeError(absl::StatusCode::kAborted, ErrorReason::kClosed, "later");
  EXPECT_THAT(WithReason(first, ErrorReason::kIo), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(Annotate(first, "flush"),
              AllOf(StatusIs(absl::StatusCode::kAborted, Eq("flush: later")),
                    HasReason(ErrorReason::kClosed)));
  EXPECT_THAT(WithReason(absl::OkStatus(), ErrorReason::kIo), IsOk());
  EXPECT_THAT(Annotate(absl::OkStatus(), "flush"), IsOk());
}

TEST(StatusTest, ForeignErrorsHaveNoReason) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), ErrorReason::kNone);
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), ErrorReason::kNone);
  absl::Status odd = absl::InternalError("x");
  odd.SetPayload(kErrorReasonUrl, absl::Cord("not a number"));
  EXPECT_EQ(ReasonOf(odd), ErrorReason::kNone);
}

TEST(StatusTest, WrongArgumentsAndOptionsSayWhich) {
  EXPECT_THAT(InvalidOption("block_size", "3 is below 512"),
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument,
                             Eq("option block_size: 3 is below 512")),
                    HasReason(ErrorReason::kInvalidOption)));
  EXPECT_THAT(InvalidArgument("empty key"),
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty key")),
                    HasReason(ErrorReason::kInvalidArgument)));
}

TEST(StatusTest, EveryReasonHasAWordOfItsOwn) {
  std::set<std::string> words;
  int count = 0;
  for (int number = 0; number <= 100; ++number) {
    const std::string word(ErrorReasonName(static_cast<ErrorReason>(number)));
    if (word == "unknown") continue;
    ++count;
    words.insert(word);
  }
  EXPECT_EQ(count, 36);  // 0-18, 20-23 and 32-44
  EXPECT_EQ(words.size(), 36u);
  EXPECT_EQ(ErrorReasonName(ErrorReason::kLabelMismatch), "label_mismatch");
}

absl::StatusOr<int> HalfOf(int number) {
  if (number % 2 != 0) return InvalidArgument("odd");
  return number / 2;
}

absl::StatusOr<int> QuarterOf(int number) {
  FIRN_ASSIGN_OR_RETURN(const int half, HalfOf(number));
  FIRN_RETURN_IF_ERROR(HalfOf(half).status());
  return half / 2;
}

TEST(StatusTest, TheMacrosPassValuesAndReturnErrors) {
  EXPECT_THAT(QuarterOf(12), IsOkAndHolds(Eq(3)));
  EXPECT_THAT(QuarterOf(6), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(QuarterOf(5), Not(IsOk()));
  ASSERT_OK_AND_ASSIGN(const int quarter, QuarterOf(8));
  EXPECT_EQ(quarter, 2);
}

}  // namespace
}  // namespace firn
