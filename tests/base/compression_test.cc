#include "base/compression.h"

#include <string>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

std::string Compressed(CompressionKind compression, const std::string& bytes) {
  std::string target = "left over";
  Compress(compression, AsBytes(bytes), target);
  return target;
}

TEST(CompressionTest, WhatWasCompressedComesBack) {
  Random random(16);
  for (const CompressionKind compression :
       {CompressionKind::kNone, CompressionKind::kLz4, CompressionKind::kZstd}) {
    if (!HasCompression(compression)) continue;
    for (int round = 0; round < 300; ++round) {
      std::string bytes;
      while (bytes.size() < random.Uniform(20000)) bytes += RandomValue(random, 3000);
      const std::string compressed = Compressed(compression, bytes);
      EXPECT_THAT(Uncompress(compression, AsBytes(compressed), bytes.size()),
                  IsOkAndHolds(Eq(bytes)));
    }
    const std::string nothing = Compressed(compression, "");
    EXPECT_THAT(Uncompress(compression, AsBytes(nothing), 0), IsOkAndHolds(Eq("")));
  }
}

TEST(CompressionTest, EveryLevelGivesTheSameFormAndHigherOnesSmallerOutput) {
  using Search = CompressionEffort::Search;
  Random random(17);
  std::string bytes;
  while (bytes.size() < 16384) bytes += RandomValue(random, 40) + "balance=";
  const auto size = [&](CompressionKind kind, Search search, uint32_t level) {
    std::string target;
    Compress(kind, AsBytes(bytes), target, {.search = search, .level = level});
    EXPECT_THAT(Uncompress(kind, AsBytes(target), bytes.size()), IsOkAndHolds(Eq(bytes)));
    return target.size();
  };
  const size_t plain = size(CompressionKind::kLz4, Search::kFast, 0);
  EXPECT_EQ(size(CompressionKind::kLz4, Search::kFast, 1), plain);
  EXPECT_GT(size(CompressionKind::kLz4, Search::kFast, kLz4AccelerationMax), plain);
  for (uint32_t level = 0; level <= kLz4HighLevelMax; ++level) {
    EXPECT_LE(size(CompressionKind::kLz4, Search::kHigh, level), plain) << level;
  }
  if (!HasCompression(CompressionKind::kZstd)) return;
  for (const uint32_t level : {0u, 1u, 3u, kZstdLevelMax}) {
    EXPECT_LT(size(CompressionKind::kZstd, Search::kFast, level), plain) << level;
  }
}

TEST(CompressionTest, TheHighestRatioOfZstdIsPlausibleAndAnImpossibleOneIsNot) {
  if (!HasCompression(CompressionKind::kZstd)) {
    EXPECT_THAT(Uncompress(CompressionKind::kZstd, AsBytes("abc"), 3),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("zstd")));
    return;
  }
  for (const size_t size : {1u, 1000u, 100000u, 50000000u}) {
    const std::string bytes(size, 'a');
    const std::string compressed = Compressed(CompressionKind::kZstd, bytes);
    EXPECT_THAT(Uncompress(CompressionKind::kZstd, AsBytes(compressed), size),
                IsOkAndHolds(Eq(bytes)));
    EXPECT_THAT(Uncompress(CompressionKind::kZstd, AsBytes(compressed), size + 1),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Uncompress(CompressionKind::kZstd, AsBytes(compressed), size_t{1} << 40),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("declared size")));
  }
  EXPECT_THAT(Uncompress(CompressionKind::kZstd, AsBytes("no frame"), 100),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("Zstd")));
}

TEST(CompressionTest, TheHighestRatioThatLz4ReachesIsPlausible) {
  for (const size_t size : {1u, 10u, 64u, 100u, 1000u, 100000u, 10000000u}) {
    const std::string bytes(size, 'a');
    const std::string compressed = Compressed(CompressionKind::kLz4, bytes);
    EXPECT_THAT(Uncompress(CompressionKind::kLz4, AsBytes(compressed), size),
                IsOkAndHolds(Eq(bytes)));
  }
}

TEST(CompressionTest, ADeclaredSizeThatCannotBeIsRefusedBeforeAllocating) {
  const std::string compressed = Compressed(CompressionKind::kLz4, std::string(1000, 'a'));
  for (const size_t declared : {size_t{100000}, size_t{1} << 27, size_t{1} << 40, SIZE_MAX}) {
    EXPECT_THAT(Uncompress(CompressionKind::kLz4, AsBytes(compressed), declared),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("declared size")));
  }
  EXPECT_THAT(Uncompress(CompressionKind::kLz4, AsBytes(std::string(1000, 'a')), 10),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Uncompress(CompressionKind::kNone, AsBytes("abc"), 4),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CompressionTest, AWrongSizeIsDataLoss) {
  const std::string bytes(1000, 'a');
  const std::string compressed = Compressed(CompressionKind::kLz4, bytes);
  EXPECT_THAT(Uncompress(CompressionKind::kLz4, AsBytes(compressed), 999),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Uncompress(CompressionKind::kLz4, AsBytes(compressed), 1001),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Uncompress(CompressionKind::kLz4, ByteSpan(), 10),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CompressionTest, DamagedBytesGiveAStatusOrOtherBytesOfThatSizeButNoCrash) {
  Random random(17);
  for (int round = 0; round < 2000; ++round) {
    const std::string bytes = RandomValue(random, 2000);
    std::string compressed = Compressed(CompressionKind::kLz4, bytes);
    for (uint64_t hits = 1 + random.Uniform(4); hits > 0; --hits) {
      compressed[random.Uniform(compressed.size())] = static_cast<char>(random.Next());
    }
    if (random.OneIn(3)) compressed.resize(random.Uniform(compressed.size() + 1));
    const absl::StatusOr<std::string> result =
        Uncompress(CompressionKind::kLz4, AsBytes(compressed), bytes.size());
    if (result.ok()) {
      EXPECT_EQ(result->size(), bytes.size());
    } else {
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kDataLoss));
    }
  }
}

TEST(CompressionTest, AnUnknownKindIsRefused) {
  EXPECT_THAT(Uncompress(static_cast<CompressionKind>(9), AsBytes("abc"), 3),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown compression 9")));
  EXPECT_EQ(CompressionName(static_cast<CompressionKind>(0)), "unknown");
  EXPECT_EQ(CompressionName(CompressionKind::kNone), "none");
  EXPECT_EQ(CompressionName(CompressionKind::kLz4), "lz4");
}

}  // namespace
}  // namespace firn
