// The worked example of docs/formats/segment_hashed.md, written and read.
#include "absl/strings/escaping.h"
#include "tests/sstable/hashed_support.h"
#include "tests/support/golden_reader.h"

namespace firn {
namespace {

Arrivals GoldenArrivals() {
  return {{Key("snowfall", 3), "white"},
          {Key("glaciers", 4), "blue"},
          {Key("snowfall", 5, EntryKind::kTombstone), ""}};
}

absl::StatusOr<SegmentMeta> WriteGolden(FileSystem& file_system) {
  return WriteHashed(file_system, "s", GoldenArrivals(),
                     {.layout = SegmentLayout::kHashed,
                      .key_width = 8,
                      .keyspace = KeyspaceId{1},
                      .created_ms = 1700000000000,
                      .origin = "flush"},
                     0x1122334455667788, FileNumber{7});
}

TEST(HashedGoldenTest, TheWriterWritesTheExampleOfThePage) {
  MemoryFileSystem file_system;
  ASSERT_OK(WriteGolden(file_system));
  ASSERT_OK_AND_ASSIGN(const std::string golden,
                       ReadGoldenHex("docs/formats/segment_hashed.md"));
  EXPECT_EQ(absl::BytesToHexString(ReadAll(file_system, "s")), absl::BytesToHexString(golden));
}

TEST(HashedGoldenTest, TheReaderReadsTheExampleOfThePage) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const std::string golden,
                       ReadGoldenHex("docs/formats/segment_hashed.md"));
  WriteAll(file_system, "s", golden);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, SegmentReader::ReadMeta(file_system, "s"));
  EXPECT_EQ(meta.id, 0x1122334455667788u);
  const auto reader = OpenHashed(file_system, "s", meta);
  ASSERT_NE(reader, nullptr);
  Arrivals read;
  for (const SegmentBlock& block : reader->Blocks()) {
    ASSERT_OK(reader->VisitBlock(block.handle, [&read](auto key, auto value) {
      read.emplace_back(key, value);
      return true;
    }));
  }
  EXPECT_EQ(read, GoldenArrivals());
  EXPECT_THAT(reader->Verify().problems, testing::IsEmpty());
}

}  // namespace
}  // namespace firn
