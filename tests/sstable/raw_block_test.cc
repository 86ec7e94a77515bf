#include "sstable/raw_block.h"

#include <vector>

#include "sstable/segment_output.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class RawBlockTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(auto output,
                         SegmentOutput::Create(file_system_, "s", {.compression_threshold = 0}, 5));
    for (int i = 0; i < 6; ++i) {
      raw_.push_back(i % 2 == 0 ? std::string(3000, static_cast<char>('a' + i))
                                : RandomBytes(random_, 500));
      ASSERT_OK_AND_ASSIGN(const BlockHandle handle,
                           output->AppendBlock(AsBytes(raw_.back()), BlockKind::kData));
      handles_.push_back(handle);
    }
    // Written through by way of a large block.
    const std::string large = RandomBytes(random_, 1 << 20);
    ASSERT_OK(output->AppendBlock(AsBytes(large), BlockKind::kData));
    content_ = ReadAll(file_system_, "s");
  }
  std::vector<absl::StatusOr<std::string>> Read(const std::vector<BlockHandle>& handles,
                                                BlockKind kind = BlockKind::kData) {
    auto file = file_system_.OpenForRead("s");
    EXPECT_OK(file);
    std::vector<absl::StatusOr<std::string>> read;
    ReadRawBlocks(**file, 5, kind, handles, [&](size_t i, absl::StatusOr<RawBlock> block) {
      EXPECT_EQ(i, read.size());
      if (block.ok()) {
        read.push_back(std::string(AsText(ByteSpan(block->bytes.get(), block->size))));
      } else {
        read.push_back(block.status());
      }
    });
    return read;
  }

  Random random_{70};
  MemoryFileSystem file_system_;
  std::vector<std::string> raw_;
  std::vector<BlockHandle> handles_;
  std::string content_;
};

TEST_F(RawBlockTest, NeighboursAndSingleBlocksComeBackInTurn) {
  const std::vector<BlockHandle> some = {handles_[0], handles_[1], handles_[3], handles_[5]};
  const auto read = Read(some);
  ASSERT_EQ(read.size(), 4u);
  EXPECT_THAT(read[0], IsOkAndHolds(raw_[0]));
  EXPECT_THAT(read[1], IsOkAndHolds(raw_[1]));
  EXPECT_THAT(read[2], IsOkAndHolds(raw_[3]));
  EXPECT_THAT(read[3], IsOkAndHolds(raw_[5]));
  EXPECT_THAT(Read({handles_[4]})[0], IsOkAndHolds(raw_[4]));
  EXPECT_THAT(Read({}), testing::IsEmpty());
}

TEST_F(RawBlockTest, EachBlockHasItsOwnOutcome) {
  content_[handles_[1].offset] ^= 1;
  WriteAll(file_system_, "s", content_);
  const auto read = Read({handles_[0], handles_[1], handles_[2]});
  EXPECT_OK(read[0]);
  EXPECT_THAT(read[1], StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
  EXPECT_OK(read[2]);
  const auto beyond = Read({handles_[0], {.offset = content_.size(), .size = 10}});
  EXPECT_OK(beyond[0]);
  EXPECT_THAT(beyond[1], StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(Read({handles_[0]}, BlockKind::kIndex)[0],
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("kind")));
}

TEST_F(RawBlockTest, ASizeThatCannotBeIsRefusedBeforeItIsAllocated) {
  std::string block = "short";
  AppendBlockTrailer(block,
                     {.kind = BlockKind::kData,
                      .compression = CompressionKind::kLz4,
                      .raw_size = 1 << 29},
                     AsBytes(block), {5, 0});
  EXPECT_THAT(DecodeRawBlock(AsBytes(block), BlockKind::kData, {5, 0}, "s").status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("s: offset 0: data block")));
}

}  // namespace
}  // namespace firn
