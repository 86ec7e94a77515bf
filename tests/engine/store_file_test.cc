#include "engine/store_file.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

StoreFile Example() {
  return {"00112233445566778899aabbccddeeff", {{"tree.key_length", "32"}, {"note", "a = b?"}}};
}

TEST(StoreFile, ComesBackFromDisk) {
  MemoryFileSystem file_system;
  ASSERT_THAT(file_system.CreateDirectory("s"), IsOk());
  EXPECT_THAT(ReadStoreFile(file_system, "s"), StatusIs(absl::StatusCode::kNotFound));
  StoreFile store{NewStoreId(), {{"tree.key_length", "32"}, {"empty", ""}}};
  ASSERT_THAT(WriteStoreFile(file_system, "s", store), IsOk());
  EXPECT_THAT(ReadStoreFile(file_system, "s"), IsOkAndHolds(store));
}

TEST(StoreFile, IdsDiffer) {
  EXPECT_EQ(NewStoreId().size(), 32u);
  EXPECT_NE(NewStoreId(), NewStoreId());
}

TEST(StoreFile, ThePageShowsItsBytes) {
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadGoldenHex("docs/formats/store.md", "store_file"));
  const StoreFile store{"00112233445566778899aabbccddeeff", {{"tree.key_length", "32"}}};
  EXPECT_EQ(EncodeStoreFile(store), page);
  EXPECT_THAT(DecodeStoreFile("FIRN", page), IsOkAndHolds(store));
}

TEST(StoreFile, SaysWhatIsWrong) {
  StoreFile store = Example();
  store.identity.erase("note");
  const std::string good = EncodeStoreFile(store);
  EXPECT_THAT(DecodeStoreFile("d/FIRN", "hello"), HasReason(ErrorReason::kNotAStore));
  EXPECT_THAT(DecodeStoreFile("d/FIRN", ""), HasReason(ErrorReason::kNotAStore));
  const auto newer = DecodeStoreFile(
      "d/FIRN", absl::StrReplaceAll(good, {{"format = 2", "format = 7"}}));
  EXPECT_THAT(newer, HasReason(ErrorReason::kFormatVersion));
  EXPECT_THAT(newer, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version 7")));
  EXPECT_THAT(DecodeStoreFile("d/FIRN", absl::StrReplaceAll(good, {{"= 32", "= 33"}})),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("d/FIRN")));
}

TEST(StoreFile, NoByteMayChangeAndNoneMayBeMissing) {
  StoreFile store = Example();
  store.identity.erase("note");
  const std::string good = EncodeStoreFile(store);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(DecodeStoreFile("FIRN", bad).ok()) << i;
    EXPECT_FALSE(DecodeStoreFile("FIRN", good.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(DecodeStoreFile("FIRN", absl::StrCat(good, "x")).ok());
}

TEST(StoreFile, RefusesFactsThatCouldNotBeReadBack) {
  EXPECT_THAT(CheckIdentity({{"key", "value"}}), IsOk());
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"", "v"}, {"a=b", "v"}, {"k", "a\nb"}, {"k2", " v"}, {"k3", "x=y"}, {"k4", "\x80"}}) {
    EXPECT_THAT(CheckIdentity({{key, value}}), HasReason(ErrorReason::kInvalidOption)) << key;
  }
}

}  // namespace
}  // namespace firn
