#include "tools/records/fields.h"

#include <fstream>

#include "absl/strings/escaping.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

std::string ReasonWord(const absl::Status& status) { return RejectionFrom(status, "").reason; }

TEST(FieldsTest, AmountsAreScaledExactly) {
  EXPECT_THAT(ParseAmount("321.5", 3), IsOkAndHolds(321500));
  EXPECT_THAT(ParseAmount("114", 3), IsOkAndHolds(114000));
  EXPECT_THAT(ParseAmount("0.001", 3), IsOkAndHolds(1));
  EXPECT_THAT(ParseAmount(".5", 1), IsOkAndHolds(5));
  EXPECT_THAT(ParseAmount("5.", 1), IsOkAndHolds(50));
  EXPECT_THAT(ParseAmount("-7.25", 2), IsOkAndHolds(-725));
  EXPECT_THAT(ParseAmount("+7", 0), IsOkAndHolds(7));
  EXPECT_THAT(ParseAmount("7.000", 0), IsOkAndHolds(7)) << "zeroes behind the point are no loss";
}

TEST(FieldsTest, AmountsThatLoseDigitsOrDoNotFitAreRefused) {
  EXPECT_EQ(ReasonWord(ParseAmount("1.2345", 3).status()), "digits_lost");
  EXPECT_THAT(ParseAmount("9223372036854775807", 0), IsOkAndHolds(INT64_MAX));
  EXPECT_THAT(ParseAmount("-9223372036854775808", 0), IsOkAndHolds(INT64_MIN));
  EXPECT_EQ(ReasonWord(ParseAmount("9223372036854775808", 0).status()), "out_of_range");
  EXPECT_EQ(ReasonWord(ParseAmount("-9223372036854775809", 0).status()), "out_of_range");
  EXPECT_EQ(ReasonWord(ParseAmount("99999999999999999999999999", 0).status()), "out_of_range");
  EXPECT_EQ(ReasonWord(ParseAmount("9223372036854775807", 1).status()), "out_of_range");
  for (const char* text : {"", ".", "-", "+", "1e5", "0x10", "1 2", "--1", "1.2.3", "NaN", "1,5"}) {
    EXPECT_EQ(ReasonWord(ParseAmount(text, 3).status()), "bad_number") << text;
  }
}

TEST(FieldsTest, PseudoAccountsAreAPrefixAndAHash) {
  RecordOptions options;
  ASSERT_OK_AND_ASSIGN(const std::string key, ParseAccount("6", options));
  ASSERT_EQ(key.size(), 33u);
  EXPECT_EQ(key[0], 2);
  // BLAKE2b-256 of "6", from another implementation.
  EXPECT_EQ(absl::BytesToHexString(key.substr(1)),
            "7bee3bbfb37286d6a41378082e08c12af0084f0b1b92f77983f4c3394e91b5e9");
  EXPECT_EQ(ReasonWord(ParseAccount("", options).status()), "bad_account");
}

TEST(FieldsTest, HexAccountsMustBeCompressedPublicKeys) {
  RecordOptions options;
  options.accounts = AccountForm::kHex;
  const std::string good = "02" + std::string(64, 'a');
  ASSERT_OK_AND_ASSIGN(const std::string key, ParseAccount(good, options));
  EXPECT_EQ(absl::BytesToHexString(key), good);
  for (const std::string& bad : {std::string("04") + std::string(64, 'a'), good.substr(2),
                                 good + "00", std::string(66, 'g')}) {
    EXPECT_EQ(ReasonWord(ParseAccount(bad, options).status()), "bad_account") << bad;
  }
}

TEST(FieldsTest, AccountTablesAreReadAndErrorsNameTheLine) {
  TemporaryDirectory folder;
  const std::string path = folder.File("accounts");
  const std::string key = "03" + std::string(64, '1');
  std::ofstream(path) << "# people\nalice " << key << "\n\nbob\t" << key << "\n";
  RecordOptions options;
  options.accounts = AccountForm::kTable;
  ASSERT_OK_AND_ASSIGN(options.account_table, ReadAccountTable(path));
  EXPECT_THAT(ParseAccount("bob", options), IsOk());
  EXPECT_EQ(ReasonWord(ParseAccount("carol", options).status()), "unknown_account");

  std::ofstream(path) << "alice " << key << "\nbob nokey\n";
  EXPECT_THAT(ReadAccountTable(path).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2")));
}

TEST(FieldsTest, TimesAreSecondsOrMilliseconds) {
  EXPECT_THAT(ParseTime("1289241912", TimeForm::kAuto, 1), IsOkAndHolds(1289241912000u));
  EXPECT_THAT(ParseTime("1743379200000", TimeForm::kAuto, 1), IsOkAndHolds(1743379200000u));
  EXPECT_THAT(ParseTime("5", TimeForm::kMilliseconds, 1), IsOkAndHolds(5u));
  EXPECT_THAT(ParseTime("anything", TimeForm::kLine, 42), IsOkAndHolds(42u));
  EXPECT_EQ(ReasonWord(ParseTime("yesterday", TimeForm::kAuto, 1).status()), "bad_time");
  EXPECT_EQ(ReasonWord(ParseTime("-1", TimeForm::kAuto, 1).status()), "bad_time");
  EXPECT_EQ(ReasonWord(ParseTime("9223372036854775807", TimeForm::kSeconds, 1).status()),
            "bad_time");
}

TEST(FieldsTest, Utf8IsToldFromOtherBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf5\x80\x80\x80", "\xf4\x90\x80\x80", "a\x80"}) {
    EXPECT_FALSE(IsUtf8(bad)) << absl::CHexEscape(bad);
  }
}

TEST(FieldsTest, AmountValuesAreBigEndian) {
  EXPECT_EQ(absl::BytesToHexString(AmountValue(258)), "0000000000000102");
  EXPECT_EQ(absl::BytesToHexString(AmountValue(-1)), "ffffffffffffffff");
}

}  // namespace
}  // namespace firn
