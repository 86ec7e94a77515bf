#include "base/coding.h"

#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

using ::testing::Eq;
using ::testing::Optional;

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(CodingTest, WritesFixedIntegersLittleEndian) {
  std::string bytes;
  PutFixed16(bytes, 0x0102);
  PutFixed32(bytes, 0x03040506);
  PutFixed64(bytes, 0x0708090a0b0c0d0e);
  EXPECT_EQ(bytes, Bytes({2, 1, 6, 5, 4, 3, 0xe, 0xd, 0xc, 0xb, 0xa, 9, 8, 7}));
}

TEST(CodingTest, BigEndianBytesSortAsNumbers) {
  std::string bytes;
  PutBigEndian32(bytes, 0x01020304);
  PutBigEndian64(bytes, 0x05060708090a0b0c);
  EXPECT_EQ(bytes, Bytes({1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc}));
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t a = random.Next() >> random.Uniform(64);
    const uint64_t b = random.Next() >> random.Uniform(64);
    std::string left, right;
    PutBigEndian64(left, a);
    PutBigEndian64(right, b);
    EXPECT_EQ(a < b, left < right) << a << " " << b;
  }
}

TEST(CodingTest, LoadsWhatWasStored) {
  uint8_t buffer[8];
  StoreFixed16(buffer, 0xabcd);
  EXPECT_EQ(LoadFixed16(buffer), 0xabcd);
  StoreFixed32(buffer, 0xdeadbeef);
  EXPECT_EQ(LoadFixed32(buffer), 0xdeadbeef);
  EXPECT_EQ(LoadFixed32(ByteSpan(buffer)), 0xdeadbeef);
  StoreFixed64(buffer, 0x0123456789abcdef);
  EXPECT_EQ(LoadFixed64(buffer), 0x0123456789abcdef);
  EXPECT_EQ(LoadFixed64(ByteSpan(buffer)), 0x0123456789abcdef);
  StoreBigEndian32(buffer, 0xdeadbeef);
  EXPECT_EQ(buffer[0], 0xde);
  EXPECT_EQ(LoadBigEndian32(buffer), 0xdeadbeef);
  EXPECT_EQ(LoadBigEndian32(ByteSpan(buffer)), 0xdeadbeef);
  StoreBigEndian64(buffer, 0x0123456789abcdef);
  EXPECT_EQ(LoadBigEndian64(buffer), 0x0123456789abcdef);
  EXPECT_EQ(LoadBigEndian64(ByteSpan(buffer)), 0x0123456789abcdef);
  EXPECT_EQ(LoadFixed16(ByteSpan(buffer)), 0x2301);
}

TEST(CodingDeathTest, LoadingFromTooFewBytesIsABrokenInvariant) {
  const std::string three = "abc";
  EXPECT_DEATH(LoadFixed32(AsBytes(three)), "broken invariant");
}

TEST(CodingTest, VarintsOfEveryWidthComeBack) {
  for (unsigned width = 0; width <= 64; ++width) {
    for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      const uint64_t value = (width == 64 ? 0 : uint64_t{1} << width) + offset;
      std::string bytes;
      PutVarint64(bytes, value);
      EXPECT_EQ(bytes.size(), VarintSize(value)) << value;
      ByteReader reader(bytes);
      EXPECT_THAT(reader.ReadVarint64(), Optional(value));
      EXPECT_TRUE(reader.empty());
      ByteReader narrow(bytes);
      if (value <= UINT32_MAX) {
        EXPECT_THAT(narrow.ReadVarint32(), Optional(static_cast<uint32_t>(value)));
      } else {
        EXPECT_THAT(narrow.ReadVarint32(), Eq(std::nullopt));
      }
    }
  }
}

TEST(CodingTest, VarintSizesAreThoseOfTheFormat) {
  EXPECT_EQ(VarintSize(0), 1u);
  EXPECT_EQ(VarintSize(127), 1u);
  EXPECT_EQ(VarintSize(128), 2u);
  EXPECT_EQ(VarintSize(UINT32_MAX), kMaxVarint32Size);
  EXPECT_EQ(VarintSize(UINT64_MAX), kMaxVarint64Size);
  std::string bytes;
  PutVarint32(bytes, 300);
  EXPECT_EQ(bytes, Bytes({0xac, 0x02}));
}

