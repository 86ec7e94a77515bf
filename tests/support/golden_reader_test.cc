#include "tests/support/golden_reader.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

constexpr char kPage[] =
    "# A page\n"
    "```\n0000: ff\n```\n"
    "```hex one\n"
    "0000: 46 49  # magic\n"
    "\n"
    "  # a comment alone\n"
    "0002: 2A\n"
    "```\n"
    "```hex two\r\n"
    "0: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\r\n"
    "10: 61\r\n"
    "```\r\n"
    "```hex open\n0: 00\n";

TEST(GoldenReaderTest, ReadsTheNamedBlockOrTheFirst) {
  EXPECT_THAT(ParseGoldenHex(kPage), IsOkAndHolds(Eq("FI*")));
  EXPECT_THAT(ParseGoldenHex(kPage, "one"), IsOkAndHolds(Eq("FI*")));
  ASSERT_OK_AND_ASSIGN(const std::string two, ParseGoldenHex(kPage, "two"));
  EXPECT_EQ(two.size(), 17u);
  EXPECT_EQ(two.back(), 'a');
}

TEST(GoldenReaderTest, RefusesWhatIsNotThereOrNotWellFormed) {
  EXPECT_THAT(ParseGoldenHex(kPage, "three"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ParseGoldenHex(kPage, "open"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("does not end")));
  EXPECT_THAT(ParseGoldenHex("```hex\n0001: 00\n```\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("offset 0x1 where 0")));
  EXPECT_THAT(ParseGoldenHex("```hex\n0000: 0\n```\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a byte: 0")));
  EXPECT_THAT(ParseGoldenHex("```hex\n00 00\n```\n"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadGoldenHex("no/such/page.md"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace firn
