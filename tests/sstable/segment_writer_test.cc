#include "sstable/segment_writer.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

class SegmentWriterTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(const SegmentOptions& options = {}) {
    return SegmentWriter::Create(file_system_, "s", options, FileNumber{7}, 99);
  }
  MemoryFileSystem file_system_;
};

TEST_F(SegmentWriterTest, ASegmentWithoutEntriesIsRefused) {
  ASSERT_OK_AND_ASSIGN(auto writer, Create());
  EXPECT_THAT(writer->Finish().status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_OK(writer->Abandon());
}

TEST_F(SegmentWriterTest, RefusesAnExistingFileAndBadOptions) {
  EXPECT_THAT(Create({.layout = SegmentLayout::kHashed}).status(),
              HasReason(ErrorReason::kInvalidOption));  // no key width
  EXPECT_THAT(Create({.block_size = 10}).status(), HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(Create({.restart_interval = 0}).status(), HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(Create({.filter_bits_per_key = 33}).status(), HasReason(ErrorReason::kInvalidOption));
  ASSERT_OK(Create().status());
  EXPECT_THAT(Create().status(), StatusIs(absl::StatusCode::kAlreadyExists));
}

}  // namespace
}  // namespace firn
