#include "base/blake2b.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/random.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

std::string Hex(const Blake2b256Hash& hash) {
  return absl::BytesToHexString(AsText(ByteSpan(hash)));
}

// Byte i of every message here.
std::vector<uint8_t> Message(size_t size) {
  std::vector<uint8_t> message(size);
  for (size_t i = 0; i < size; ++i) message[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return message;
}

struct Vector {
  size_t size;
  const char* hash;
};

// Made by Python's hashlib.blake2b(message, digest_size=32), which is the reference C code.
constexpr Vector kVectors[] = {
    {0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
    {1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"},
    {8, "f152df4bd29228d1321ef7cdf9099071536f656f201c96d9fb2d563658cbfc08"},
    {31, "4bdc95668b57f26ae2080a0dbe634c8300d7b04838ce8988348cc024236b185c"},
    {32, "45296988d7605c2e52ca736e8a46f6728b28253d68e868dd757a70eddbd9ae23"},
    {33, "9d2132789e1c484fa319b097d1a511e45d73e3e43d47c05ecd86125fc57908df"},
    {63, "2508392d692269d611c89d106598f65355a98fbe998de4c37b71105a5bb79bd6"},
    {64, "17363253d86da2d13a0f306b36da8157fa4a630e7100e0954859f44a36ae2a41"},
    {65, "61b87412081a1eda72f35d7bea52b57a07cf9dda3fde3d97bb695964a2e4eb4d"},
    {66, "ed7cec436efba8248de1aa056e87aa7ac43b8916fcb6527c5c7289d9082a39ab"},
    {73, "4e07b6be42158a5dda17b50fc639cd5fb0416bb960cf986841bfd8686668f920"},
    {79, "279c610a363ac69a64e2df3b8d92b1595c567927391527985a47ae27dcca71f2"},
    {80, "02d93c10a5e587811c84b03c44e9228366c8c1f901d821b74947dc4e69c500b6"},
    {81, "fb069cbf375afa83cc7fcf7fdc84cf1e8f5b57fe36833ecb58da918bd2226683"},
    {96, "591d219b7df2fc9b9301f771956e63e60f1a80c3143eb07217a94dfe6744e844"},
    {127, "4ff62e7c4c43fe101a078479c48836be4907d9d498dcc577ca89d694b2c11f9b"},
    {128, "14696d2a98d9f8a280da8b132b1045b345e1033759c6b02fcc4ee885c8ae7c37"},
    {129, "3934215260b1039be9d9d2b073b059bcd50120c327a22af93eb4d98cf821c14c"},
    {165, "a9fe2f53d82b6e312779912f4e3db7552470245619fa393c31affbaaea5dcf7e"},
    {200, "f5f9dd0c4e4023e68a8c5e4b9332acde4b16e7c51441723fe02a34084a394104"},
    {255, "2d106b5efea519e4564d2bd56bcfd2245f30787986ad95a734c248f001aee3c4"},
    {256, "7b4337135e0b112b7ec8528f22dd05af226cca2a358cca731696b6713f9383cb"},
    {257, "36af0bbce3ecc795d8d339ecc7a22badfd16bfa130fc2748c9b2d0f31ce00dd3"},
    {384, "fef4080d1eb2c3f65e17fd31b73f47fc6e5d5406524335c84bcfc7c7f406d77a"},
    {512, "f8595d59d84fb75bcb138102cbf2015716b19871d6754fb762f7a563fe91ed29"},
    {1000, "215bbdb5d56e0153eca48cbf15747f1daf9a359f05042c17c87563010af5b92e"},
    {4096, "004089470612e435c0db30ba81ee07585220c9419555f63346f04f021eb3c6e3"},
    {100000, "9717865b522363ff7e204da77636d78d5c73691e5672b098415d1e19dd6d6f2d"},
};

TEST(Blake2bTest, AgreesWithTheReferenceAtBlockBoundariesAndBetween) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(Hex(HashBlake2b256(Message(vector.size))), vector.hash) << vector.size;
  }
  EXPECT_EQ(Hex(HashBlake2b256(AsBytes("abc"))),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(Blake2bTest, AgreesWithTheReferenceAtEveryLengthUpToAThousand) {
  Blake2b256 all;  // the reference's hash of its hashes of all these messages
  for (size_t size = 0; size <= 1000; ++size) {
    all.Update(ByteSpan(HashBlake2b256(Message(size))));
  }
  EXPECT_EQ(Hex(all.Finish()),
            "2892842ee30f9d6118ac4abac92667f7e505c7c1c35b71a0394fa2444955ae5c");
}

TEST(Blake2bTest, PiecesGiveTheHashOfTheWhole) {
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    const std::vector<uint8_t> message = Message(random.Uniform(700));
    std::vector<ByteSpan> pieces;
    Blake2b256 streamed;
    for (size_t at = 0; at < message.size();) {
      const size_t size = std::min<size_t>(random.Uniform(200), message.size() - at);
      pieces.push_back(ByteSpan(message).subspan(at, size));
      streamed.Update(pieces.back());
      at += size;
    }
    const std::string whole = Hex(HashBlake2b256(message));
    EXPECT_EQ(Hex(HashBlake2b256(pieces)), whole) << message.size();
    EXPECT_EQ(Hex(streamed.Finish()), whole) << message.size();
  }
}

TEST(Blake2bTest, NoBytesHaveAHashToo) {
  Blake2b256 hash;
  EXPECT_EQ(Hex(hash.Finish()), Hex(HashBlake2b256(ByteSpan())));
  EXPECT_EQ(Hex(HashBlake2b256(ByteSpan())), kVectors[0].hash);
}

}  // namespace
}  // namespace firn
