#include "tree/label.h"

#include <string>

#include "absl/strings/escaping.h"
#include "base/blake2b.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

struct EmptyDigest {
  uint32_t key_length;
  std::optional<uint32_t> value_length;
  const char* digest;
};

// From the tables of the reference implementations.
constexpr EmptyDigest kEmptyDigests[] = {
    {1, std::nullopt, "931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900"},
    {1, 0, "931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900"},
    {1, 100, "29c7a7963a3163c69e8d1b1c64d093ac0e1a78a9e5dc9e9c3a549906fcbf992700"},
    {8, 8, "cb49a4c2212c3fc9dcd9c32273246d984410a5479fe4e6f51cc0e6f018d40b4600"},
    {16, 1, "3edf3c52abb7f19e45231241c9464ac2cd1d1b7e0723f66256288d67686140b700"},
    {20, 32, "a9598fd942ac096aac3bef862159651afd0a9fa8b0a1c5a51e640aa864a984d500"},
    {32, std::nullopt, "4ec61f485b98eb87153f7c57db4f5ecd75556fddbc403b41acf8441fde8e160900"},
    {32, 8, "aebde47e15b6bfb577265ea5a819f5779328085286d86e7e1089636641dae9b800"},
    {32, 16, "7646880513f252c3d32bda13fbda0636c26a4c3b612eb4e4cab0fafc6c2def5a00"},
    {32, 24, "b4a91cda32c6691b89913b30400b586ef792743e4c3e8ea938ede0de5d679dfe00"},
    {32, 32, "57326f0ef1d34c46c45c365c3fb1a34f43d5e5169c848cae938ef684b1995cdd00"},
    {33, 100, "2b770ec823962906d5cee2b2fbfb37fb423a345f9cc7350585eaf614029a1c6e00"},
    {64, std::nullopt, "63c21c6e510c3e9eb929e1ca8c30a34aaed66753433f77ef1a3debbbd04c057400"},
    {64, 100, "62bd1ca5f7b5be4b51dfb4d2b19c61da8fd80648587d7545c01c5b2d62e76c0600"},
};

TEST(LabelTest, EmptyTreesHaveTheDigestsOfTheReferenceImplementations) {
  for (const EmptyDigest& row : kEmptyDigests) {
    const TreeParameters parameters{.key_length = row.key_length, .value_length = row.value_length};
    EXPECT_EQ(EmptyTreeDigest(parameters).ToHex(), row.digest) << row.key_length;
  }
}

TEST(LabelTest, LeavesOfEverySizeHashTheirPartsInOrder) {
  for (const size_t value_size :
       std::initializer_list<size_t>{0, 1, 8, 180, 190, 191, 192, 193, 1000, 70000}) {
    const std::string key(32, '\x01');
    const std::string next(32, '\x02');
    const std::string value(value_size, '\x03');
    const std::string message = std::string(1, '\0') + key + value + next;
    EXPECT_EQ(LeafLabel({.key = key, .value = value, .next = next}),
              HashBlake2b256(AsBytes(message)))
        << value_size;
  }
}

TEST(LabelTest, InternalNodesHashBalanceAsOneSignedByteAndNoKey) {
  Label left;
  left.fill(0xaa);
  Label right;
  right.fill(0xbb);
  const std::string message =
      std::string("\x01\xff", 2) + std::string(32, '\xaa') + std::string(32, '\xbb');
  EXPECT_EQ(InternalLabel(-1, left, right), HashBlake2b256(AsBytes(message)));
  EXPECT_NE(InternalLabel(1, left, right), InternalLabel(-1, left, right));
}

TEST(LabelTest, KeysOfWrongLengthAndSentinelsAreIllegal) {
  const TreeParameters parameters{.key_length = 3};
  EXPECT_THAT(CheckKey("abc", parameters), IsOk());
  EXPECT_THAT(CheckKey(absl::string_view("\0\0\1", 3), parameters), IsOk());
  EXPECT_THAT(CheckKey("\xff\xff\xfe", parameters), IsOk());
  EXPECT_THAT(CheckKey(absl::string_view("\0\0\0", 3), parameters),
              HasReason(ErrorReason::kIllegalKey));
  EXPECT_THAT(CheckKey("\xff\xff\xff", parameters), HasReason(ErrorReason::kIllegalKey));
  EXPECT_THAT(CheckKey("", parameters), HasReason(ErrorReason::kIllegalKey));
  EXPECT_THAT(CheckKey("abcd", parameters), HasReason(ErrorReason::kIllegalKey));
}

TEST(LabelTest, ValuesMustHaveTheFixedLength) {
  EXPECT_THAT(CheckValue("12345678", {.key_length = 1, .value_length = 8}), IsOk());
  EXPECT_THAT(CheckValue("1234567", {.key_length = 1, .value_length = 8}),
              HasReason(ErrorReason::kIllegalValue));
  EXPECT_THAT(CheckValue("", {.key_length = 1}), IsOk());
}

TEST(LabelTest, ParametersOutOfRangeAreRefused) {
  EXPECT_THAT(CheckTreeParameters({.key_length = 0}), HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(CheckTreeParameters({.key_length = 256}), HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(CheckTreeParameters({.key_length = 1, .value_length = (16u << 20) + 1}),
              HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(CheckTreeParameters({.key_length = 255, .value_length = 16u << 20}), IsOk());
}

}  // namespace
}  // namespace firn
