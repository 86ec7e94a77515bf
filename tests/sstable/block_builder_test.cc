#include "sstable/block_builder.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

TEST(BlockBuilderTest, SharesPrefixesBetweenRestartPoints) {
  BlockBuilder builder(2);
  builder.Add(Key("abc", 1), "x");
  builder.Add(Key("abd", 1), "yy");
  builder.Add(Key("abe", 1), "");
  const std::string suffix("\x02\x01\0\0\0\0\0\0", 8);
  std::string expected;
  expected += std::string("\x00\x0b\x01", 3) + "abc" + suffix + "x";
  expected += std::string("\x02\x09\x02", 3) + "d" + suffix + "yy";
  const size_t second_restart = expected.size();
  expected += std::string("\x00\x0b\x00", 3) + "abe" + suffix;
  PutFixed32(expected, 0);
  PutFixed32(expected, static_cast<uint32_t>(second_restart));
  PutFixed32(expected, 2);
  EXPECT_EQ(builder.EstimatedSize(), expected.size());
  EXPECT_EQ(AsText(builder.Finish()), expected);
}

TEST(BlockBuilderTest, BuildsTheSameBlockAfterReset) {
  BlockBuilder builder(16);
  builder.Add(Key("a", 1), "1");
  builder.Add(Key("b", 1), "2");
  const std::string first(AsText(builder.Finish()));
  builder.Reset();
  EXPECT_TRUE(builder.empty());
  builder.Add(Key("a", 1), "1");
  builder.Add(Key("b", 1), "2");
  EXPECT_EQ(AsText(builder.Finish()), first);
}

TEST(BlockBuilderTest, AnEntryTakesNoMoreThanItsBound) {
  Random random(6);
  BlockBuilder builder(1);
  uint64_t bound = builder.EstimatedSize();
  for (const auto& [key, value] : RandomModel(random, 200, 400)) {
    bound += BlockBuilder::EntrySizeMax(key, value);
    builder.Add(key, value);
    ASSERT_LE(builder.EstimatedSize(), bound);
  }
}

}  // namespace
}  // namespace firn
