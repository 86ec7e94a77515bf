// The worked example of docs/formats/segment_sequence.md, written and read.
#include "absl/strings/escaping.h"
#include "tests/sstable/sequence_support.h"
#include "tests/support/golden_reader.h"

namespace firn {
namespace {

Model GoldenModel() {
  return {{SequenceInternalKey(258, {3}), "snow"},
          {SequenceInternalKey(259, {4}), "firn"},
          {SequenceInternalKey(262, {6}), "ice"}};
}

TEST(SequenceGoldenTest, TheWriterWritesTheExampleOfThePage) {
  MemoryFileSystem file_system;
  ASSERT_OK(WriteSegment(file_system, "s", GoldenModel(),
                         {.layout = SegmentLayout::kSequence,
                          .block_size = 16384,
                          .keyspace = KeyspaceId{1},
                          .created_ms = 1700000000000,
                          .origin = "flush"},
                         0x1122334455667788, FileNumber{7}));
  ASSERT_OK_AND_ASSIGN(const std::string golden,
                       ReadGoldenHex("docs/formats/segment_sequence.md"));
  EXPECT_EQ(absl::BytesToHexString(ReadAll(file_system, "s")), absl::BytesToHexString(golden));
}

TEST(SequenceGoldenTest, TheReaderReadsTheExampleOfThePage) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const std::string golden,
                       ReadGoldenHex("docs/formats/segment_sequence.md"));
  WriteAll(file_system, "s", golden);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, SegmentReader::ReadMeta(file_system, "s"));
  EXPECT_EQ(meta.id, 0x1122334455667788u);
  const auto reader = OpenSequence(file_system, "s", meta);
  ASSERT_NE(reader, nullptr);
  Model read;
  const auto iterator = reader->NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    read[std::string(iterator->key())] = std::string(iterator->value());
  }
  EXPECT_EQ(read, GoldenModel());
  EXPECT_THAT(reader->Verify().problems, testing::IsEmpty());
}

}  // namespace
}  // namespace firn
