#include "base/crc32c.h"

#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"

namespace firn {
namespace {

TEST(Crc32cTest, GivesTheValuesOfTheStandard) {
  // RFC 3720, B.4, and the check value of the CRC catalogue.
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283);
  EXPECT_EQ(Crc32c(AsBytes(std::string(32, '\0'))), 0x8a9136aa);
  EXPECT_EQ(Crc32c(AsBytes(std::string(32, '\xff'))), 0x62a8ab43);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(Crc32c(AsBytes(rising)), 0x46dd794e);
  EXPECT_EQ(Crc32c(AsBytes(falling)), 0x113fdb5c);
  EXPECT_EQ(Crc32c(ByteSpan()), 0u);
  EXPECT_EQ(Crc32c(ByteSpan(), 77), 77u);
}

TEST(Crc32cTest, ExtendsOverPieces) {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    const std::string bytes = RandomBytes(random, random.Uniform(20000));
    const size_t cut = random.Uniform(bytes.size() + 1);
    const ByteSpan whole = AsBytes(bytes);
    EXPECT_EQ(Crc32c(whole.subspan(cut), Crc32c(whole.first(cut))), Crc32c(whole));
  }
}

TEST(Crc32cTest, BothImplementationsAgreeAtEverySizeAlignmentAndSeed) {
  if (!crc32c_internal::HardwareIsPresent()) GTEST_SKIP() << "no SSE4.2 on this processor";
  Random random(5);
  const std::string bytes = RandomBytes(random, 40000);
  const ByteSpan all = AsBytes(bytes);
  for (size_t size = 0; size < 1200; ++size) {
    const ByteSpan part = all.subspan(random.Uniform(64), size);
    const uint32_t seed = static_cast<uint32_t>(random.Next());
    ASSERT_EQ(crc32c_internal::Hardware(part, seed), crc32c_internal::Portable(part, seed)) << size;
  }
  for (int round = 0; round < 500; ++round) {
    const size_t begin = random.Uniform(all.size());
    const ByteSpan part = all.subspan(begin, random.Uniform(all.size() - begin + 1));
    const uint32_t seed = static_cast<uint32_t>(random.Next());
    ASSERT_EQ(crc32c_internal::Hardware(part, seed), crc32c_internal::Portable(part, seed))
        << part.size();
  }
}

TEST(Crc32cTest, SeesEveryFlippedBit) {
  Random random(6);
  std::string bytes = RandomBytes(random, 600);
  const uint32_t intact = Crc32c(AsBytes(bytes), 9);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_NE(Crc32c(AsBytes(bytes), 9), intact) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
}

}  // namespace
}  // namespace firn
