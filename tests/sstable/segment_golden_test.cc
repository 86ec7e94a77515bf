// The worked example of docs/formats/segment.md: page and code cannot drift apart.
#include <string>

#include "absl/strings/escaping.h"
#include "tests/sstable/segment_support.h"
#include "tests/support/golden_reader.h"

namespace firn {
namespace {

Model GoldenModel() {
  return {{Key("firn", 3), "snow"},
          {Key("firn", 1), "old"},
          {Key("ice", 2, EntryKind::kTombstone), ""}};
}

absl::StatusOr<SegmentMeta> WriteGolden(FileSystem& file_system) {
  return WriteSegment(file_system, "s", GoldenModel(),
                      {.restart_interval = 2,
                       .filter_bits_per_key = 10,
                       .keyspace = KeyspaceId{1},
                       .created_ms = 1700000000000,
                       .origin = "flush"},
                      0x1122334455667788, FileNumber{7});
}

TEST(SegmentGoldenTest, TheWriterWritesTheExampleOfThePage) {
  MemoryFileSystem file_system;
  ASSERT_OK(WriteGolden(file_system));
  ASSERT_OK_AND_ASSIGN(const std::string golden, ReadGoldenHex("docs/formats/segment.md"));
  EXPECT_EQ(absl::BytesToHexString(ReadAll(file_system, "s")), absl::BytesToHexString(golden));
}

TEST(SegmentGoldenTest, TheReaderReadsTheExampleOfThePage) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const std::string golden, ReadGoldenHex("docs/formats/segment.md"));
  WriteAll(file_system, "s", golden);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, SegmentReader::ReadMeta(file_system, "s"));
  EXPECT_EQ(meta.id, 0x1122334455667788u);
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system, "s", meta, nullptr));
  const auto iterator = reader->NewIterator();
  Model read;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    read[std::string(iterator->key())] = std::string(iterator->value());
  }
  EXPECT_OK(iterator->status());
  EXPECT_EQ(read, GoldenModel());
  EXPECT_THAT(reader->Verify().problems, testing::IsEmpty());
}

}  // namespace
}  // namespace firn
