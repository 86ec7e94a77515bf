#include "sstable/ingested_segment_reader.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sstable/sequence_key.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

constexpr uint64_t kNumber = 1000;

// Keys of 12 bytes (8 in the sequence layout), some tombstones, all with number 0; and the same with
// kNumber.
class IngestedSegmentTest : public testing::TestWithParam<SegmentLayout> {
 protected:
  IngestedSegmentTest() {
    SegmentOptions options{.layout = GetParam(), .block_size = 256};
    if (GetParam() == SegmentLayout::kHashed) options.key_width = 12;
    Random random(3);
    Model stored;
    for (uint64_t i = 0; i < 500; ++i) {
      std::string key = absl::StrCat("key", absl::Dec(2 * i, absl::kZeroPad9));
      if (GetParam() == SegmentLayout::kSequence) {
        key.resize(kSequenceKeySize);
        StoreSequenceKey(key.data(), 2 * i);
      }
      const bool removes = GetParam() != SegmentLayout::kSequence && random.OneIn(5);
      const EntryKind kind = removes ? EntryKind::kTombstone : EntryKind::kPut;
      const std::string value = removes ? "" : RandomValue(random, 60);
      stored[Key(key, 0, kind)] = value;
      model_[Key(key, kNumber, kind)] = value;
      keys_.push_back(key);
    }
    const auto meta = WriteSegment(file_system_, "s", stored, options);
    EXPECT_OK(meta);
    meta_ = AsIngested(*meta, SequenceNumber{kNumber});
  }

  std::shared_ptr<const SegmentReader> Open() {
    auto reader = SegmentReader::Open(file_system_, "s", meta_, &cache_);
    EXPECT_OK(reader);
    return *std::move(reader);
  }

  MemoryFileSystem file_system_;
  BlockCache cache_{1 << 20};
  SegmentMeta meta_;
  Model model_;
  std::vector<std::string> keys_;
};

TEST_P(IngestedSegmentTest, LookupsFindTheNumberOfTheIngestAndNothingBelowIt) {
  const auto reader = Open();
  EXPECT_EQ(reader->meta(), meta_);
  for (int round = 0; round < 2; ++round) {  // uncached, cached
    for (const std::string& key : keys_) {
      const auto expected = FindInModel(model_, key, kNumber);
      ASSERT_OK_AND_ASSIGN(const auto found, reader->Get(key, SequenceNumber{kNumber + 5}));
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->sequence, SequenceNumber{kNumber});
      EXPECT_EQ(found->kind, KindOf(expected->first));
      EXPECT_EQ(found->value, expected->second);
      ASSERT_OK_AND_ASSIGN(const auto before, reader->Get(key, SequenceNumber{kNumber - 1}));
      EXPECT_FALSE(before.has_value());
      const Epochs::Guard guard(cache_.epochs());
      std::optional<FoundEntry> cached;
      EXPECT_TRUE(reader->GetCached(key, SequenceNumber{kNumber}, cached));
      EXPECT_EQ(cached->sequence, SequenceNumber{kNumber});
      EXPECT_TRUE(reader->GetCached(key, SequenceNumber{kNumber - 1}, cached));
      EXPECT_FALSE(cached.has_value());
    }
  }
}

TEST_P(IngestedSegmentTest, LookupsOfManyDoTheSame) {
  for (const uint64_t at_most : {kNumber - 1, kNumber}) {
    const auto reader = Open();
    std::vector<SegmentLookup> lookups(keys_.size());
    std::vector<SegmentLookup*> all;
    for (size_t i = 0; i < keys_.size(); ++i) {
      lookups[i].user_key = keys_[i];
      all.push_back(&lookups[i]);
    }
    const auto check = [&] {
      for (const SegmentLookup& lookup : lookups) {
        ASSERT_EQ(lookup.found.has_value(), at_most == kNumber);
        if (lookup.found.has_value()) {
          EXPECT_EQ(lookup.found->sequence, SequenceNumber{kNumber});
        }
      }
    };
    ASSERT_OK(reader->GetMany(all, SequenceNumber{at_most}));
    check();
    const Epochs::Guard guard(cache_.epochs());
    reader->GetManyCached(all, SequenceNumber{at_most});
    for (const SegmentLookup& lookup : lookups) EXPECT_FALSE(lookup.needs_read);
    check();
  }
}

TEST_P(IngestedSegmentTest, IteratorsGoAsThroughASegmentThatWasWrittenWithTheNumber) {
  const auto reader = Open();
  const auto iterator = reader->NewIterator();
  auto expected = model_.begin();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
    ASSERT_NE(expected, model_.end());
    ASSERT_EQ(iterator->key(), expected->first);
    ASSERT_EQ(iterator->value(), expected->second);
  }
  EXPECT_EQ(expected, model_.end());
  Random random(4);
  for (int i = 0; i < 2000; ++i) {
    std::string key = keys_[random.Uniform(keys_.size())];
    if (random.OneIn(3)) key.back() = static_cast<char>(key.back() + 1);
    const uint64_t sequence = kNumber - 1 + random.Uniform(3);
    const std::string target =
        Key(key, sequence, random.OneIn(2) ? EntryKind::kPut : EntryKind::kTombstone);
    iterator->Seek(target);
    const auto at = model_.lower_bound(target);
    ASSERT_EQ(iterator->Valid(), at != model_.end());
    if (at == model_.end()) continue;
    ASSERT_EQ(iterator->key(), at->first);
    if (at == model_.begin()) continue;
    iterator->Prev();
    ASSERT_EQ(iterator->key(), std::prev(at)->first);
  }
  EXPECT_OK(iterator->status());
}

TEST_P(IngestedSegmentTest, VerifyIsCleanAndTheStoredReaderTellsWhatTheFileSays) {
  const auto reader = Open();
  EXPECT_TRUE(reader->Verify().problems.empty());
  EXPECT_EQ(reader->Verify().entries, keys_.size());
  const auto stored = reader->AsStored();
  EXPECT_EQ(stored->meta().ingested_at, SequenceNumber{kNumber});
  EXPECT_EQ(stored->meta().sequence_max, SequenceNumber{0});
  EXPECT_EQ(stored->AsStored(), stored);
  SegmentMeta wrong = meta_;
  wrong.entry_count += 1;
  EXPECT_THAT(SegmentReader::Open(file_system_, "s", wrong, nullptr).status(),
              StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(Layouts, IngestedSegmentTest,
                         testing::Values(SegmentLayout::kOrdered, SegmentLayout::kHashed,
                                         SegmentLayout::kSequence));

TEST(IngestedSegmentReaderTest, ASegmentThatHasNumbersOfItsOwnIsNotTheOneThatWasIngested) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(SegmentMeta meta, WriteSegment(file_system, "s", {{Key("a", 2), "1"}}));
  EXPECT_THAT(
      SegmentReader::Open(file_system, "s", AsIngested(meta, SequenceNumber{9}), nullptr).status(),
      StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("sequence number")));
}

}  // namespace
}  // namespace firn
