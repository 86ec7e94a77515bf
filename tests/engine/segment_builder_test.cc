#include "engine/segment_builder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "sstable/segment_reader.h"
#include "sstable/sequence_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::unique_ptr<SegmentBuilder>> Build(FileSystem& file_system,
                                                      const KeyspaceOptions& options,
                                                      absl::string_view path = "out.seg") {
  return SegmentBuilder::Impl::Create(file_system, nullptr, path, options, 77, 1);
}

TEST(SegmentBuilderTest, WritesOneSegmentWhoseRecordsHaveNoNumberYet) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(const auto builder, Build(disk, {.block_size = 512}));
  ASSERT_OK(builder->Put("a", "1"));
  ASSERT_OK(builder->Remove("b"));
  ASSERT_OK(builder->Put("c", std::string(2000, 'x')));
  EXPECT_GT(builder->EstimatedSize(), 100u);
  ASSERT_OK_AND_ASSIGN(const SegmentFileInfo info, builder->Finish());
  EXPECT_EQ(info.path, "out.seg");
  EXPECT_EQ(info.entries, 3u);
  EXPECT_EQ(info.removes, 1u);
  EXPECT_EQ(info.smallest, "a");
  EXPECT_EQ(info.largest, "c");
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, SegmentReader::ReadMeta(disk, "out.seg"));
  EXPECT_EQ(meta.size, info.bytes);
  EXPECT_EQ(meta.id, 77u);
  EXPECT_EQ(meta.sequence_max, SequenceNumber{0});
  EXPECT_THAT(builder->Put("d", ""), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(builder->Finish(), HasReason(ErrorReason::kClosed));
  disk.Crash();
  disk.LoseUnsyncedData();
  EXPECT_OK(SegmentReader::ReadMeta(disk, "out.seg")) << "name and content are durable";
}

TEST(SegmentBuilderTest, RefusesAKeyOutOfOrderAndGoesOn) {
  MemoryFileSystem disk;
  ASSERT_OK_AND_ASSIGN(const auto builder, Build(disk, {}));
  ASSERT_OK(builder->Put("b", ""));
  EXPECT_THAT(builder->Put("b", ""), StatusIs(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("out.seg: entry 1: key 62")));
  EXPECT_THAT(builder->Remove("a"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(builder->Put(std::string(70000, 'c'), ""), HasReason(ErrorReason::kTooLarge));
  ASSERT_OK(builder->Put("c", ""));
  ASSERT_OK_AND_ASSIGN(const SegmentFileInfo info, builder->Finish());
  EXPECT_EQ(info.entries, 2u);
}

TEST(SegmentBuilderTest, HoldsToTheRulesOfTheLayout) {
  MemoryFileSystem disk;
  const KeyspaceOptions hashed{.layout = KeyspaceLayout::kHashed, .key_width = 8};
  ASSERT_OK_AND_ASSIGN(const auto any_order, Build(disk, hashed, "hashed"));
  ASSERT_OK(any_order->Put("bbbbbbbb", "1"));
  ASSERT_OK(any_order->Remove("aaaaaaaa"));
  EXPECT_THAT(any_order->Put("short", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const SegmentFileInfo info, any_order->Finish());
  EXPECT_EQ(info.smallest, "aaaaaaaa");
  ASSERT_OK_AND_ASSIGN(const auto sequence,
                       Build(disk, {.layout = KeyspaceLayout::kSequence}, "sequence"));
  std::string key(kSequenceKeySize, '\0');
  ASSERT_OK(sequence->Put(key, ""));
  key.back() = 1;
  EXPECT_THAT(sequence->Remove(key), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Build(disk, {.layout = KeyspaceLayout::kHashed}, "none"),
              HasReason(ErrorReason::kInvalidOption));
}

TEST(SegmentBuilderTest, AnUnfinishedFileIsRemovedAndAnEmptyOneIsNone) {
  MemoryFileSystem disk;
  {
    ASSERT_OK_AND_ASSIGN(const auto builder, Build(disk, {}));
    ASSERT_OK(builder->Put("a", ""));
  }
  EXPECT_THAT(disk.Stat("out.seg"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(const auto builder, Build(disk, {}));
  EXPECT_THAT(builder->Finish(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Build(disk, {}), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST(SegmentBuilderTest, ThePublicOneWritesToTheDisk) {
  const TemporaryDirectory directory;
  const std::string path = JoinPath(directory.path(), "out.seg");
  ASSERT_OK_AND_ASSIGN(const auto builder, SegmentBuilder::Create(path, {}));
  ASSERT_OK(builder->Put("a", "1"));
  ASSERT_OK_AND_ASSIGN(const SegmentFileInfo info, builder->Finish());
  ASSERT_OK_AND_ASSIGN(const auto disk, NewDiskFileSystem(nullptr));
  ASSERT_OK_AND_ASSIGN(const FileInfo found, disk->Stat(path));
  EXPECT_EQ(found.size, info.bytes);
}

}  // namespace
}  // namespace firn
