#include "sstable/hashed_segment_verifier.h"

#include <functional>

#include "tests/sstable/hashed_support.h"

namespace firn {
namespace {

using testing::HasSubstr;

constexpr uint32_t kWidth = 10;

// Two extents of three records, put together by hand, so that the segment can lie with good checksums.
class HandMadeHashedSegment {
 public:
  struct Entry {
    uint64_t word;
    uint32_t location;
  };

  HandMadeHashedSegment() {
    auto output = SegmentOutput::Create(file_system_, "s", {}, 5);
    EXPECT_OK(output);
    output_ = *std::move(output);
    Random random(80);
    for (uint32_t extent = 0; extent < 2; ++extent) {
      ExtentBuilder builder;
      for (uint32_t i = 0; i < 3; ++i) {
        const std::string key = RandomBytes(random, kWidth);
        const SequenceNumber sequence{extent * 3 + i + 1};
        const uint32_t offset = builder.Add({.user_key = key, .sequence = sequence}, "value");
        entries.push_back({HashedWord(key), location.Pack(extent, offset)});
        const std::string internal = Key(key, sequence.value);
        model_[internal] = "value";
      }
      const auto handle = output_->AppendBlock(builder.Finish(), BlockKind::kData);
      EXPECT_OK(handle);
      extent_sizes.push_back(static_cast<uint32_t>(handle->size));
    }
    properties.entry_count = 6;
    properties.user_key_count = 6;
    properties.raw_key_size = 6 * (kWidth + kInternalKeySuffixSize);
    properties.raw_value_size = 6 * 5;
    properties.data_block_count = 2;
    properties.data_size = output_->offset();
    properties.sequence_min = SequenceNumber{1};
    properties.sequence_max = SequenceNumber{6};
    properties.block_size = 4096;
    properties.smallest = model_.begin()->first;
    properties.largest = model_.rbegin()->first;
  }

  // What Open() says, or Verify() of what it opened.
  std::vector<std::string> Problems() {
    IndexRoot root{.key_size = kWidth, .location = location, .extent_count = extent_sizes.size()};
    std::string table;
    for (const uint32_t size : extent_sizes) PutVarint32(table, size);
    root.table_page_sizes.push_back(Append(table, BlockKind::kExtentTable));
    HashedIndexBuilder builder;
    for (const Entry& entry : entries) builder.Add(entry.word, entry.location);
    const auto built = builder.Finish([&](ByteSpan page) {
      root.index_page_sizes.push_back(Append(AsText(page), BlockKind::kIndexPage));
      return absl::OkStatus();
    });
    root.bucket_count = built->bucket_count;
    if (change_root) change_root(root);
    SegmentFooter footer{.layout = SegmentLayout::kHashed};
    const std::string bytes = EncodeIndexRoot(root);
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
    EXPECT_EQ(report.data_blocks, 2u);
    std::vector<std::string> problems;
    for (const absl::Status& problem : report.problems) {
      EXPECT_THAT(problem, StatusIs(absl::StatusCode::kDataLoss));
      problems.emplace_back(problem.message());
    }
    return problems;
  }

  LocationFormat location{9};
  SegmentProperties properties;
  std::vector<Entry> entries;
  std::vector<uint32_t> extent_sizes;
  std::function<void(IndexRoot&)> change_root;

 private:
  uint32_t Append(absl::string_view bytes, BlockKind kind) {
    return static_cast<uint32_t>(output_->AppendBlock(AsBytes(bytes), kind)->size);
  }

  MemoryFileSystem file_system_;
  std::unique_ptr<SegmentOutput> output_;
  Model model_;
};

TEST(HashedSegmentVerifierTest, AGoodSegmentHasNoProblems) {
  EXPECT_THAT(HandMadeHashedSegment().Problems(), testing::IsEmpty());
}

TEST(HashedSegmentVerifierTest, ARecordThatTheIndexDoesNotFindIsReported) {
  HandMadeHashedSegment segment;
  segment.entries[4] = segment.entries[3];  // as many entries, one of them twice
  const auto problems = segment.Problems();
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems[0], HasSubstr("the index does not find the record at"));

  HandMadeHashedSegment other_place;
  other_place.entries[2].location += 1;
  EXPECT_THAT(other_place.Problems(), testing::Contains(HasSubstr("does not find the record")));

