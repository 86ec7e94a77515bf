#include "sstable/ordered_segment_verifier.h"

#include "sstable/ordered_segment_tail.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

// A segment put together by hand, so that it can lie with good checksums.
class HandMadeSegment {
 public:
  void AddBlock(const std::vector<std::pair<std::string, std::string>>& entries,
                absl::string_view separator) {
    std::string raw;
    std::string restarts;
    for (const auto& [key, value] : entries) {  // each entry a restart point, in any order
      PutFixed32(restarts, static_cast<uint32_t>(raw.size()));
      PutVarint32(raw, 0);
      PutVarint32(raw, static_cast<uint32_t>(key.size()));
      PutVarint32(raw, static_cast<uint32_t>(value.size()));
      raw += key + value;
      if (properties.entry_count++ == 0) properties.smallest = key;
      properties.largest = key;
      properties.raw_key_size += key.size();
      properties.raw_value_size += value.size();
      ++properties.user_key_count;
      filter->Add(UserKeyOf(key));
    }
    raw += restarts;
    PutFixed32(raw, static_cast<uint32_t>(entries.size()));
    index.Add(separator, Append(raw, BlockKind::kData));
    ++properties.data_block_count;
  }

  std::vector<std::string> Verify() {
    properties.data_size = bytes_.size();
    SegmentFooter footer{.id = 5};
    footer.filter = Append(filter->Finish(), BlockKind::kFilter);
    footer.index = Append(AsText(index.Finish()), BlockKind::kIndex);
    footer.properties = Append(EncodeSegmentProperties(properties), BlockKind::kProperties);
    footer.file_size = bytes_.size() + kSegmentFooterSize;
    bytes_ += EncodeSegmentFooter(footer);
    MemoryFileSystem file_system;
    WriteAll(file_system, "s", bytes_);
    const auto meta = SegmentReader::ReadMeta(file_system, "s");
    EXPECT_OK(meta);
    if (!meta.ok()) return {};
    const auto reader = SegmentReader::Open(file_system, "s", *meta, nullptr);
    EXPECT_OK(reader);
    std::vector<std::string> problems;
    for (const absl::Status& problem : (*reader)->Verify().problems) {
      EXPECT_THAT(problem, StatusIs(absl::StatusCode::kDataLoss));
      problems.emplace_back(problem.message());
    }
    return problems;
  }

  SegmentProperties properties{.sequence_min = SequenceNumber{1},
                               .sequence_max = SequenceNumber{1}};
  IndexBuilder index;
  std::optional<FilterBuilder> filter{std::in_place, 10};

 private:
  BlockHandle Append(absl::string_view raw, BlockKind kind) {
    const BlockHandle handle{.offset = bytes_.size(), .size = raw.size()};
    bytes_.append(raw.data(), raw.size());
    AppendBlockTrailer(bytes_, {.kind = kind, .raw_size = static_cast<uint32_t>(raw.size())},
                       AsBytes(raw), {5, handle.offset});
    return handle;
  }
  std::string bytes_;
};

TEST(OrderedSegmentVerifierTest, FindsNothingInAGoodSegmentAndCountsIt) {
  Random random(23);
  const Model model = RandomModel(random, 3000);
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, WriteSegment(file_system, "s", model));
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system, "s", meta, nullptr));
  const SegmentReport report = reader->Verify();
  EXPECT_THAT(report.problems, testing::IsEmpty());
  EXPECT_EQ(report.entries, model.size());
  EXPECT_EQ(report.data_blocks, reader->Blocks().size());
  EXPECT_EQ(report.bytes, meta.size);
}

TEST(OrderedSegmentVerifierTest, AHandMadeSegmentCanBeGood) {
  HandMadeSegment segment;
  segment.AddBlock({{Key("a", 1), "1"}, {Key("b", 1), "2"}}, Key("b", 1));
  segment.AddBlock({{Key("c", 1), "1"}, {Key("d", 1), "2"}}, Key("d", 1));
  EXPECT_THAT(segment.Verify(), testing::IsEmpty());
}

TEST(OrderedSegmentVerifierTest, SeesEntriesOutOfOrder) {
  HandMadeSegment segment;
  segment.AddBlock({{Key("a", 1), "1"}, {Key("c", 1), "2"}, {Key("b", 1), "3"}, {Key("d", 1), ""}},
                   Key("d", 1));
  EXPECT_THAT(segment.Verify(), testing::ElementsAre(HasSubstr("entry 2 is out of order")));
}

