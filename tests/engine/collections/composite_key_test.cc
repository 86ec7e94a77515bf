#include "firn/composite_key.h"

#include <limits>

#include "absl/strings/escaping.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

std::string DrawPart(Random& random) {
  constexpr char kBytes[] = {'\x00', '\x01', 'a', '\xfe', '\xff'};
  std::string part;
  for (uint64_t i = random.Uniform(5); i > 0; --i) part += kBytes[random.Uniform(5)];
  return part;
}

std::vector<std::string> DrawParts(Random& random) {
  std::vector<std::string> parts;
  for (uint64_t i = random.Uniform(4); i > 0; --i) parts.push_back(DrawPart(random));
  return parts;
}

std::string Ordered(const std::vector<std::string>& parts) {
  return EncodeOrderedKey(std::vector<absl::string_view>(parts.begin(), parts.end()));
}

std::string LengthPrefixed(const std::vector<std::string>& parts) {
  return EncodeLengthPrefixedKey(std::vector<absl::string_view>(parts.begin(), parts.end()));
}

TEST(CompositeKeyTest, HasTheBytesOfItsHeader) {
  EXPECT_EQ(absl::BytesToHexString(EncodeOrderedKey({"ab", "c"})), "61620001630001");
  EXPECT_EQ(absl::BytesToHexString(EncodeOrderedKey({absl::string_view("a\0", 2), ""})),
            "6100ff00010001");
  EXPECT_EQ(absl::BytesToHexString(EncodeLengthPrefixedKey({"ab", "c"})),
            "0000000261620000000163");
  EXPECT_EQ(EncodeOrderedKey({}), "");
  EXPECT_EQ(EncodeLengthPrefixedKey({}), "");
}

TEST(CompositeKeyTest, BothFormsComeBackWhole) {
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const std::vector<std::string> parts = DrawParts(random);
    ASSERT_THAT(DecodeOrderedKey(Ordered(parts)), IsOkAndHolds(parts));
    ASSERT_THAT(DecodeLengthPrefixedKey(LengthPrefixed(parts)), IsOkAndHolds(parts));
  }
}

TEST(CompositeKeyTest, TheOrderedFormSortsAsThePartsDo) {
  Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::vector<std::string> a = DrawParts(random), b = DrawParts(random);
    ASSERT_EQ(Ordered(a) < Ordered(b), a < b);
    ASSERT_EQ(Ordered(a) == Ordered(b), a == b);
  }
}

TEST(CompositeKeyTest, OtherBytesAreRefusedWithTheirOffset) {
  for (const absl::string_view key :
       {absl::string_view("a"), absl::string_view("a\0", 2), absl::string_view("a\0\2", 3),
        absl::string_view("a\0\1b", 4)}) {
    const auto decoded = DecodeOrderedKey(key);
    EXPECT_THAT(decoded, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("offset")));
    EXPECT_THAT(decoded.status(), HasReason(ErrorReason::kSerialization));
  }
  for (const absl::string_view key :
       {absl::string_view("\0\0\0", 3), absl::string_view("\0\0\0\2a", 5),
        absl::string_view("\xff\xff\xff\xff", 4)}) {
    EXPECT_THAT(DecodeLengthPrefixedKey(key),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("offset")));
  }
}

// Whatever decodes is what its parts encode to; nothing crashes.
TEST(CompositeKeyTest, DecodingIsTheInverseOfEncodingOnAnyBytes) {
  Random random(3);
  int decoded_keys = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string key = DrawPart(random) + DrawPart(random);
    const auto ordered = DecodeOrderedKey(key);
    if (ordered.ok()) {
      ++decoded_keys;
      ASSERT_EQ(Ordered(*ordered), key);
    }
    const auto prefixed = DecodeLengthPrefixedKey(key);
    if (prefixed.ok()) {
      ASSERT_EQ(LengthPrefixed(*prefixed), key);
    }
  }
  EXPECT_GT(decoded_keys, 100);
}

TEST(CompositeKeyTest, NumbersSortAsNumbers) {
  Random random(4);
  const auto draw = [&] { return random.Next() >> random.Uniform(64); };
  for (int i = 0; i < 5000; ++i) {
    const uint64_t a = draw(), b = draw();
    ASSERT_EQ(EncodeUint64(a) < EncodeUint64(b), a < b);
    ASSERT_EQ(DecodeUint64(EncodeUint64(a)), a);
    const int64_t c = static_cast<int64_t>(a) * (random.OneIn(2) ? 1 : -1);
    const int64_t d = static_cast<int64_t>(b) * (random.OneIn(2) ? 1 : -1);
    ASSERT_EQ(EncodeInt64(c) < EncodeInt64(d), c < d);
    ASSERT_EQ(DecodeInt64(EncodeInt64(c)), c);
  }
  EXPECT_LT(EncodeInt64(std::numeric_limits<int64_t>::min()), EncodeInt64(-1));
  EXPECT_EQ(DecodeUint64("1234567"), std::nullopt);
  EXPECT_EQ(DecodeInt64("123456789"), std::nullopt);
}

}  // namespace
}  // namespace firn
