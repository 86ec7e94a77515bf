#include "base/c_support.h"

#include <cstdlib>
#include <map>
#include <new>
#include <regex>
#include <stdexcept>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/status.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

// "kDiskFull" -> "DISK_FULL".
std::string WordOf(const std::string& name) {
  std::string word;
  for (const char c : name.substr(1)) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isupper(byte) && !word.empty()) word += '_';
    word += absl::ascii_toupper(byte);
  }
  return word;
}

std::map<std::string, int> Numbers(const std::string& path, const std::string& pattern) {
  const std::string text = ReadSourceFile(path).value();
  const std::regex regex(pattern);
  std::map<std::string, int> numbers;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    numbers[(*it)[1]] = std::stoi((*it)[2]);
  }
  return numbers;
}

TEST(CSupportTest, TheReasonsOfCAreThoseOfTheCatalogue) {
  std::map<std::string, int> expected;
  for (const auto& [name, number] : Numbers("include/firn/error.h", R"((k\w+) = (\d+),)")) {
    expected[WordOf(name)] = number;
  }
  EXPECT_GT(expected.size(), 30u);
  EXPECT_EQ(Numbers("include/firn/c.h", R"(FIRN_REASON_(\w+) = (\d+))"), expected);
  for (const auto& [word, number] : expected) {
    EXPECT_EQ(absl::AsciiStrToLower(word), firn_reason_name(number));
  }
  EXPECT_STREQ(firn_reason_name(-1), "unknown");
  EXPECT_STREQ(firn_reason_name(4711), "unknown");
}

TEST(CSupportTest, AnErrorObjectSaysCodeReasonAndMessage) {
  firn_error* error = nullptr;
  const absl::Status status = InvalidOption("memtable_size", "too large");
  EXPECT_EQ(ReturnToC(status, &error), FIRN_INVALID_ARGUMENT);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(firn_error_code(error), FIRN_INVALID_ARGUMENT);
  EXPECT_EQ(firn_error_reason(error), FIRN_REASON_INVALID_OPTION);
  EXPECT_THAT(firn_error_message(error), HasSubstr("memtable_size"));
  firn_error_free(error);
  EXPECT_EQ(ReturnToC(status, nullptr), FIRN_INVALID_ARGUMENT);
}

TEST(CSupportTest, AnAbsentKeyMakesNoObjectButOtherAbsentThingsDo) {
  firn_error* error = nullptr;
  EXPECT_EQ(ReturnToC(absl::NotFoundError(""), &error), FIRN_NOT_FOUND);
  EXPECT_EQ(error, nullptr);
  EXPECT_EQ(ReturnToC(absl::NotFoundError("no keyspace"), &error), FIRN_NOT_FOUND);
  ASSERT_NE(error, nullptr);
  firn_error_free(error);
}

TEST(CSupportTest, NoExceptionLeavesACall) {
  firn_error* error = nullptr;
  EXPECT_EQ(CallFromC(&error, []() -> absl::Status { throw std::bad_alloc(); }),
            FIRN_RESOURCE_EXHAUSTED);
  EXPECT_STREQ(firn_error_message(error), "out of memory");
  firn_error_free(error);  // not the heap's
  EXPECT_EQ(CallFromC(&error, []() -> absl::Status { throw std::length_error("so long"); }),
            FIRN_INTERNAL);
  EXPECT_THAT(firn_error_message(error), HasSubstr("so long"));
  firn_error_free(error);
  EXPECT_EQ(CallFromC(nullptr, []() -> absl::Status { throw 1; }), FIRN_INTERNAL);
  error = reinterpret_cast<firn_error*>(&error);  // whatever stood there before
  EXPECT_EQ(CallFromC(&error, [] { return absl::OkStatus(); }), FIRN_OK);
  EXPECT_EQ(error, nullptr);
}

TEST(CSupportTest, BytesMayBeEmptyButNotNullWithASize) {
  EXPECT_THAT(FromC(firn_bytes{nullptr, 0}, "key"), IsOkAndHolds(Eq("")));
  EXPECT_THAT(FromC(firn_bytes{"a\0b", 3}, "key"), IsOkAndHolds(Eq(absl::string_view("a\0b", 3))));
  EXPECT_THAT(FromC(firn_bytes{nullptr, 1}, "key"), HasReason(ErrorReason::kInvalidArgument));
  const firn_bytes keys[] = {{"a", 1}, {nullptr, 2}};
  EXPECT_THAT(FromC(keys, 1, "keys").value(), ::testing::ElementsAre("a"));
  EXPECT_THAT(FromC(keys, 2, "keys"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("keys 1")));
  EXPECT_THAT(FromC(static_cast<const firn_bytes*>(nullptr), 1, "keys"),
              HasReason(ErrorReason::kInvalidArgument));
}

TEST(CSupportTest, ACopyEndsWithAZeroByteAndIsNeverNull) {
  char* const copy = static_cast<char*>(CopyForC("ab"));
  EXPECT_STREQ(copy, "ab");
  firn_free(copy);
  void* const empty = CopyForC("");
  EXPECT_NE(empty, nullptr);
  firn_free(empty);
}

TEST(CSupportTest, NumbersTakeUnits) {
  EXPECT_THAT(ParseNumber({"size", "12"}), IsOkAndHolds(Eq(12u)));
  EXPECT_THAT(ParseNumber({"size", "16MiB"}), IsOkAndHolds(Eq(uint64_t{16} << 20)));
  EXPECT_THAT(ParseNumber({"size", "1TiB"}), IsOkAndHolds(Eq(uint64_t{1} << 40)));
  for (const char* const bad : {"", "-1", "+1", " 1", "1 ", "x", "KiB", "1MB", "1.5KiB",
                                "18446744073709551616", "99999999999999TiB"}) {
    EXPECT_THAT(ParseNumber({"size", bad}), HasReason(ErrorReason::kInvalidOption)) << bad;
  }
}

TEST(CSupportTest, WordsStandForNumbersFromOneOn) {
  constexpr absl::string_view kWords[] = {"disk", "memory"};
  EXPECT_THAT(ParseWord({"storage", "memory"}, kWords), IsOkAndHolds(Eq(2)));
  EXPECT_THAT(ParseWord({"storage", "tape"}, kWords),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("disk, memory")));
  EXPECT_THAT(ParseYesNo({"proof", "yes"}), IsOkAndHolds(true));
  EXPECT_THAT(ParseYesNo({"proof", "no"}), IsOkAndHolds(false));
  EXPECT_THAT(ParseYesNo({"proof", "true"}), HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(UnknownOption({"x", "1"}), HasReason(ErrorReason::kInvalidOption));
}

TEST(CSupportTest, ReportsAndListsAnswerByNameAndIndex) {
  const firn_report report{false, {{"files", 3}}, {{"one is bad"}}, {}};
  EXPECT_EQ(firn_report_clean(&report), 0);
  uint64_t count = 0;
  EXPECT_EQ(firn_report_count(&report, firn_text("files"), &count, nullptr), FIRN_OK);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(firn_report_count(&report, firn_text("blocks"), &count, nullptr), FIRN_NOT_FOUND);
  EXPECT_EQ(firn_list_size(firn_report_damage(&report)), 1u);
  EXPECT_EQ(firn_list_at(firn_report_damage(&report), 0).size, 10u);
  EXPECT_EQ(firn_list_at(firn_report_damage(&report), 1).data, nullptr);
  EXPECT_EQ(firn_list_size(firn_report_notes(&report)), 0u);
}

}  // namespace
}  // namespace firn
