#include "sstable/internal_key.h"

#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"

namespace firn {
namespace {

std::string Encoded(absl::string_view user_key, uint64_t sequence, EntryKind kind) {
  return EncodeInternalKey(
      {.user_key = user_key, .sequence = SequenceNumber{sequence}, .kind = kind});
}

TEST(InternalKeyTest, EncodesUserKeyThenSequenceAndKindLittleEndian) {
  EXPECT_EQ(Encoded("ab", 0x010203, EntryKind::kPut),
            std::string("ab\x02\x03\x02\x01\0\0\0\0", 10));
  EXPECT_EQ(Encoded("", 0, EntryKind::kTombstone), std::string("\x01\0\0\0\0\0\0\0", 8));
}

TEST(InternalKeyTest, DecodesWhatItEncoded) {
  const std::string encoded = Encoded("key", kMaxSequenceNumber.value, EntryKind::kTombstone);
  const std::optional<InternalKey> decoded = DecodeInternalKey(encoded);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->user_key, "key");
  EXPECT_EQ(decoded->sequence, kMaxSequenceNumber);
  EXPECT_EQ(decoded->kind, EntryKind::kTombstone);
  EXPECT_EQ(UserKeyOf(encoded), "key");
  EXPECT_EQ(SequenceOf(encoded), kMaxSequenceNumber);
  EXPECT_EQ(KindOf(encoded), EntryKind::kTombstone);
}

TEST(InternalKeyTest, RefusesShortKeysAndUnknownKinds) {
  EXPECT_FALSE(DecodeInternalKey("1234567").has_value());
  std::string encoded = Encoded("key", 1, EntryKind::kPut);
  for (const int kind : {0, 3, 255}) {
    encoded[3] = static_cast<char>(kind);
    EXPECT_FALSE(DecodeInternalKey(encoded).has_value()) << kind;
  }
}

TEST(InternalKeyTest, OrdersByUserKeyThenNewestFirst) {
  const std::vector<std::string> ascending = {
      Encoded("", 1, EntryKind::kPut),
      Encoded(absl::string_view("\0", 1), 9, EntryKind::kPut),
      Encoded("a", kMaxSequenceNumber.value, EntryKind::kPut),
      Encoded("a", 256, EntryKind::kPut),
      Encoded("a", 255, EntryKind::kPut),
      Encoded("a", 255, EntryKind::kTombstone),
      Encoded("a", 0, EntryKind::kPut),
      Encoded("aa", 300, EntryKind::kPut),
      Encoded("b", 1, EntryKind::kPut),
      Encoded("\x80", 1, EntryKind::kPut),
      Encoded("\xff", 2, EntryKind::kPut),
  };
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      const int order = CompareInternalKeys(ascending[i], ascending[j]);
      EXPECT_EQ(order < 0, i < j) << i << " " << j;
      EXPECT_EQ(order == 0, i == j) << i << " " << j;
    }
  }
}

TEST(InternalKeyTest, LookupKeyIsTheSeekTargetForShortAndLongKeys) {
  Random random(5);
  for (const size_t size : {0u, 1u, 119u, 120u, 121u, 1000u}) {
    const std::string user_key = RandomBytes(random, size);
    const LookupKey lookup(user_key, SequenceNumber{77});
    EXPECT_EQ(lookup.encoded(), Encoded(user_key, 77, kKindForSeek));
    EXPECT_EQ(lookup.user_key(), user_key);
  }
}

TEST(InternalKeyTest, PrefixesSortAsTheKeysDo) {
  const std::vector<std::string> keys = {"",  std::string(1, '\0'), "a", "ab", "abcdefgh",
                                         "abcdefghi", "abcdefgi", "b", "\xff", "\xff\xff"};
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    EXPECT_LE(KeyPrefix(keys[i]), KeyPrefix(keys[i + 1])) << keys[i];
  }
  EXPECT_EQ(KeyPrefix("abcdefgh"), KeyPrefix("abcdefghi"));
  EXPECT_LT(KeyPrefix("abcdefghi"), KeyPrefix("abcdefgi"));
}

}  // namespace
}  // namespace firn
