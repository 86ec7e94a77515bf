#include "sstable/sequence_segment_reader.h"

#include "sstable/segment_output.h"
#include "sstable/sequence_block.h"
#include "sstable/sequence_index.h"
#include "tests/sstable/sequence_support.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

class SequenceSegmentReaderTest : public testing::Test {
 protected:
  void Write(const Model& model, const SegmentOptions& options = SequenceOptions()) {
    ASSERT_OK_AND_ASSIGN(meta_, WriteSegment(file_system_, "s", model, options));
    reader_ = OpenSequence(file_system_, "s", meta_, &cache_, &counters_);
    ASSERT_NE(reader_, nullptr);
  }

  MemoryFileSystem file_system_;
  BlockCache cache_{1 << 20};
  SegmentCounters counters_;
  SegmentMeta meta_;
  std::shared_ptr<const SequenceSegmentReader> reader_;
};

TEST_F(SequenceSegmentReaderTest, EveryKeyIsFoundAndNoOther) {
  Random random(92);
  for (int round = 0; round < 5; ++round) {
    if (round > 0) {
      ASSERT_OK(file_system_.RemoveFile("s"));
    }
    const Model model = RandomSequenceModel(random, 300);
    Write(model);
    for (const auto& [key, value] : model) {
      ASSERT_OK_AND_ASSIGN(const auto found, reader_->Get(UserKeyOf(key), kMaxSequenceNumber));
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->value, value);
      EXPECT_EQ(found->sequence, SequenceOf(key));
      EXPECT_EQ(found->kind, EntryKind::kPut);
      ASSERT_OK_AND_ASSIGN(const auto before,
                           reader_->Get(UserKeyOf(key), {SequenceOf(key).value - 1}));
      EXPECT_FALSE(before.has_value()) << "written later";
      const uint64_t next = LoadSequenceKey(UserKeyOf(key)) + 1;
      ASSERT_OK_AND_ASSIGN(const auto after,
                           reader_->Get(SequenceUserKey(next), kMaxSequenceNumber));
      const auto expected = FindInModel(model, SequenceUserKey(next), kMaxSequenceNumber.value);
      EXPECT_EQ(after.has_value(), expected != model.end());
    }
    for (const absl::string_view other : {"", "short", "longer than eight"}) {
      ASSERT_OK_AND_ASSIGN(const auto found, reader_->Get(other, kMaxSequenceNumber));
      EXPECT_FALSE(found.has_value());
    }
  }
}

TEST_F(SequenceSegmentReaderTest, ManyAtOnceAreReadTogether) {
  Random random(93);
  const Model model = RandomSequenceModel(random, 200);
  Write(model);
  std::vector<std::string> keys;
  for (const auto& [key, value] : model) {
    keys.emplace_back(UserKeyOf(key));
    keys.push_back(SequenceUserKey(LoadSequenceKey(keys.back()) + 1));
  }
  keys.push_back("none");
  for (int pass = 0; pass < 2; ++pass) {  // from the file, then from the cache
    std::vector<SegmentLookup> lookups;
    for (const std::string& key : keys) lookups.push_back({key, std::nullopt});
    std::vector<SegmentLookup*> asked;
    for (SegmentLookup& lookup : lookups) asked.push_back(&lookup);
    ASSERT_OK(reader_->GetMany(asked, kMaxSequenceNumber));
    for (const SegmentLookup& lookup : lookups) {
      const auto expected = FindInModel(model, lookup.user_key, kMaxSequenceNumber.value);
      ASSERT_EQ(lookup.found.has_value(), expected != model.end());
      if (lookup.found.has_value()) {
        EXPECT_EQ(lookup.found->value, expected->second);
      }
    }
    EXPECT_EQ(counters_.block_reads.Total(), reader_->index().size());
  }
}

TEST_F(SequenceSegmentReaderTest, CachedLookupsNeedNoRead) {
  Random random(94);
  const Model model = RandomSequenceModel(random, 100);
  Write(model);
  std::optional<FoundEntry> found;
  const std::string key(UserKeyOf(model.begin()->first));
  const Epochs::Guard guard(cache_.epochs());
  EXPECT_FALSE(reader_->GetCached(key, kMaxSequenceNumber, found));
  ASSERT_OK(reader_->Get(key, kMaxSequenceNumber).status());
  EXPECT_TRUE(reader_->GetCached(key, kMaxSequenceNumber, found));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->value, model.begin()->second);
  EXPECT_TRUE(reader_->GetCached(key, SequenceNumber{0}, found));
  EXPECT_FALSE(found.has_value());
  EXPECT_TRUE(reader_->GetCached("none", kMaxSequenceNumber, found));
  EXPECT_FALSE(found.has_value());
}

