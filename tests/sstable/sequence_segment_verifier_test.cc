#include "sstable/sequence_segment_verifier.h"

#include <functional>

#include "tests/sstable/sequence_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

// Two blocks of three records, put together by hand, so that the segment can lie with good checksums.
class HandMadeSequenceSegment {
 public:
  HandMadeSequenceSegment() {
    auto output = SegmentOutput::Create(file_system_, "s", {}, 5);
    EXPECT_OK(output);
    output_ = *std::move(output);
    properties.entry_count = 6;
    properties.user_key_count = 6;
    properties.raw_key_size = 6 * 16;
    properties.raw_value_size = 6 * 5;
    properties.data_block_count = 2;
    properties.sequence_min = SequenceNumber{1};
    properties.sequence_max = SequenceNumber{6};
    properties.block_size = 4096;
    properties.smallest = SequenceInternalKey(10, {1});
    properties.largest = SequenceInternalKey(22, {6});
  }

  std::vector<std::string> Problems() {
    SequenceIndexBuilder index;
    for (size_t i = 0; i < 2; ++i) {
      SequenceBlockBuilder block;
      for (uint64_t j = 0; j < 3; ++j) block.Add(block_keys[i] + j, {3 * i + j + 1}, "value");
      const auto handle = output_->AppendBlock(block.Finish(), BlockKind::kData);
      EXPECT_OK(handle);
      index.Add(index_keys[i], index_records[i], handle->size);
    }
    properties.data_size += output_->offset();
    SegmentFooter footer{.layout = SegmentLayout::kSequence};
    if (with_filter) footer.filter = *output_->AppendBlock(AsBytes("f"), BlockKind::kFilter);
    const std::string bytes = index.Finish();
    footer.index = *output_->AppendBlock(AsBytes(bytes), BlockKind::kIndex);
    EXPECT_OK(output_->Finish(footer, properties));
    const auto meta = SegmentReader::ReadMeta(file_system_, "s");
    if (!meta.ok()) return {std::string(meta.status().message())};
    const auto reader = SegmentReader::Open(file_system_, "s", *meta, nullptr);
    if (!reader.ok()) {
      EXPECT_THAT(reader.status(), StatusIs(absl::StatusCode::kDataLoss));
      return {std::string(reader.status().message())};
    }
    const SegmentReport report = (*reader)->Verify();
    EXPECT_LE(report.data_blocks, 2u);
    std::vector<std::string> problems;
    for (const absl::Status& problem : report.problems) {
      EXPECT_THAT(problem, StatusIs(absl::StatusCode::kDataLoss));
      problems.emplace_back(problem.message());
    }
    return problems;
  }

  SegmentProperties properties;
  std::vector<uint64_t> block_keys = {10, 20};
  std::vector<uint64_t> index_keys = {10, 20};
  std::vector<uint32_t> index_records = {3, 3};
  bool with_filter = false;

 private:
  MemoryFileSystem file_system_;
  std::unique_ptr<SegmentOutput> output_;
};

TEST(SequenceSegmentVerifierTest, AGoodSegmentHasNoProblems) {
  EXPECT_THAT(HandMadeSequenceSegment().Problems(), testing::IsEmpty());
}

TEST(SequenceSegmentVerifierTest, PartsThatDoNotFitAreReported) {
  using Change = std::function<void(HandMadeSequenceSegment&)>;
  struct Lie {
    Change change;
    const char* problem;
  };
  for (const Lie& lie : {
           Lie{[](auto& s) { s.index_keys[1] = 21; }, "the index says"},
           Lie{[](auto& s) { s.index_keys[0] = 9; }, "first key in the properties"},
           Lie{[](auto& s) { s.block_keys[0] = 18; }, "the index says"},
           Lie{[](auto& s) { s.index_records = {2, 4}; }, "the index says"},
           Lie{[](auto& s) { s.index_records = {2, 3}; }, "number of entries"},
           Lie{[](auto& s) { s.with_filter = true; }, "with a filter"},
           Lie{[](auto& s) { s.properties.entry_count = 7; }, "number of entries"},
           Lie{[](auto& s) { s.properties.user_key_count = 5; }, "number of keys"},
           Lie{[](auto& s) { s.properties.tombstone_count = 1; }, "number of tombstones"},
           Lie{[](auto& s) { s.properties.data_block_count = 3; }, "number of data blocks"},
           Lie{[](auto& s) { s.properties.data_size = 1; }, "size of the data"},
           Lie{[](auto& s) { s.properties.raw_key_size = 95; }, "bytes of keys"},
           Lie{[](auto& s) { s.properties.raw_value_size = 31; }, "bytes of values"},
           Lie{[](auto& s) { s.properties.sequence_min = {2}; }, "lowest sequence"},
           Lie{[](auto& s) { s.properties.sequence_max = {7}; }, "highest sequence"},
           Lie{[](auto& s) { s.properties.smallest = SequenceInternalKey(10, {2}); }, "key range"},
           Lie{[](auto& s) { s.properties.largest = SequenceInternalKey(23, {6}); }, "the index says"},
           Lie{[](auto& s) { s.properties.largest = Key("zz", 6); }, "not one of a sequence"},
       }) {
    HandMadeSequenceSegment segment;
    lie.change(segment);
    EXPECT_THAT(segment.Problems(), testing::Contains(HasSubstr(lie.problem))) << lie.problem;
  }
}

// Each byte of a file, flipped: Open() or Verify() sees it, and no read gives what is not so.
TEST(SequenceSegmentVerifierTest, EveryFlippedByteIsSeen) {
  Random random(83);
  MemoryFileSystem file_system({.track_unsynced = false});
  const Model model = RandomSequenceModel(random, 60, 60);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system, "s", model, SequenceOptions()));
  const std::string good = ReadAll(file_system, "s");
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    WriteAll(file_system, "s", bad);
    const auto reader = SegmentReader::Open(file_system, "s", meta, nullptr);
    if (!reader.ok()) continue;
    EXPECT_THAT((*reader)->Verify().problems, testing::Not(testing::IsEmpty())) << "byte " << at;
    for (const auto& [key, value] : model) {
      const auto found = (*reader)->Get(UserKeyOf(key), SequenceOf(key));
      if (found.ok()) {
        ASSERT_TRUE(found->has_value()) << "byte " << at;
        ASSERT_EQ((*found)->value, value) << "byte " << at;
      }
    }
    const auto iterator = (*reader)->NewIterator();
    auto expected = model.begin();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
      ASSERT_EQ(iterator->key(), expected->first) << "byte " << at;
      ASSERT_EQ(iterator->value(), expected->second) << "byte " << at;
    }
    ASSERT_TRUE(!iterator->status().ok() || expected == model.end()) << "byte " << at;
  }
}

// A file that went bad after it was opened.
TEST(SequenceSegmentVerifierTest, AnIndexThatWentBadSinceItWasOpenedIsReported) {
  Random random(84);
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system, "s", RandomSequenceModel(random, 40),
                                    SequenceOptions()));
  const auto reader = OpenSequence(file_system, "s", meta);
  const std::string good = ReadAll(file_system, "s");
  ASSERT_OK_AND_ASSIGN(const auto file, file_system.OpenForWrite("s"));
  const size_t in_index = reader->footer().index.offset + 3;
  const uint8_t flipped = static_cast<uint8_t>(good[in_index] ^ 1);
  ASSERT_OK(file->Write(in_index, {ByteSpan(&flipped, 1)}));
  const SegmentReport report = reader->Verify();
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0], StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
  EXPECT_EQ(report.entries, 40u);
}

}  // namespace
}  // namespace firn