TEST(OrderedSegmentVerifierTest, SeesASeparatorBelowItsBlock) {
  HandMadeSegment segment;
  segment.AddBlock({{Key("a", 1), "1"}, {Key("b", 1), "2"}}, Key("a", 1));
  segment.AddBlock({{Key("c", 1), "1"}}, Key("c", 1));
  EXPECT_THAT(segment.Verify(), testing::Contains(HasSubstr("above its separator")));
}

TEST(OrderedSegmentVerifierTest, SeesASeparatorThatReachesIntoTheNextBlock) {
  HandMadeSegment segment;
  segment.AddBlock({{Key("a", 1), "1"}}, Key("c", 1));
  segment.AddBlock({{Key("c", 1), "1"}}, Key("d", 1));
  EXPECT_THAT(segment.Verify(),
              testing::ElementsAre(HasSubstr("not below the next block's first key")));
}

TEST(OrderedSegmentVerifierTest, SeesAKeyThatTheFilterLacks) {
  HandMadeSegment segment;
  segment.AddBlock({{Key("a", 1), "1"}, {Key("b", 1), "2"}}, Key("b", 1));
  segment.filter.emplace(10);
  segment.filter->Add("a");
  EXPECT_THAT(segment.Verify(), testing::ElementsAre(HasSubstr("filter lacks the key of entry 1")));
}

TEST(OrderedSegmentVerifierTest, SeesPropertiesThatLie) {
  const auto problems = [](auto change) {
    HandMadeSegment segment;
    segment.AddBlock({{Key("a", 1), "1"}, {Key("b", 1), "2"}}, Key("b", 1));
    change(segment.properties);
    return segment.Verify();
  };
  EXPECT_THAT(problems([](auto& p) { ++p.entry_count; }),
              testing::ElementsAre(HasSubstr("number of entries")));
  EXPECT_THAT(problems([](auto& p) { ++p.tombstone_count; }),
              testing::ElementsAre(HasSubstr("number of tombstones")));
  EXPECT_THAT(problems([](auto& p) { --p.user_key_count; }),
              testing::ElementsAre(HasSubstr("number of keys")));
  EXPECT_THAT(problems([](auto& p) { ++p.raw_key_size; }),
              testing::ElementsAre(HasSubstr("bytes of keys")));
  EXPECT_THAT(problems([](auto& p) { ++p.raw_value_size; }),
              testing::ElementsAre(HasSubstr("bytes of values")));
  EXPECT_THAT(problems([](auto& p) { p.sequence_min = SequenceNumber{0}; }),
              testing::ElementsAre(HasSubstr("lowest sequence")));
  EXPECT_THAT(problems([](auto& p) { p.sequence_max = SequenceNumber{2}; }),
              testing::ElementsAre(HasSubstr("highest sequence")));
  EXPECT_THAT(problems([](auto& p) { p.largest = Key("c", 1); }),
              testing::ElementsAre(HasSubstr("key range")));
}

TEST(OrderedSegmentVerifierTest, GoesOnAfterABadBlock) {
  Random random(24);
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta,
                       WriteSegment(file_system, "s", RandomModel(random, 1000)));
  ASSERT_OK_AND_ASSIGN(auto reader, SegmentReader::Open(file_system, "s", meta, nullptr));
  const auto blocks = reader->Blocks();
  ASSERT_GT(blocks.size(), 5u);
  std::string content = ReadAll(file_system, "s");
  content[blocks[1].handle.offset] ^= 1;
  content[blocks[4].handle.offset] ^= 1;
  WriteAll(file_system, "s", content);
  ASSERT_OK_AND_ASSIGN(reader, SegmentReader::Open(file_system, "s", meta, nullptr));
  const SegmentReport report = reader->Verify();
  ASSERT_EQ(report.problems.size(), 2u);
  EXPECT_THAT(std::string(report.problems[0].message()),
              HasSubstr(absl::StrCat("s: offset ", blocks[1].handle.offset, ": checksum")));
  EXPECT_EQ(report.data_blocks, blocks.size() - 2);
}

}  // namespace
}  // namespace firn