TEST(ByteReaderTest, RefusesVarintsThatAreCutTooLongOrNotShortest) {
  const std::vector<std::string> bad = {
      "",
      Bytes({0x80}),
      Bytes({0xff, 0xff}),
      Bytes({0x80, 0x00}),                                                        // 0 in two bytes
      Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}),        // 65 bits
      Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81}),        // goes on
      Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00}),  // 11 bytes
  };
  for (const std::string& bytes : bad) {
    ByteReader reader(bytes);
    EXPECT_FALSE(reader.ReadVarint64().has_value());
    EXPECT_FALSE(reader.ReadVarint32().has_value());
    EXPECT_EQ(reader.position(), 0u);
  }
}

TEST(ByteReaderTest, ReadsForwardAndTellsWhereItIs) {
  std::string bytes;
  bytes.push_back(7);
  PutFixed16(bytes, 16);
  PutFixed32(bytes, 32);
  PutFixed64(bytes, 64);
  PutBigEndian32(bytes, 320);
  PutBigEndian64(bytes, 640);
  PutLengthPrefixed(bytes, "value");
  PutBytes(bytes, AsBytes("abcdefg"));
  ByteReader reader(bytes);
  EXPECT_THAT(reader.ReadByte(), Optional(7));
  EXPECT_THAT(reader.ReadFixed16(), Optional(16));
  EXPECT_THAT(reader.ReadFixed32(), Optional(32u));
  EXPECT_THAT(reader.ReadFixed64(), Optional(64u));
  EXPECT_EQ(reader.position(), 15u);
  EXPECT_THAT(reader.ReadBigEndian32(), Optional(320u));
  EXPECT_THAT(reader.ReadBigEndian64(), Optional(640u));
  EXPECT_EQ(reader.ReadLengthPrefixed().value(), "value");
  EXPECT_EQ(AsText(reader.ReadBytes(2).value()), "ab");
  EXPECT_EQ(reader.ReadText(1).value(), "c");
  EXPECT_TRUE(reader.Skip(1));
  EXPECT_EQ(reader.remaining(), 3u);
  EXPECT_EQ(AsText(reader.rest()), "efg");
  EXPECT_FALSE(reader.Skip(4));
  EXPECT_FALSE(reader.ReadBytes(4).has_value());
  EXPECT_FALSE(reader.ReadBytes(SIZE_MAX).has_value());
  EXPECT_EQ(reader.remaining(), 3u);
}

TEST(ByteReaderTest, EveryTruncationIsNulloptAndMovesNothing) {
  std::string whole;
  PutFixed64(whole, 1);
  for (size_t size = 0; size < 8; ++size) {
    ByteReader reader(absl::string_view(whole).substr(0, size));
    EXPECT_FALSE(reader.ReadFixed64().has_value());
    EXPECT_FALSE(reader.ReadBigEndian64().has_value());
    EXPECT_EQ(reader.ReadFixed32().has_value(), size >= 4);
  }
  std::string prefixed;
  PutLengthPrefixed(prefixed, std::string(300, 'x'));
  for (size_t size = 0; size < prefixed.size(); ++size) {
    ByteReader reader(absl::string_view(prefixed).substr(0, size));
    EXPECT_FALSE(reader.ReadLengthPrefixed().has_value());
    EXPECT_EQ(reader.position(), 0u);
  }
}

TEST(ByteReaderTest, AnyBytesGiveAValueOrNulloptWithinBounds) {
  Random random(2);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint8_t> bytes(random.Uniform(24));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
    ByteReader reader{ByteSpan(bytes)};
    while (!reader.empty()) {
      const size_t before = reader.position();
      bool read = false;
      switch (random.Uniform(4)) {
        case 0: read = reader.ReadVarint64().has_value(); break;
        case 1: read = reader.ReadVarint32().has_value(); break;
        case 2: read = reader.ReadLengthPrefixed().has_value(); break;
        default: read = reader.ReadByte().has_value(); break;
      }
      EXPECT_EQ(read, reader.position() > before);
      ASSERT_LE(reader.position(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace firn
