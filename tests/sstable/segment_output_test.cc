#include "sstable/segment_output.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

TEST(SegmentOutputTest, BlocksStandOneBehindTheOtherWithTheirTrailers) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto output,
                       SegmentOutput::Create(file_system, "s", {.write_buffer_size = 100}, 5));
  const std::string plain(1500, 'x');  // compresses
  const std::string small = "small";
  ASSERT_OK_AND_ASSIGN(const BlockHandle first,
                       output->AppendBlock(AsBytes(plain), BlockKind::kData));
  ASSERT_OK_AND_ASSIGN(const BlockHandle second,
                       output->AppendBlock(AsBytes(small), BlockKind::kIndex));
  EXPECT_EQ(first.offset, 0u);
  EXPECT_LT(first.size, plain.size());
  EXPECT_EQ(second.offset, first.limit());
  EXPECT_EQ(output->offset(), second.limit());
  const SegmentProperties properties;
  ASSERT_OK_AND_ASSIGN(const SegmentFooter footer, output->Finish({.index = second}, properties));
  EXPECT_FALSE(output->open());
  EXPECT_EQ(footer.id, 5u);

  const std::string content = ReadAll(file_system, "s");
  EXPECT_EQ(footer.file_size, content.size());
  const auto block = [&](const BlockHandle& handle) {
    return AsBytes(content).subspan(handle.offset, handle.size + kBlockTrailerSize);
  };
  ASSERT_OK_AND_ASSIGN(const BlockTrailer data,
                       CheckBlock(block(first), BlockKind::kData, {5, first.offset}, "s"));
  EXPECT_EQ(data.raw_size, plain.size());
  EXPECT_EQ(data.compression, CompressionKind::kLz4);
  ASSERT_OK_AND_ASSIGN(const BlockTrailer index,
                       CheckBlock(block(second), BlockKind::kIndex, {5, second.offset}, "s"));
  EXPECT_EQ(index.compression, CompressionKind::kNone);
}

TEST(SegmentOutputTest, AbandonRemovesTheFile) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto output, SegmentOutput::Create(file_system, "s", {}, 5));
  ASSERT_OK(output->Abandon());
  EXPECT_THAT(file_system.Stat("s").status(), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace firn
