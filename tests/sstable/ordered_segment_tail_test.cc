#include "sstable/ordered_segment_tail.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

class OrderedSegmentTailTest : public testing::Test {
 protected:
  absl::StatusOr<OrderedSegmentTail> Read() {
    FIRN_ASSIGN_OR_RETURN(auto file, file_system_.OpenForRead("s"));
    return ReadOrderedSegmentTail(*file);
  }
  // The file with another properties block, everything else as a writer of it would have put it.
  void ReplaceProperties(const SegmentProperties& properties) {
    const std::string content = ReadAll(file_system_, "s");
    SegmentFooter footer = *ParseSegmentFooter(
        AsBytes(content).subspan(content.size() - kSegmentFooterSize), content.size(), "s");
    std::string changed = content.substr(0, footer.properties.offset);
    const std::string bytes = EncodeSegmentProperties(properties);
    footer.properties.size = bytes.size();
    changed += bytes;
    AppendBlockTrailer(
        changed, {.kind = BlockKind::kProperties, .raw_size = static_cast<uint32_t>(bytes.size())},
        AsBytes(bytes), {footer.id, footer.properties.offset});
    footer.file_size = changed.size() + kSegmentFooterSize;
    changed += EncodeSegmentFooter(footer);
    WriteAll(file_system_, "s", changed);
  }
  MemoryFileSystem file_system_;
};

TEST_F(OrderedSegmentTailTest, TellsWhatTheWriterTold) {
  Random random(22);
  ASSERT_OK_AND_ASSIGN(
      const SegmentMeta meta,
      WriteSegment(file_system_, "s", RandomModel(random, 500),
                   {.keyspace = KeyspaceId{3}, .created_ms = 5, .origin = "test"}));
  const uint64_t before = file_system_.operations();
  ASSERT_OK_AND_ASSIGN(const OrderedSegmentTail tail, Read());
  EXPECT_EQ(file_system_.operations() - before, 3u);  // open, footer, three blocks at once
  EXPECT_EQ(MetaOf(tail), meta);
  EXPECT_EQ(tail.properties.keyspace, KeyspaceId{3});
  EXPECT_EQ(tail.properties.created_ms, 5u);
  EXPECT_EQ(tail.properties.origin, "test");
  EXPECT_EQ(tail.index.size(), tail.properties.data_block_count);
  EXPECT_TRUE(tail.filter.present());
}

TEST_F(OrderedSegmentTailTest, ASegmentMayHaveNoFilter) {
  ASSERT_OK(WriteSegment(file_system_, "s", {{Key("a", 1), "v"}}, {.filter_bits_per_key = 0}));
  ASSERT_OK_AND_ASSIGN(const OrderedSegmentTail tail, Read());
  EXPECT_FALSE(tail.filter.present());
  EXPECT_TRUE(tail.filter.MayContain("b"));
}

TEST_F(OrderedSegmentTailTest, PartsThatDisagreeAreRefused) {
  ASSERT_OK(WriteSegment(file_system_, "s", {{Key("a", 1), "v"}, {Key("b", 1), "v"}}));
  ASSERT_OK_AND_ASSIGN(const OrderedSegmentTail tail, Read());
  ReplaceProperties(tail.properties);
  ASSERT_OK(Read());
  SegmentProperties changed = tail.properties;
  changed.data_size += 1;
  ReplaceProperties(changed);
  EXPECT_THAT(Read().status(),
              StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("size of the data")));
  changed = tail.properties;
  changed.data_block_count = 2;
  ReplaceProperties(changed);
  EXPECT_THAT(Read().status(),
              StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("number of index entries")));
}

}  // namespace
}  // namespace firn