TEST_F(SequenceSegmentReaderTest, BlocksAreShownWithTheirEntries) {
  Random random(95);
  const Model model = RandomSequenceModel(random, 150);
  Write(model);
  auto expected = model.begin();
  const std::vector<SegmentBlock> blocks = reader_->Blocks();
  for (const SegmentBlock& block : blocks) {
    ASSERT_OK_AND_ASSIGN(const size_t size, reader_->VisitBlock(block.handle, [&](auto key, auto value) {
      EXPECT_EQ(key, expected->first);
      EXPECT_EQ(value, expected->second);
      EXPECT_LE(CompareInternalKeys(key, block.limit_key), 0);
      ++expected;
      return true;
    }));
    EXPECT_GT(size, kSequenceTailSize);
    if (expected != model.end()) {
      EXPECT_LT(CompareInternalKeys(block.limit_key, expected->first), 0);
    }
  }
  EXPECT_TRUE(expected == model.end());
  EXPECT_THAT(reader_->VisitBlock({.offset = 1, .size = 10}, [](auto, auto) { return true; }).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SequenceSegmentReaderTest, SizesOfRangesAddUp) {
  Random random(96);
  const Model model = RandomSequenceModel(random, 400);
  Write(model);
  const std::string low = SequenceUserKey(0);
  const std::string high = SequenceUserKey(UINT64_MAX);
  const std::string middle(UserKeyOf(std::next(model.begin(), 200)->first));
  EXPECT_EQ(reader_->ApproximateSize(low, high), reader_->properties().data_size);
  EXPECT_EQ(reader_->ApproximateSize(low, middle) + reader_->ApproximateSize(middle, high),
            reader_->properties().data_size);
  EXPECT_GT(reader_->ApproximateSize(low, middle), 0u);
  EXPECT_EQ(reader_->ApproximateSize(high, low), 0u);
  EXPECT_GT(reader_->memory_usage(), reader_->index().size() * 16);
}

// Good checksums, wrong content: searches and scans say so, and end.
TEST(SequenceSegmentIndex, ABlockThatIsNotWhatTheIndexSaysIsDamage) {
  MemoryFileSystem memory({.track_unsynced = false});
  auto output = SegmentOutput::Create(memory, "lying.seg", {}, 0x1234).value();
  SequenceBlockBuilder block;
  SequenceIndexBuilder index;
  const auto append = [&](uint64_t first, uint64_t said, uint32_t count) {
    block.Reset();
    for (uint32_t i = 0; i < count; ++i) block.Add(first + i, {first + i + 1}, "v");
    const BlockHandle handle = output->AppendBlock(block.Finish(), BlockKind::kData).value();
    index.Add(said, count, handle.size);
  };
  append(0, 0, 10);
  append(100, 1000, 20);
  SegmentProperties properties;
  properties.number = {7};
  properties.keyspace = {1};
  properties.entry_count = properties.user_key_count = 30;
  properties.raw_key_size = 30 * 16;
  properties.raw_value_size = 30;
  properties.data_block_count = 2;
  properties.data_size = output->offset();
  properties.sequence_min = {1};
  properties.sequence_max = {120};
  properties.block_size = 16384;
  properties.smallest = SequenceInternalKey(0, {1});
  properties.largest = SequenceInternalKey(1019, {120});
  properties.origin = "flush";
  SegmentFooter footer{.layout = SegmentLayout::kSequence};
  const std::string encoded = index.Finish();
  footer.index = output->AppendBlock(AsBytes(encoded), BlockKind::kIndex).value();
  ASSERT_OK(output->Finish(footer, properties).status());
  const SegmentMeta meta = SegmentReader::ReadMeta(memory, "lying.seg").value();
  const auto reader = OpenSequence(memory, "lying.seg", meta);
  ASSERT_NE(reader, nullptr);
  const auto wrong = StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the index says"));
  EXPECT_OK(reader->Get(SequenceUserKey(5), {5000}).status());
  EXPECT_THAT(reader->Get(SequenceUserKey(1005), {5000}).status(), wrong);
  const auto iterator = reader->NewIterator();
  size_t entries = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++entries;
  EXPECT_EQ(entries, 10u);
  EXPECT_THAT(iterator->status(), wrong);
}

TEST_F(SequenceSegmentReaderTest, AFileThatIsNotTheManifestsIsRefused) {
  Random random(97);
  Write(RandomSequenceModel(random, 50));
  SegmentMeta other = meta_;
  ++other.entry_count;
  EXPECT_THAT(SegmentReader::Open(file_system_, "s", other, nullptr).status(),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace firn
