#include "sstable/segment_format.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

SegmentFooter SomeFooter() {
  return {.id = 0x1122334455667788,
          .file_size = 1000 + 100 + 12 + 50 + 12 + 84,
          .index = {.offset = 1000, .size = 100},
          .filter = {},
          .properties = {.offset = 1112, .size = 50},
          .layout = SegmentLayout::kOrdered};
}

SegmentFooter FooterWithFilter() {
  SegmentFooter footer = SomeFooter();
  footer.filter = {.offset = 900, .size = 88};
  return footer;
}

absl::StatusOr<SegmentFooter> Parse(absl::string_view bytes, uint64_t file_size) {
  return ParseSegmentFooter(AsBytes(bytes), file_size, "s");
}

TEST(SegmentFormatTest, FooterComesBackAsItWasWritten) {
  for (const SegmentFooter& footer : {SomeFooter(), FooterWithFilter()}) {
    ASSERT_OK_AND_ASSIGN(const SegmentFooter parsed,
                         Parse(EncodeSegmentFooter(footer), footer.file_size));
    EXPECT_EQ(parsed.id, footer.id);
    EXPECT_EQ(parsed.file_size, footer.file_size);
    EXPECT_EQ(parsed.index, footer.index);
    EXPECT_EQ(parsed.filter, footer.filter);
    EXPECT_EQ(parsed.properties, footer.properties);
    EXPECT_EQ(parsed.layout, SegmentLayout::kOrdered);
  }
}

TEST(SegmentFormatTest, AForeignFileAnotherVersionAndDamageAreToldApart) {
  const SegmentFooter footer = SomeFooter();
  const std::string good = EncodeSegmentFooter(footer);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    const absl::Status status = Parse(bad, footer.file_size).status();
    if (i >= 76) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not a firn")));
      EXPECT_THAT(status, HasReason(ErrorReason::kNotAStore));
    } else if (i >= 72) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version")));
      EXPECT_THAT(status, HasReason(ErrorReason::kFormatVersion));
    } else {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
    }
  }
}

TEST(SegmentFormatTest, LayoutsWithoutAReaderAreRefusedByName) {
  SegmentFooter footer = SomeFooter();
  footer.layout = static_cast<SegmentLayout>(9);
  EXPECT_THAT(Parse(EncodeSegmentFooter(footer), footer.file_size).status(),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("layout 9 (unknown)")));
}

TEST(SegmentFormatTest, HandlesMustFillTheFileWithoutGaps) {
  const auto refused = [](auto change) {
    SegmentFooter footer = FooterWithFilter();
    change(footer);
    EXPECT_THAT(Parse(EncodeSegmentFooter(footer), FooterWithFilter().file_size).status(),
                StatusIs(absl::StatusCode::kDataLoss));
  };
  refused([](SegmentFooter& footer) { footer.index.offset += 1; });
  refused([](SegmentFooter& footer) { footer.index.size = 0; });
  refused([](SegmentFooter& footer) { footer.index.size = UINT64_MAX; });
  refused([](SegmentFooter& footer) { footer.index.size = kBlockSizeMax + 1; });
  refused([](SegmentFooter& footer) { footer.index = {.offset = UINT64_MAX, .size = 100}; });
  refused([](SegmentFooter& footer) { footer.filter.offset = 0; });
  refused([](SegmentFooter& footer) { footer.filter.size = 0; });
  refused([](SegmentFooter& footer) { footer.properties.size -= 1; });
  refused([](SegmentFooter& footer) { footer.properties = {}; });
}

TEST(SegmentFormatTest, AFooterOfALongerFileIsDamage) {
  SegmentFooter footer = SomeFooter();
  footer.file_size += 1;
  const std::string bytes = EncodeSegmentFooter(footer);
  EXPECT_THAT(Parse(bytes, footer.file_size - 1).status(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SegmentFormatTest, BlockHandlesComeBackAndOddOnesAreRefused) {
  for (const BlockHandle& handle :
       {BlockHandle{0, 0}, BlockHandle{127, 128}, BlockHandle{uint64_t{1} << 40, kBlockSizeMax}}) {
    std::string bytes;
    AppendBlockHandle(bytes, handle);
    EXPECT_THAT(ParseBlockHandle(bytes), IsOkAndHolds(testing::Eq(handle)));
    EXPECT_THAT(ParseBlockHandle(bytes + "x").status(), StatusIs(absl::StatusCode::kDataLoss));
    bytes.pop_back();
    EXPECT_THAT(ParseBlockHandle(bytes).status(), StatusIs(absl::StatusCode::kDataLoss));
  }
  for (const BlockHandle& handle :
       {BlockHandle{0, kBlockSizeMax + 1}, BlockHandle{UINT64_MAX, 1}}) {
    std::string bytes;
    AppendBlockHandle(bytes, handle);
    EXPECT_THAT(ParseBlockHandle(bytes).status(), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(SegmentFormatTest, ABlockPassesOnlyAtItsOwnPlaceInItsOwnSegment) {
  const std::string stored = "stored bytes";
  const BlockAddress address{.segment_id = 5, .offset = 4096};
  std::string block = stored;
  AppendBlockTrailer(block, {.kind = BlockKind::kData, .raw_size = 12}, AsBytes(stored), address);
  ASSERT_EQ(block.size(), stored.size() + kBlockTrailerSize);
  const auto check = [&](BlockKind kind, const BlockAddress& at) {
    return CheckBlock(AsBytes(block), kind, at, "s").status();
  };
  EXPECT_OK(check(BlockKind::kData, address));
  EXPECT_THAT(check(BlockKind::kData, {5, 8192}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(check(BlockKind::kData, {6, 4096}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(
      check(BlockKind::kIndex, address),
      StatusIs(absl::StatusCode::kDataLoss,
               HasSubstr("s: offset 4108: kind of a index block: expected 0x2, found 0x1")));
  for (char& byte : block) {
    byte = static_cast<char>(byte ^ 0x04);
    EXPECT_THAT(check(BlockKind::kData, address), StatusIs(absl::StatusCode::kDataLoss));
    byte = static_cast<char>(byte ^ 0x04);
  }
}

TEST(SegmentFormatTest, TrailersThatContradictThemselvesAreRefused) {
  const BlockAddress address{.segment_id = 5, .offset = 0};
  const auto status = [&](const BlockTrailer& trailer) {
    std::string block = "abc";
    AppendBlockTrailer(block, trailer, AsBytes("abc"), address);
    return CheckBlock(AsBytes(block), BlockKind::kData, address, "s").status();
  };
  EXPECT_OK(status({.raw_size = 3}));
  EXPECT_OK(status({.compression = CompressionKind::kLz4, .raw_size = 99}));
  EXPECT_THAT(status({.raw_size = 4}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(status({.compression = static_cast<CompressionKind>(4), .raw_size = 3}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("compression")));
  EXPECT_THAT(status({.compression = CompressionKind::kLz4, .raw_size = UINT32_MAX}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("raw size")));
}

TEST(SegmentFormatTest, NamesFilesLayoutsAndKinds) {
  EXPECT_EQ(SegmentFileName(FileNumber{51}), "000051.seg");
  EXPECT_EQ(SegmentFileName(FileNumber{12345678}), "12345678.seg");
  EXPECT_EQ(SegmentLayoutName(SegmentLayout::kOrdered), "ordered");
  EXPECT_EQ(BlockKindName(BlockKind::kProperties), "properties");
  EXPECT_EQ(BlockKindName(static_cast<BlockKind>(0)), "unknown");
}

}  // namespace
}  // namespace firn
