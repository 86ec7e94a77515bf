#include "sstable/segment_reader.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class SegmentReaderTest : public testing::Test {
 protected:
  MemoryFileSystem file_system_;
};

TEST_F(SegmentReaderTest, OpenHoldsTheFileAgainstTheManifest) {
  const Model model = {{Key("a", 2), "1"}, {Key("b", 3), "2"}};
  ASSERT_OK_AND_ASSIGN(const SegmentMeta good, WriteSegment(file_system_, "s", model));
  EXPECT_THAT(SegmentReader::ReadMeta(file_system_, "s"), IsOkAndHolds(testing::Eq(good)));
  const auto refused = [&](auto change, absl::string_view what) {
    SegmentMeta meta = good;
    change(meta);
    EXPECT_THAT(SegmentReader::Open(file_system_, "s", meta, nullptr).status(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(std::string(what))));
  };
  refused([](auto& meta) { meta.id ^= 1; }, "segment id: expected 0x123456789abcdee, found 0x123");
  refused([](auto& meta) { meta.size += 1; }, "file size");
  refused([](auto& meta) { meta.entry_count = 3; }, "number of entries: expected 0x3, found 0x2");
  refused([](auto& meta) { meta.smallest = Key("a", 3); }, "key range");
  refused([](auto& meta) { meta.largest = Key("c", 3); }, "key range");
  refused([](auto& meta) { meta.sequence_min = SequenceNumber{1}; }, "lowest sequence");
  refused([](auto& meta) { meta.sequence_max = SequenceNumber{9}; }, "highest sequence");
  SegmentMeta renamed = good;
  renamed.number = FileNumber{8};  // only a name
  EXPECT_OK(SegmentReader::Open(file_system_, "s", renamed, nullptr));
}

TEST_F(SegmentReaderTest, AMissingFileSaysSo) {
  EXPECT_THAT(SegmentReader::Open(file_system_, "none", {}, nullptr).status(),
              HasReason(ErrorReason::kMissingFile));
}

TEST_F(SegmentReaderTest, AFileThatIsNoSegmentSaysSo) {
  for (const std::string& content : {std::string(), std::string("text"), std::string(500, 'x')}) {
    WriteAll(file_system_, "text", content);
    EXPECT_THAT(SegmentReader::ReadMeta(file_system_, "text").status(),
                HasReason(ErrorReason::kNotAStore));
    SegmentMeta meta;
    meta.size = content.size();
    EXPECT_THAT(SegmentReader::Open(file_system_, "text", meta, nullptr).status(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a firn segment")));
  }
}

}  // namespace
}  // namespace firn
