#include "sstable/segment_frame.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

TEST(SegmentFrameTest, GivesThePartsThatEveryLayoutHas) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system, "s", {{Key("a", 1), "v"}, {Key("b", 2), "w"}}));
  ASSERT_OK_AND_ASSIGN(auto file, file_system.OpenForRead("s"));
  ASSERT_OK_AND_ASSIGN(const SegmentFooter footer, ReadSegmentFooter(*file));
  EXPECT_EQ(footer.layout, SegmentLayout::kOrdered);
  ASSERT_OK_AND_ASSIGN(const SegmentFrame frame, ReadSegmentFrame(*file, footer));
  EXPECT_EQ(MetaOf(frame.footer, frame.properties), meta);
  EXPECT_EQ(frame.data_size(), footer.filter.offset);
  EXPECT_EQ(frame.index_bytes().size(), footer.index.size);
  EXPECT_EQ(frame.filter_bytes().size(), footer.filter.size);
}

TEST(SegmentFrameTest, EveryByteBehindTheDataIsChecked) {
  MemoryFileSystem file_system;
  ASSERT_OK(WriteSegment(file_system, "s", {{Key("a", 1), "v"}, {Key("b", 2), "w"}}));
  const std::string content = ReadAll(file_system, "s");
  ASSERT_OK_AND_ASSIGN(auto file, file_system.OpenForRead("s"));
  ASSERT_OK_AND_ASSIGN(const SegmentFooter footer, ReadSegmentFooter(*file));
  for (size_t at = footer.filter.offset; at < content.size(); ++at) {
    std::string bad = content;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    WriteAll(file_system, "bad", bad);
    ASSERT_OK_AND_ASSIGN(auto bad_file, file_system.OpenForRead("bad"));
    const auto bad_footer = ReadSegmentFooter(*bad_file);
    if (!bad_footer.ok()) continue;
    EXPECT_FALSE(ReadSegmentFrame(*bad_file, *bad_footer).ok()) << at;
  }
}

TEST(SegmentFrameTest, ShortFilesAreNoSegments) {
  MemoryFileSystem file_system;
  WriteAll(file_system, "s", "short");
  ASSERT_OK_AND_ASSIGN(auto file, file_system.OpenForRead("s"));
  EXPECT_THAT(ReadSegmentFooter(*file).status(), HasReason(ErrorReason::kNotAStore));
}

}  // namespace
}  // namespace firn
