#include "sstable/index.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

absl::StatusOr<Index> Parse(absl::string_view bytes, uint64_t data_size, uint64_t count) {
  auto owned = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), owned.get());
  return Index::Create(
      std::move(owned), bytes.size(),
      {.path = "s", .offset = 0, .data_size = data_size, .data_block_count = count});
}

TEST(IndexTest, SeparatorsAreShortAndLieBetween) {
  const auto user_part = [](absl::string_view low, absl::string_view high) {
    const std::string a = Key(low, 5);
    const std::string b = Key(high, 9);
    const std::string separator = ShortestSeparator(a, b);
    EXPECT_LE(CompareInternalKeys(a, separator), 0);
    EXPECT_LT(CompareInternalKeys(separator, b), 0);
    return std::string(UserKeyOf(separator));
  };
  EXPECT_EQ(user_part("abcdefghi", "abxyz"), "abx");
  EXPECT_EQ(user_part("abcdefghi", "abx"), "abd");
  EXPECT_EQ(user_part("abcdefghi", "abd"), "abcdefghi");  // nothing shorter than "abd" itself
  EXPECT_EQ(user_part("abcdefghi", "abdd"), "abd");
  EXPECT_EQ(user_part("abc", "abcd"), "abc");
  EXPECT_EQ(user_part("abc", "abd"), "abc");
  EXPECT_EQ(user_part("", "a"), "");
}

TEST(IndexTest, SeparatorsOfRandomKeysKeepTheRuleThatOneBlockIsEnough) {
  Random random(9);
  for (int i = 0; i < 20000; ++i) {
    std::string low = Key(RandomKey(random, 8), random.Uniform(4));
    std::string high = Key(RandomKey(random, 8), random.Uniform(4));
    const int order = CompareInternalKeys(low, high);
    if (order == 0) continue;
    if (order > 0) std::swap(low, high);
    const std::string separator = ShortestSeparator(low, high);
    ASSERT_LE(CompareInternalKeys(low, separator), 0);
    ASSERT_TRUE(separator == low || UserKeyOf(separator) < UserKeyOf(high));
    ASSERT_LE(separator.size(), low.size());
    const std::string successor = ShortestSuccessor(low);
    ASSERT_LE(CompareInternalKeys(low, successor), 0);
    ASSERT_LE(successor.size(), low.size());
  }
}

TEST(IndexTest, FindsTheFirstBlockWhoseSeparatorIsAtOrAfter) {
  Random random(10);
  std::map<std::string, BlockHandle, InternalKeyLess> model;
  for (const auto& [key, value] : RandomModel(random, 300)) model[key] = {};
  IndexBuilder builder;
  uint64_t offset = 0;
  for (auto& [key, handle] : model) {
    handle = {.offset = offset, .size = 1 + random.Uniform(5000)};
    offset = handle.limit();
    builder.Add(key, handle);
  }
  ASSERT_OK_AND_ASSIGN(const Index index, Parse(AsText(builder.Finish()), offset, model.size()));
  for (int i = 0; i < 2000; ++i) {
    const std::string target = Key(RandomKey(random, 12), random.Uniform(400));
    const auto expected = model.lower_bound(target);
    const size_t position = index.Seek(target);
    ASSERT_EQ(position, static_cast<size_t>(std::distance(model.begin(), expected)));
    if (expected == model.end()) continue;
    EXPECT_EQ(index.separator(position), expected->first);
    EXPECT_EQ(index.handle(position), expected->second);
  }
}

std::string Build(const std::vector<std::pair<std::string, BlockHandle>>& entries) {
  IndexBuilder builder;
  for (const auto& [separator, handle] : entries) builder.Add(separator, handle);
  return std::string(AsText(builder.Finish()));
}

TEST(IndexTest, RefusesWhatDoesNotAddUp) {
  const BlockHandle first{.offset = 0, .size = 100};
  const BlockHandle second{.offset = 112, .size = 50};
  const std::string good = Build({{Key("a", 1), first}, {Key("b", 1), second}});
  EXPECT_OK(Parse(good, 174, 2).status());
  const auto refused = [](absl::string_view bytes, uint64_t data_size, uint64_t count,
                          absl::string_view what) {
    EXPECT_THAT(Parse(bytes, data_size, count).status(),
                StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr(std::string(what))));
  };
  refused(good, 175, 2, "end of the data blocks");
  refused(good, 174, 3, "number of index entries");
  refused(Build({{Key("b", 1), first}, {Key("a", 1), second}}), 174, 2, "do not ascend");
  refused(Build({{Key("a", 1), first}, {Key("a", 1), second}}), 174, 2, "do not ascend");
  refused(Build({{Key("a", 1), first}, {Key("b", 1), {113, 50}}}), 175, 2, "follow each other");
  refused(Build({{Key("a", 1), first}, {Key("b", 1), {112, 0}}}), 124, 2, "follow each other");
  refused(Build({{"short", first}}), 112, 1, "no internal key");
  refused("", 0, 0, "too small");
}

TEST(IndexTest, AnyByteChangedGivesAnIndexOrDataLoss) {
  Random random(11);
  IndexBuilder builder;
  uint64_t offset = 0;
  size_t count = 0;
  for (const auto& [key, value] : RandomModel(random, 40)) {
    builder.Add(key, {.offset = offset, .size = 300});
    offset += 312;
    ++count;
  }
  const std::string good(AsText(builder.Finish()));
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      const auto index = Parse(bad, offset, count);
      if (!index.ok()) {
        EXPECT_THAT(index.status(), StatusIs(absl::StatusCode::kDataLoss));
        continue;
      }
      for (size_t position = 0; position < index->size(); ++position) {
        EXPECT_LE(index->handle(position).limit(), offset);
        EXPECT_EQ(index->Seek(index->separator(position)), position);
      }
    }
  }
}

}  // namespace
}  // namespace firn