  HandMadeHashedSegment other_key;
  other_key.entries[0].word ^= 1;
  EXPECT_THAT(other_key.Problems(), testing::Contains(HasSubstr("does not find the record")));
}

TEST(HashedSegmentVerifierTest, FactsInThePropertiesThatAreNotSoAreReported) {
  using Change = std::function<void(SegmentProperties&)>;
  struct Lie {
    Change change;
    const char* problem;
  };
  for (const Lie& lie : {
           Lie{[](auto& p) { p.tombstone_count = 1; }, "number of tombstones"},
           Lie{[](auto& p) { p.user_key_count = 5; }, "number of keys"},
           Lie{[](auto& p) { p.raw_value_size = 31; }, "bytes of values"},
           Lie{[](auto& p) { p.sequence_min = SequenceNumber{2}; }, "lowest sequence"},
           Lie{[](auto& p) { p.sequence_max = SequenceNumber{7}; }, "highest sequence"},
           Lie{[](auto& p) { p.smallest = p.largest; }, "key range"},
           Lie{[](auto& p) { p.largest = p.smallest; }, "key range"},
           Lie{[](auto& p) { p.entry_count = 7; }, "number of entries"},
           Lie{[](auto& p) { p.data_block_count = 3; }, "number of extents"},
           Lie{[](auto& p) { p.raw_key_size = 6 * 17; }, "bytes of keys"},
           Lie{[](auto& p) { p.block_size = 10'000; }, "offset bits"},
           Lie{[](auto& p) { p.data_size -= 1; }, "pages of the index end"},
           Lie{[](auto& p) { p.data_size += 100'000; }, "size of the data"},
       }) {
    HandMadeHashedSegment segment;
    lie.change(segment.properties);
    EXPECT_THAT(segment.Problems(), testing::Contains(HasSubstr(lie.problem))) << lie.problem;
  }
}

TEST(HashedSegmentVerifierTest, ARootOrTableThatDoesNotFitIsRefused) {
  using Change = std::function<void(HandMadeHashedSegment&)>;
  struct Lie {
    Change change;
    const char* problem;
  };
  for (const Lie& lie : {
           Lie{[](auto& s) { s.extent_sizes[0] -= 1; }, "where the extents end"},
           Lie{[](auto& s) { s.extent_sizes[1] += 1; }, "reaches beyond"},
           Lie{[](auto& s) { s.entries[5].location = s.location.Pack(2, 16); }, "names extent 2"},
           Lie{[](auto& s) { s.entries[5].location = s.location.Pack(1, 8); }, "names the header"},
           Lie{[](auto& s) { s.entries.pop_back(); }, "number of entries"},
           Lie{[](auto& s) { s.change_root = [](IndexRoot& root) { root.key_size = 11; }; },
               "bytes of keys"},
           Lie{[](auto& s) { s.change_root = [](IndexRoot& root) { root.bucket_count = 100; }; },
               "size of index page 0"},
           Lie{[](auto& s) { s.change_root = [](auto& root) { root.index_page_sizes[0] += 1; }; },
               "pages of the index end"},
       }) {
    HandMadeHashedSegment segment;
    lie.change(segment);
    EXPECT_THAT(segment.Problems(), testing::Contains(HasSubstr(lie.problem))) << lie.problem;
  }
}

// Each byte of a file, flipped: Open() or Verify() sees it, and no read gives what is not so.
TEST(HashedSegmentVerifierTest, EveryFlippedByteIsSeen) {
  Random random(81);
  MemoryFileSystem file_system;
  const Model model = RandomHashedModel(random, 40, 16, 60);
  ASSERT_OK_AND_ASSIGN(const SegmentMeta meta, WriteHashed(file_system, "s", Shuffled(random, model),
                                                           HashedOptions(16, 256)));
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

// A file that went bad, or away, after it was opened.
TEST(HashedSegmentVerifierTest, AnIndexThatWentBadSinceItWasOpenedIsReported) {
  Random random(82);
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(
      const SegmentMeta meta,
      WriteHashed(file_system, "s", Shuffled(random, RandomHashedModel(random, 40, 16)),
                  HashedOptions(16)));
  const auto reader = OpenHashed(file_system, "s", meta);
  const std::string good = ReadAll(file_system, "s");
  ASSERT_OK_AND_ASSIGN(const auto file, file_system.OpenForWrite("s"));
  const size_t in_index = reader->properties().data_size + 30;
  const uint8_t flipped = static_cast<uint8_t>(good[in_index] ^ 1);
  ASSERT_OK(file->Write(in_index, {ByteSpan(&flipped, 1)}));
  const SegmentReport report = reader->Verify();
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0], StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
  EXPECT_EQ(report.entries, 40u);
}

}  // namespace
}  // namespace firn
