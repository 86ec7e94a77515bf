#include "sstable/block.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

absl::Status CreateStatus(absl::string_view bytes) {
  auto owned = NewBlockMemory(bytes.size());
  std::copy(bytes.begin(), bytes.end(), owned.get());
  return Block::Create(std::move(owned), bytes.size()).status();
}

TEST(BlockTest, RefusesABadFrame) {
  const auto frame = [](absl::string_view entries, std::vector<uint32_t> tail) {
    std::string bytes(entries);
    for (const uint32_t number : tail) PutFixed32(bytes, number);
    return bytes;
  };
  for (const std::string& bytes : {
           frame("", {}),                                            // nothing
           frame("", {1}),                                           // too small
           frame("entry", {0, 0}),                                   // no restart point
           frame("entry", {0, 3}),                                   // more than fit
           frame("entry", {0, UINT32_MAX}), frame("entry", {1, 1}),  // first not at 0
           frame("entry", {0, 5, 2}),                                // at the end
           frame("entry", {0, 3, 3, 3}),                             // not ascending
           frame("", {0, 1}),                                        // no entries
       }) {
    EXPECT_THAT(CreateStatus(bytes), StatusIs(absl::StatusCode::kDataLoss));
  }
}

// Moves about in hostile bytes: whatever comes, no crash and no read outside (ASan looks).
void Explore(const Block& block, Random& random) {
  BlockIterator iterator(&block);
  size_t steps = 0;
  for (iterator.SeekToFirst(); iterator.Valid() && steps < 1000; iterator.Next()) ++steps;
  iterator.Reset(&block);
  steps = 0;
  for (iterator.SeekToLast(); iterator.Valid() && steps < 50; iterator.Prev()) ++steps;
  iterator.Reset(&block);
  iterator.Seek(Key(RandomKey(random, 12), 50));
  if (!iterator.status().ok()) {
    EXPECT_FALSE(iterator.Valid());
    EXPECT_THAT(iterator.status(), StatusIs(absl::StatusCode::kDataLoss));
    const absl::Status first = iterator.status();
    iterator.SeekToFirst();
    EXPECT_EQ(iterator.status(), first);
  }
}

TEST(BlockTest, AnyByteChangedGivesAValueOrDataLoss) {
  Random random(7);
  const Model model = RandomModel(random, 60, 20);
  const auto good = BuildBlock(model, 4);
  const std::string bytes(AsText(good->bytes()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = bytes;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      auto owned = NewBlockMemory(bad.size());
      std::copy(bad.begin(), bad.end(), owned.get());
      auto block = Block::Create(std::move(owned), bad.size());
      if (block.ok()) Explore(**block, random);
    }
  }
}

TEST(BlockTest, RandomBytesGiveAValueOrDataLoss) {
  Random random(8);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = RandomBytes(random, 1 + random.Uniform(60));
    PutFixed32(bytes, 0);
    PutFixed32(bytes, 1);
    Explore(*MakeBlock(bytes), random);
  }
}

TEST(BlockTest, ValuesOutliveTheMovesOfTheIterator) {
  const Model model = {{Key("a", 1), "first"}, {Key("b", 1), "second"}};
  const auto block = BuildBlock(model);
  BlockIterator iterator(block.get());
  iterator.SeekToFirst();
  const absl::string_view first = iterator.value();
  iterator.Next();
  EXPECT_EQ(first, "first");
  EXPECT_GE(first.data(), AsText(block->bytes()).data());
}

// The second run is of one entry, for the limit comes right behind it: what was read beyond it must not be
// written over the key that the third run begins with.
TEST(BlockTest, ARunThatALimitEndsAtOnceKeepsItsKey) {
  Model model;
  for (int i = 0; i < 40; ++i) {
    model.try_emplace(Key(absl::StrCat("a common beginning ", 100 + i), 1), 1, 'v');
  }
  const auto block = BuildBlock(model, 16);
  BlockIterator iterator(block.get());
  iterator.SeekToFirst();
  std::vector<EntryView> run(6);
  ASSERT_EQ(iterator.TakeRun(absl::MakeSpan(run).first(2), ""), 2u);
  const auto last = std::next(model.begin());
  for (int round = 0; round < 4; ++round) {
    ASSERT_EQ(iterator.TakeRun(absl::MakeSpan(run), std::next(last)->first), 1u);
    EXPECT_EQ(run.front().key, last->first);
    EXPECT_EQ(iterator.key(), last->first);
  }
  ASSERT_EQ(iterator.TakeRun(absl::MakeSpan(run), ""), 6u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(run[i].key, std::next(last, static_cast<int>(i))->first);
}

TEST(BlockTest, AnIteratorOverNoBlockIsEmpty) {
  BlockIterator iterator;
  iterator.SeekToFirst();
  iterator.Seek(Key("a", 1));
  EXPECT_FALSE(iterator.Valid());
  EXPECT_OK(iterator.status());
}

}  // namespace
}  // namespace firn
