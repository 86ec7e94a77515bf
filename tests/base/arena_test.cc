#include "base/arena.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"

namespace firn {
namespace {

TEST(ArenaTest, WhatWasCopiedStaysWhereItIs) {
  Random random(12);
  Arena arena;
  std::vector<std::string> originals;
  std::vector<absl::string_view> copies;
  size_t bytes = 0;
  for (int i = 0; i < 3000; ++i) {
    const size_t size = random.OneIn(50) ? random.Uniform(200000) : random.Uniform(200);
    originals.push_back(RandomBytes(random, size));
    copies.push_back(arena.Copy(originals.back()));
    bytes += size;
  }
  for (size_t i = 0; i < copies.size(); ++i) ASSERT_EQ(copies[i], originals[i]);
  EXPECT_EQ(arena.bytes_used(), bytes);
  EXPECT_GE(arena.bytes_reserved(), bytes);
}

TEST(ArenaTest, AlignsAndDoesNotOverlap) {
  Random random(13);
  Arena arena;
  std::vector<std::pair<uint8_t*, size_t>> pieces;
  for (int i = 0; i < 2000; ++i) {
    const size_t alignment = size_t{1} << random.Uniform(8);
    const size_t size = 1 + random.Uniform(100);
    char* piece = arena.Allocate(size, alignment);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(piece) % alignment, 0u);
    std::memset(piece, i % 251, size);
    pieces.emplace_back(reinterpret_cast<uint8_t*>(piece), size);
  }
  char* page = arena.Allocate(20000, 4096);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(page) % 4096, 0u);
  std::memset(page, 1, 20000);
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (size_t k = 0; k < pieces[i].second; ++k) ASSERT_EQ(pieces[i].first[k], i % 251);
  }
}

TEST(ArenaTest, AnEmptyArenaHoldsNoMemoryAndSmallPiecesShareABlock) {
  Arena arena;
  EXPECT_EQ(arena.bytes_reserved(), 0u);
  for (int i = 0; i < 1000; ++i) static_cast<void>(arena.Allocate(50));
  EXPECT_EQ(arena.bytes_used(), 50000u);
  EXPECT_EQ(arena.bytes_reserved(), Arena::kBlockSize);
}

TEST(ArenaTest, AFewBytesTakeASmallBlockAndManyTakeLargeOnes) {
  Arena arena;
  static_cast<void>(arena.Allocate(300, 8));
  EXPECT_EQ(arena.bytes_reserved(), 1024u);
  while (arena.bytes_used() < (size_t{1} << 20)) {
    static_cast<void>(arena.Allocate(100));
    ASSERT_LE(arena.bytes_reserved(), 1024 + 2 * arena.bytes_used() + 200);
  }
  EXPECT_LE(arena.bytes_reserved(), arena.bytes_used() + Arena::kBlockSize);
}

TEST(ArenaTest, ALargePieceDoesNotWasteTheCurrentBlock) {
  Arena arena;
  static_cast<void>(arena.Allocate(100));
  static_cast<void>(arena.Allocate(1 << 20));
  static_cast<void>(arena.Allocate(100));
  EXPECT_EQ(arena.bytes_reserved(), 1024u + (1 << 20));
}

TEST(ArenaTest, EmptyTextCanBeCopied) {
  Arena arena;
  EXPECT_EQ(arena.Copy(""), "");
}

}  // namespace
}  // namespace firn
